package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// pack makes an archive of a directory beside it: a zip if there are programs
// for Windows in it, else a tar.gz. Nothing but names and contents of the files is taken
// from the disk.
func pack(dir string, at time.Time) (archive string, err error) {
	kind, write := ".tar.gz", writeTar
	if found, _ := filepath.Glob(filepath.Join(dir, "bin", "*.exe")); len(found) > 0 {
		kind, write = ".zip", writeZip
	}
	archive = dir + kind
	out, err := os.Create(archive)
	if err != nil {
		return "", err
	}
	defer out.Close()
	if err := write(out, dir, at); err != nil {
		return "", err
	}
	return archive, out.Close()
}

// each calls add with every file below dir, in the order of their names, which
// begin with that of dir.
func each(dir string, add func(name string, mode fs.FileMode, content []byte) error) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		within, err := filepath.Rel(filepath.Dir(dir), file)
		if err != nil {
			return err
		}
		name, mode := filepath.ToSlash(within), fs.FileMode(0o644)
		if strings.HasSuffix(path.Dir(name), "/bin") {
			mode = 0o755
		}
		return add(name, mode, content)
	})
}

func writeTar(out io.Writer, dir string, at time.Time) error {
	packed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(packed)
	err = each(dir, func(name string, mode fs.FileMode, content []byte) error {
		head := &tar.Header{Name: name, Mode: int64(mode), Size: int64(len(content)), ModTime: at, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(head); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return packed.Close()
}

func writeZip(out io.Writer, dir string, at time.Time) error {
	w := zip.NewWriter(out)
	err := each(dir, func(name string, mode fs.FileMode, content []byte) error {
		head := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
		head.SetMode(mode)
		file, err := w.CreateHeader(head)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}

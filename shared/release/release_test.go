//go:build unix

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const root = "../.."

// What is packed depends on the sources, the version and the date, and on
// nothing else: not on the place, the user's umask or time zone, or a repository.
func TestTwoReleasesAreEqual(t *testing.T) {
	here := released(t)
	there := filepath.Join(t.TempDir(), "another place")
	sources(t, there)
	mustMake(t, there, "umask 077; TZ=Asia/Tokyo", "dist")
	for _, name := range []string{here.archive, "SHA256SUMS"} {
		a, b := read(t, filepath.Join(here.dir, "bin/dist", name)), read(t, filepath.Join(there, "bin/dist", name))
		if !bytes.Equal(a, b) {
			t.Errorf("%s: got two of %d and %d bytes that differ", name, len(a), len(b))
		}
	}
}

func TestArchiveHasAllThatPeopleNeed(t *testing.T) {
	r := released(t)
	want := []string{"LICENSE", "README.md", "THIRD-PARTY-LICENSES", "sbom.cdx.json"}
	for _, p := range r.programs {
		want = append(want, "bin/"+p, "share/man/man1/"+p+".1")
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(r.files["README.md"], -1) {
		want = append(want, string(link[1]))
	}
	for _, name := range want {
		if len(r.files[name]) == 0 {
			t.Errorf("%s is not in the archive", name)
		}
	}
	for name, mode := range r.modes {
		if want := fs.FileMode(0o644); mode != want && !strings.HasPrefix(name, "bin/") || mode&^0o111 != want {
			t.Errorf("%s: got mode %o", name, mode)
		}
	}
	sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(read(t, filepath.Join(r.dir, "bin/dist", r.archive))), r.archive)
	if got := string(read(t, filepath.Join(r.dir, "bin/dist/SHA256SUMS"))); got != sum {
		t.Errorf("SHA256SUMS: got\n%swant\n%s", got, sum)
	}
	for _, p := range r.programs {
		out, err := exec.Command(r.unpacked(t, p), "--version").Output()
		if got, want := string(out), p+" v1.2.3\n"; got != want {
			t.Errorf("--version: got %q, %v, want %q", got, err, want)
		}
	}
}

// The modules of the bill are those that go version -m tells of, for each
// program and in all, besides the standard library.
func TestBillListsWhatIsLinked(t *testing.T) {
	r := released(t)
	var bill struct {
		Components []struct {
			Type, Name, Version, Purl string
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal(r.files["sbom.cdx.json"], &bill); err != nil {
		t.Fatal(err)
	}
	std := "pkg:golang/stdlib@" + strings.TrimPrefix(runtime.Version(), "go")
	all := []string{std}
	for _, p := range r.programs {
		linked := []string{std}
		out, err := exec.Command("go", "version", "-m", r.unpacked(t, p)).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(string(out), -1) {
			linked = append(linked, "pkg:golang/"+m[1]+"@"+m[2])
		}
		if len(linked) < 10 {
			t.Fatalf("%s: got %q", p, linked)
		}
		all = append(all, linked...)
		for _, d := range bill.Dependencies {
			if d.Ref == p {
				same(t, p, d.DependsOn, linked)
			}
		}
	}
	var listed, named []string
	for _, c := range bill.Components {
		if c.Type == "library" {
			listed = append(listed, c.Purl)
			if c.Purl != "pkg:golang/"+c.Name+"@"+c.Version {
				t.Errorf("got %+v", c)
			}
		} else if c.Version == "v1.2.3" {
			named = append(named, c.Name)
		}
	}
	same(t, "all", listed, all)
	same(t, "programs", named, r.programs)
}

// The schema is CycloneDX's own, which comes with its library.
func TestBillIsOneByItsSchema(t *testing.T) {
	r := released(t)
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	for name, file := range map[string]string{"bom-1.6": "bom-1.6.schema.json", "spdx": "spdx.schema.json", "jsf-0.82": "jsf-0.82.schemax.json"} {
		content, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, filepath.Join(strings.TrimSpace(string(dir)), "schema", file))))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource("http://cyclonedx.org/schema/"+name+".schema.json", content); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	bill, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.files["sbom.cdx.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(bill); err != nil {
		t.Error(err)
	}
}

func TestLicencesAreThoseOfWhatIsLinked(t *testing.T) {
	r := released(t)
	text := string(r.files["THIRD-PARTY-LICENSES"])
	var owners []string
	for _, m := range regexp.MustCompile(`(?m)^==== (\S+) \S+$`).FindAllStringSubmatch(text, -1) {
		owners = append(owners, m[1])
	}
	same(t, "owners", owners, append(r.modules(t), "Go"))
	for _, words := range []string{ // one of each kind, and of one within a module
		"Redistributions in binary form must reproduce the above copyright", "Apache License\n", "MIT License", "Copyright 2015 Amazon.com, Inc.", "Patent",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("there is no %q", words)
		}
	}
}

// What is taken for none stops the release, since nothing may be given away
// without one.
func TestLicencesAreFoundByTheirNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"license.go", "licensed.txt", "README", "notices_test.md"} {
		write(t, filepath.Join(dir, name), "x")
	}
	want := []string{"COPYING", "LICENSE", "LICENSE-MIT", "Licence.md", "NOTICE.txt", "PATENTS"}
	for _, name := range want {
		write(t, filepath.Join(dir, name), "x")
	}
	var got []string
	for _, file := range legalFiles([]string{dir}) {
		got = append(got, filepath.Base(file))
	}
	same(t, "found", got, want)
}

func TestProgramsOfWindowsAreInAZip(t *testing.T) {
	var archives [][]byte
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i, mode := range []fs.FileMode{0o600, 0o777} {
		dir := filepath.Join(t.TempDir(), "suite")
		for _, name := range []string{"bin/b.exe", "bin/a.exe", "README.md"} {
			write(t, filepath.Join(dir, name), name)
			then := at.Add(time.Duration(i) * time.Hour)
			if err := errors.Join(os.Chmod(filepath.Join(dir, name), mode), os.Chtimes(filepath.Join(dir, name), then, then)); err != nil {
				t.Fatal(err)
			}
		}
		archive, err := pack(dir, at)
		if err != nil || filepath.Base(archive) != "suite.zip" {
			t.Fatalf("got %q, %v", archive, err)
		}
		archives = append(archives, read(t, archive))
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("got archives that differ")
	}
	r, err := zip.NewReader(bytes.NewReader(archives[0]), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.File {
		got = append(got, fmt.Sprint(f.Name, f.Mode(), f.Modified.UTC().Format(" 15:04")))
	}
	if want := []string{"suite/README.md-rw-r--r-- 12:00", "suite/bin/a.exe-rwxr-xr-x 12:00", "suite/bin/b.exe-rwxr-xr-x 12:00"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Uninstall removes what install put there, and no more; whatever the umask,
// everybody can use it; and it is not built again.
func TestUninstallRemovesWhatInstallPutThere(t *testing.T) {
	r := released(t)
	dest := filepath.Join(t.TempDir(), "a root")
	before := []string{"opt/bin/aws-mfa-other", "opt/share/man/man1/aws-mfa.1"}
	for _, name := range before {
		write(t, filepath.Join(dest, name), "x")
	}
	arguments := []string{"DESTDIR=" + dest, "PREFIX=/opt", "COMPLETE=--version"}
	mustMake(t, r.dir, "umask 022;", append(arguments, "install")...)
	if err := os.RemoveAll(filepath.Join(dest, "opt/bin/aws-mfa-login")); err != nil {
		t.Fatal(err)
	}
	out := mustMake(t, r.dir, "umask 077;", append(arguments, "GO=false", "install")...)
	if strings.Contains(out, "go build") {
		t.Errorf("it was built again: %s", out)
	}
	want := slices.Clone(before)
	for _, p := range r.programs {
		want = append(want, "opt/bin/"+p, "opt/share/man/man1/"+p+".1", "opt/share/bash-completion/completions/"+p,
			"opt/share/zsh/site-functions/_"+p, "opt/share/fish/vendor_completions.d/"+p+".fish")
	}
	files, modes := below(t, dest)
	same(t, "installed", files, want)
	for name, mode := range modes {
		if mode.Perm() != 0o755 && (mode.IsDir() || strings.HasPrefix(name, "opt/bin/aws-mfa-") && !slices.Contains(before, name)) || mode.Perm()&0o444 != 0o444 {
			t.Errorf("%s: got mode %o", name, mode.Perm())
		}
	}
	mustMake(t, r.dir, "", append(arguments, "uninstall")...)
	files, _ = below(t, dest)
	same(t, "left", files, before)
}

// docs/dependencies.md tells of each module that go.mod requires directly, and
// whether it is in the programs.
func TestDependenciesAreToldAsTheyAre(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not (or .Main .Indirect)}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "aws-mfa/cmd/...")
		list.Env = append(list.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(string(out)) {
			linked[path] = true
		}
	}
	var want, got []string
	for _, path := range strings.Fields(string(out)) {
		where := "tests"
		if linked[path] {
			where = "programs"
		}
		want = append(want, path+" "+where)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\S+)` \\| (\\w+) \\| \\S").FindAllStringSubmatch(string(read(t, root+"/docs/dependencies.md")), -1) {
		got = append(got, row[1]+" "+strings.ReplaceAll(row[2], "release", "tests"))
	}
	same(t, "docs/dependencies.md", got, want)
}

// A suite is what make dist made of the sources, for this platform.
type suite struct {
	dir, archive string
	programs     []string
	files        map[string][]byte
	modes        map[string]fs.FileMode
}

var once struct {
	sync.Once
	suite
}

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(once.dir)
	os.Exit(status)
}

func released(t *testing.T) suite {
	t.Helper()
	once.Do(func() {
		dir, err := os.MkdirTemp("", "aws-mfa-release")
		if err != nil {
			t.Fatal(err)
		}
		once.suite = suite{dir: dir, archive: "aws-mfa-v1.2.3-" + runtime.GOOS + "-" + runtime.GOARCH + ".tar.gz", files: map[string][]byte{}, modes: map[string]fs.FileMode{}}
		sources(t, dir)
		mustMake(t, dir, "umask 022;", "dist")
		once.unpack(t)
	})
	if len(once.files) == 0 {
		t.Fatal("there is no release")
	}
	return once.suite
}

func (r *suite) unpack(t *testing.T) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(read(t, filepath.Join(r.dir, "bin/dist", r.archive))))
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(packed); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if head.Uid != 0 || head.Gid != 0 || head.Uname != "" || head.ModTime.Unix() != 1795262400 {
			t.Errorf("got %+v", head)
		}
		name, ok := strings.CutPrefix(head.Name, strings.TrimSuffix(r.archive, ".tar.gz")+"/")
		if !ok {
			t.Errorf("got %q", head.Name)
		}
		r.files[name], r.modes[name] = content, fs.FileMode(head.Mode)
		if program, ok := strings.CutPrefix(name, "bin/"); ok {
			r.programs = append(r.programs, program)
		}
	}
}

// unpacked is a program of the archive.
func (r *suite) unpacked(t *testing.T, program string) string {
	path := filepath.Join(t.TempDir(), program)
	write(t, path, string(r.files["bin/"+program]))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// modules are the paths of the modules that are linked into any program.
func (r *suite) modules(t *testing.T) (paths []string) {
	t.Helper()
	var files []string
	for _, p := range r.programs {
		files = append(files, r.unpacked(t, p))
	}
	out, err := exec.Command("go", append([]string{"version", "-m"}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t`).FindAllStringSubmatch(string(out), -1) {
		paths = append(paths, m[1])
	}
	return paths
}

// sources copies what programs and archives are made of, but no repository.
func sources(t *testing.T, to string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", "bin", "testdata"}, name) || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		write(t, filepath.Join(to, name), string(read(t, path)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mustMake runs make for this platform, behind words of the shell.
func mustMake(t *testing.T, dir, before string, arguments ...string) string {
	t.Helper()
	arguments = append([]string{"-c", before + ` exec make "$@"`, "sh", "VERSION=v1.2.3", "SOURCE_DATE_EPOCH=1795262400", "PLATFORMS=" + runtime.GOOS + "/" + runtime.GOARCH}, arguments...)
	command := exec.Command("sh", arguments...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	return string(out)
}

// below are the names of the files in a directory, and the modes of all but
// the uppermost.
func below(t *testing.T, dir string) (files []string, modes map[string]fs.FileMode) {
	t.Helper()
	modes = map[string]fs.FileMode{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		modes[name] = info.Mode()
		if !d.IsDir() {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, modes
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// same compares what is listed, each once and in any order.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	if got, want = sorted(got), sorted(want); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

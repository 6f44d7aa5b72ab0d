// Release completes what people download. To each directory that holds built
// programs in bin/ it adds what is linked into them: a bill of materials, and
// the licences. Of each directory it then makes an archive beside it, and lists
// the archives' checksums in SHA256SUMS.
//
//	release -version V -epoch SECONDS DIR...
//	release -version V -epoch SECONDS -bill PROGRAM...
//
// The second form prints a bill of materials. From the same programs both make
// the same bytes, at any time and in any place.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	version := flag.String("version", "", "version of the suite")
	epoch := flag.Int64("epoch", 0, "date of all files, in seconds since 1970")
	bill := flag.Bool("bill", false, "print a bill of materials of the programs")
	flag.Parse()
	if *version == "" || *epoch <= 0 || flag.NArg() == 0 {
		log.Fatal("-version, -epoch and arguments are needed")
	}
	at := time.Unix(*epoch, 0).UTC()
	do := func() error { return release(*version, at, flag.Args()) }
	if *bill {
		do = func() error { return printBill(*version, at, flag.Args()) }
	}
	if err := do(); err != nil {
		log.Fatal(err)
	}
}

func printBill(version string, at time.Time, paths []string) error {
	programs, err := readPrograms(paths)
	if err != nil {
		return err
	}
	text, err := programs.bill(version, at)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

// release completes and packs the directories, whose order does not matter.
func release(version string, at time.Time, directories []string) error {
	sums := map[string]string{}
	for _, dir := range directories {
		dir = filepath.Clean(dir)
		if err := complete(dir, version, at); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		archive, err := pack(dir, at)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		content, err := os.ReadFile(archive)
		if err != nil {
			return err
		}
		sums[filepath.Base(archive)] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&list, "%s  %s\n", sums[name], name)
	}
	return os.WriteFile(filepath.Join(filepath.Dir(filepath.Clean(directories[0])), "SHA256SUMS"), []byte(list.String()), 0o644)
}

// complete adds what is said about the programs in dir.
func complete(dir, version string, at time.Time) error {
	paths, err := filepath.Glob(filepath.Join(dir, "bin", "*"))
	if err != nil {
		return err
	}
	programs, err := readPrograms(paths)
	if err != nil {
		return err
	}
	bill, err := programs.bill(version, at)
	if err != nil {
		return err
	}
	licences, err := programs.licences()
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "sbom.cdx.json"), bill, 0o644),
		os.WriteFile(filepath.Join(dir, "THIRD-PARTY-LICENSES"), licences, 0o644))
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// legal is what the files are called that have to go with a program.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents)(-\w+)?(\.(txt|md))?$`)

// licences are the texts that Go's standard library and the modules linked into
// the programs demand to go with them: those in the directories of the packages
// that are linked, and in the directories above, up to the module's. A text that
// several have is there once.
func (all programs) licences() ([]byte, error) {
	directories, err := all.directories()
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	texts := texts{whose: map[string][]string{}}
	if err := texts.add("Go "+all[0].GoVersion, filepath.Join(strings.TrimSpace(string(root)), "LICENSE")); err != nil {
		return nil, err
	}
	for _, m := range all.modules() {
		files := legalFiles(directories[m.Path+"@"+m.Version])
		if len(files) == 0 {
			return nil, fmt.Errorf("%s %s: no licence was found", m.Path, m.Version)
		}
		for _, file := range files {
			if err := texts.add(m.Path+" "+m.Version, file); err != nil {
				return nil, err
			}
		}
	}
	return texts.all(), nil
}

// texts are licences and the like, in the order of their first owners.
type texts struct {
	order []string
	whose map[string][]string
}

func (t *texts) add(owner, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(content))
	if t.whose[text] == nil {
		t.order = append(t.order, text)
	}
	if !slices.Contains(t.whose[text], owner) {
		t.whose[text] = append(t.whose[text], owner)
	}
	return nil
}

func (t *texts) all() []byte {
	var out bytes.Buffer
	for _, text := range t.order {
		fmt.Fprintf(&out, "==== %s\n\n%s\n\n", strings.Join(t.whose[text], "\n==== "), text)
	}
	return out.Bytes()
}

// legalFiles are those in the directories, the uppermost first.
func legalFiles(directories []string) (files []string) {
	for _, dir := range directories {
		entries, _ := os.ReadDir(dir) // where it cannot be read, nothing is found
		for _, e := range entries {
			if e.Type().IsRegular() && legal.MatchString(e.Name()) {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	return files
}

// directories are where the sources of the packages are that the programs are
// linked from, and the directories above, for each module (path@version).
func (all programs) directories() (map[string][]string, error) {
	args := []string{"list", "-deps", "-json=Dir,Module"}
	for _, p := range all {
		args = append(args, p.Path)
	}
	list := exec.Command("go", args...)
	list.Env = append(list.Environ(), "CGO_ENABLED="+all[0].setting("CGO_ENABLED"), "GOOS="+all[0].setting("GOOS"), "GOARCH="+all[0].setting("GOARCH"))
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	found := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir    string
			Module *struct{ Path, Version, Dir string }
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Module == nil {
			continue
		}
		m := p.Module.Path + "@" + p.Module.Version
		for dir := p.Dir; len(dir) >= len(p.Module.Dir); dir = filepath.Dir(dir) {
			found[m] = append(found[m], dir)
		}
	}
	for m, dirs := range found {
		slices.Sort(dirs)
		found[m] = slices.Compact(dirs)
	}
	return found, nil
}

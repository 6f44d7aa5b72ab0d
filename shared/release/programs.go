package main

import (
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// programs are programs of one platform, in the order of their names.
type programs []program

type program struct {
	name string
	*debug.BuildInfo
}

// readPrograms reads what the Go toolchain wrote into the programs, as
// go version -m shows it.
func readPrograms(paths []string) (all programs, err error) {
	for _, path := range paths {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, m := range info.Deps {
			if m.Replace != nil {
				return nil, fmt.Errorf("%s: %s is replaced", path, m.Path)
			}
		}
		all = append(all, program{strings.TrimSuffix(filepath.Base(path), ".exe"), info})
	}
	if len(all) == 0 {
		return nil, errors.New("there are no programs")
	}
	slices.SortFunc(all, func(a, b program) int { return cmp.Compare(a.name, b.name) })
	for _, p := range all {
		for _, what := range []string{"GOOS", "GOARCH"} {
			if p.setting(what) != all[0].setting(what) {
				return nil, fmt.Errorf("%s and %s are of different platforms", p.name, all[0].name)
			}
		}
		if p.GoVersion != all[0].GoVersion {
			return nil, fmt.Errorf("%s and %s were made by different versions of Go", p.name, all[0].name)
		}
	}
	return all, nil
}

func (p program) setting(name string) string {
	for _, s := range p.Settings {
		if s.Key == name {
			return s.Value
		}
	}
	return ""
}

// modules are those linked into any of the programs, in the order of their paths.
func (all programs) modules() []*debug.Module {
	found := map[string]*debug.Module{}
	for _, p := range all {
		for _, m := range p.Deps {
			found[m.Path] = m
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *debug.Module) int { return cmp.Compare(a.Path, b.Path) })
}

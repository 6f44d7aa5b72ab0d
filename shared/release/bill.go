package main

import (
	"bytes"
	"runtime/debug"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// bill is a bill of materials (https://cyclonedx.org, JSON): the programs, and
// the modules and the version of Go that each was linked from.
func (all programs) bill(version string, at time.Time) ([]byte, error) {
	suite := application("aws-mfa", version)
	std := library(&debug.Module{Path: "stdlib", Version: strings.TrimPrefix(all[0].GoVersion, "go")}) // as vulnerabilities in it are listed
	components, names, dependencies := []cyclonedx.Component{std}, []string{}, []cyclonedx.Dependency{}
	for _, m := range all.modules() {
		components = append(components, library(m))
	}
	for _, p := range all {
		components = append(components, application(p.name, version))
		names = append(names, p.name)
		linked := []string{std.BOMRef}
		for _, m := range p.Deps {
			linked = append(linked, library(m).BOMRef)
		}
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: p.name, Dependencies: &linked})
	}
	dependencies = append(dependencies, cyclonedx.Dependency{Ref: suite.BOMRef, Dependencies: &names})

	bom := cyclonedx.NewBOM() // without a serial number, which would be another each time
	bom.Metadata = &cyclonedx.Metadata{Timestamp: at.Format(time.RFC3339), Component: &suite}
	bom.Components, bom.Dependencies = &components, &dependencies
	var text bytes.Buffer
	err := cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cyclonedx.SpecVersion1_6)
	return text.Bytes(), err
}

func application(name, version string) cyclonedx.Component {
	return cyclonedx.Component{Type: cyclonedx.ComponentTypeApplication, BOMRef: name, Name: name, Version: version}
}

// library is a module, named as https://github.com/package-url/purl-spec has it.
func library(m *debug.Module) cyclonedx.Component {
	url := "pkg:golang/" + m.Path + "@" + m.Version
	c := cyclonedx.Component{Type: cyclonedx.ComponentTypeLibrary, BOMRef: url, Name: m.Path, Version: m.Version, PackageURL: url}
	if m.Sum != "" {
		c.Properties = &[]cyclonedx.Property{{Name: "go.sum", Value: m.Sum}}
	}
	return c
}

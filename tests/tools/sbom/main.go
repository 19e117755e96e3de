// Command sbom writes the bill of materials of a Go program, as CycloneDX: what
// the program itself says it was built of.
//
//	go run ./sbom <program> > sbom.cdx.json
package main

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "which program? sbom <program>")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("%s does not say what it was built of: %w", program, err)
	}
	encoder := cyclonedx.NewBOMEncoder(os.Stdout, cyclonedx.BOMFileFormatJSON)
	return encoder.SetPretty(true).Encode(bill(info))
}

// bill lists the modules of a program and the Go that compiled it.
func bill(info *debug.BuildInfo) *cyclonedx.BOM {
	built := component(cyclonedx.ComponentTypeApplication, info.Main.Path, info.Main.Version)
	parts := []cyclonedx.Component{component(cyclonedx.ComponentTypeLibrary, "std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		parts = append(parts, component(cyclonedx.ComponentTypeLibrary, module.Path, module.Version))
	}
	slices.SortFunc(parts, func(a, b cyclonedx.Component) int { return cmp.Compare(a.PackageURL, b.PackageURL) })
	var references []string
	for _, part := range parts {
		references = append(references, part.BOMRef)
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Component: &built}
	bom.Components = &parts
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: built.BOMRef, Dependencies: &references}}
	return bom
}

func component(kind cyclonedx.ComponentType, path, version string) cyclonedx.Component {
	address := "pkg:golang/" + path + "@" + version
	return cyclonedx.Component{BOMRef: address, Type: kind, Name: path, Version: version, PackageURL: address}
}

package main

import (
	"bytes"
	"runtime/debug"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

func TestBill(t *testing.T) {
	made := bill(&debug.BuildInfo{GoVersion: "go1.26.5", Main: debug.Module{Path: "example.com/a", Version: "v1.0.0"}, Deps: []*debug.Module{
		{Path: "example.com/z", Version: "v1.2.3"}, {Path: "example.com/b", Version: "v1", Replace: &debug.Module{Path: "example.com/c", Version: "v2"}},
	}})
	var written bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&written, cyclonedx.BOMFileFormatJSON).Encode(made); err != nil {
		t.Fatal(err)
	}
	read := new(cyclonedx.BOM)
	if err := cyclonedx.NewBOMDecoder(&written, cyclonedx.BOMFileFormatJSON).Decode(read); err != nil {
		t.Fatal(err)
	}
	want := []string{"pkg:golang/example.com/c@v2", "pkg:golang/example.com/z@v1.2.3", "pkg:golang/std@1.26.5"}
	if len(*read.Components) != len(want) {
		t.Fatal(*read.Components)
	}
	for i, part := range *read.Components {
		if part.PackageURL != want[i] {
			t.Errorf("%s in the place of %s", part.PackageURL, want[i])
		}
	}
	if read.Metadata.Component.Name != "example.com/a" || len(*(*read.Dependencies)[0].Dependencies) != len(want) {
		t.Error(read.Metadata.Component)
	}
}

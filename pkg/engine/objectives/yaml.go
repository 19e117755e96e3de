package objectives

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// maxYAML bounds the text, and maxDocuments its documents.
const maxYAML, maxDocuments = 1 << 20, 1000

// document is what is read of an object of OpenSLO (openslo/v1) or, without a kind,
// of an SLO as Grafana's API writes it, alone or in a list.
type document struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec       openSpec `yaml:"spec"`
	grafanaSLO `yaml:",inline"`
	SLOs       []grafanaSLO `yaml:"slos"`
}

// Read reads objectives written as YAML for OpenSLO and for Grafana SLO. The notices
// name the objects that cannot be used, and why; the error is of text that is no YAML.
func Read(text string) (found []Setting, notices []string, err error) {
	if len(text) > maxYAML {
		return nil, nil, fmt.Errorf("it has %d bytes; at most %d are read", len(text), maxYAML)
	}
	documents, err := documentsOf(text)
	if err != nil {
		return nil, nil, err
	}
	indicators := map[string]openSpec{}
	for _, d := range documents {
		if d.Kind == "SLI" {
			indicators[d.Metadata.Name] = d.Spec
		}
	}
	refuse := func(name string, err error) {
		notices = append(notices, fmt.Sprintf("The objective %q in objectivesYaml is not used: %v.", name, err))
	}
	for _, d := range documents {
		switch d.Kind {
		case "SLO":
			all, err := d.Spec.settings(d.Metadata.Name, indicators)
			if err != nil {
				refuse(d.Metadata.Name, err)
			}
			found = append(found, all...)
		case "":
			for _, one := range append(d.SLOs, d.grafanaSLO) {
				if one.Name == "" && one.Query.Type == "" {
					continue
				}
				all, err := one.settings()
				if err != nil {
					refuse(one.Name, err)
				}
				found = append(found, all...)
			}
		}
	}
	return found, notices, nil
}

func documentsOf(text string) (all []document, err error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var d document
		switch err := decoder.Decode(&d); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("document %d: %w", len(all)+1, err)
		}
		if all = append(all, d); len(all) > maxDocuments {
			return nil, fmt.Errorf("it has more than %d documents", maxDocuments)
		}
	}
}

// windowOf reads a time as 30d, 4w or 720h.
func windowOf(text string) (time.Duration, error) {
	if text == "" {
		return defaultDays * 24 * time.Hour, nil
	}
	window, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("its window %q is no time such as 30d", text)
	}
	return time.Duration(window), nil
}

// named tells the objectives of one object apart.
func named(name, display string, target float64, several bool) string {
	if !several {
		return name
	}
	return name + " " + cmp.Or(display, fmt.Sprintf("%g", target))
}

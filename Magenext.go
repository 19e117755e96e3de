//go:build mage

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/magefile/mage/sh"
)

const (
	// nextFolder holds the frontend beside packages of its own.
	nextFolder = "node_modules/.cache/grafana-next"
	// nextGrafana and nextReact are the packages of the newest Grafana.
	nextGrafana, nextReact = "13.2.3", "^19.0.0"
)

// Next checks the types and runs the frontend's tests over the packages of the
// newest Grafana, with React 19, in a folder of its own.
func (Test) Next() error {
	if err := os.MkdirAll(nextFolder, 0o755); err != nil {
		return err
	}
	if err := nextSources(); err != nil {
		return err
	}
	return step("testing the frontend over @grafana "+nextGrafana+" and React 19", func() error {
		return errors.Join(
			in(nextFolder, "npm", "install", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
			in(nextFolder, "npm", "exec", "--", "tsc", "--noEmit"),
			in(nextFolder, "npm", "exec", "--", "jest", "--ci"),
		)
	})
}

// nextSources copies what the frontend's tests read.
func nextSources() error {
	for _, name := range []string{"src", ".config", "pkg/query", "pkg/plugin", "pkg/playbook", "docs/pictures", "provisioning", "jest.config.js", "jest-setup.js", "plugin.json"} {
		target := filepath.Join(nextFolder, name)
		if err := errors.Join(os.RemoveAll(target), os.MkdirAll(filepath.Dir(target), 0o755), sh.Run("cp", "-R", name, target)); err != nil {
			return err
		}
	}
	types, err := os.ReadFile("tsconfig.json")
	if err != nil {
		return err
	}
	narrowed := strings.Replace(string(types), `"src", ".config/types", "tests/preview/web", "tests/e2e", "playwright.config.ts"`, `"src", ".config/types"`, 1)
	packages, err := nextPackages()
	return errors.Join(err,
		os.WriteFile(filepath.Join(nextFolder, "tsconfig.json"), []byte(narrowed), 0o644),
		os.WriteFile(filepath.Join(nextFolder, "package.json"), packages, 0o644))
}

// nextPackages is package.json with the newest versions.
func nextPackages() ([]byte, error) {
	raw, err := os.ReadFile("package.json")
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for _, kind := range []string{"dependencies", "devDependencies"} {
		packages, _ := all[kind].(map[string]any)
		for name := range packages {
			switch name {
			case "@grafana/data", "@grafana/runtime", "@grafana/ui", "@grafana/schema", "@grafana/i18n":
				packages[name] = nextGrafana
			case "react", "react-dom", "@types/react", "@types/react-dom":
				packages[name] = nextReact
			}
		}
		if kind == "devDependencies" {
			packages["@testing-library/dom"] = "^10.0.0" // a peer, which legacy-peer-deps leaves out
		}
	}
	return json.MarshalIndent(all, "", "  ")
}

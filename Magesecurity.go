//go:build mage

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"
)

// Fuzz feeds every decoder a million inputs, or as many as INPUTS says.
func Fuzz() error {
	targets, err := fuzzTargets("pkg")
	if err != nil {
		return err
	}
	var failed []error
	for _, target := range targets {
		failed = append(failed, step("fuzzing "+target.name+" of "+target.folder, func() error {
			return sh.RunV("go", "test", "-run", "^$", "-fuzz", "^"+target.name+"$", "-fuzztime", cmp.Or(os.Getenv("INPUTS"), "1000000")+"x",
				"-fuzzminimizetime", "50x", "./"+target.folder)
		}))
	}
	return errors.Join(failed...)
}

type fuzzTarget struct{ folder, name string }

var fuzzFunction = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// fuzzTargets are all below a folder.
func fuzzTargets(root string) (found []fuzzTarget, err error) {
	return found, filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range fuzzFunction.FindAllSubmatch(source, -1) {
			found = append(found, fuzzTarget{filepath.ToSlash(filepath.Dir(path)), string(match[1])})
		}
		return err
	})
}

// Sbom writes the bills of materials of the built plugin beside it, as CycloneDX:
// of the backend what its binary says it was built of, of the frontend what npm
// installed for it.
func Sbom() error {
	mg.SerialDeps(packages, Build.Backend)
	binary, err := filepath.Abs(fmt.Sprintf("dist/gpx_foresight_%s_%s", runtime.GOOS, runtime.GOARCH))
	if err != nil {
		return err
	}
	return step("writing dist/sbom-*.cdx.json", func() error {
		return errors.Join(
			into("dist/sbom-backend.cdx.json", "tests/tools", "go", "run", "./sbom", binary),
			// Peers that npm would resolve otherwise are no problem of the bill.
			into("dist/sbom-frontend.cdx.json", ".", "npm", "sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--legacy-peer-deps", "--loglevel=error"),
		)
	})
}

// into keeps what a command prints.
func into(file, folder, name string, arguments ...string) error {
	command := exec.Command(name, arguments...)
	command.Dir, command.Stderr = folder, os.Stderr
	printed, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s %s in %s: %w", name, strings.Join(arguments, " "), folder, err)
	}
	return os.WriteFile(file, printed, 0o644)
}

// databaseWithin is how long a scan for vulnerabilities may take: where its
// database cannot be reached, some wait for ever.
const databaseWithin = 3 * time.Minute

// vulnerabilities scans Go's and npm's packages. Not to reach a database is
// said, and no failure.
func vulnerabilities() error {
	return errors.Join(
		scan("govulncheck", regexp.MustCompile(`(?m)^Vulnerability #|Your code is affected`), "tests/tools", "go", "tool", "govulncheck", "-C", "../..", "./pkg/..."),
		scan("npm audit", regexp.MustCompile(`(?m)^\d+ vulnerabilit|^# npm audit report`), ".", "npm", "audit", "--omit", "dev", "--audit-level", "high", "--fetch-retries", "0", "--fetch-timeout", "20000", "--loglevel=error"),
	)
}

// scan runs a scanner, which fails where it finds something, and where it cannot
// look: only what it prints tells the two apart.
func scan(title string, found *regexp.Regexp, folder, name string, arguments ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseWithin)
	defer cancel()
	var printed bytes.Buffer
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir, command.Stdout, command.Stderr, command.WaitDelay = folder, &printed, &printed, time.Second
	err := command.Run()
	switch {
	case err == nil:
		fmt.Printf("✓ %s: nothing known\n", title)
		return nil
	case found.Match(printed.Bytes()):
		return fmt.Errorf("%s: %w\n%s", title, err, printed.String())
	}
	lines := strings.Split(strings.TrimSpace(printed.String()), "\n")
	reason := cmp.Or(strings.TrimSpace(lines[0]), err.Error())
	if ctx.Err() != nil {
		reason = "no answer within " + databaseWithin.String()
	}
	fmt.Printf("✗ %s did not look: %s\n", title, reason)
	return nil
}

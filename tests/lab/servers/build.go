// Package servers builds, starts and stops the real Prometheus and the real
// Tempo that the lab runs on.
package servers

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/mod/modfile"
)

// Spec is a server that builds from its Go module.
type Spec struct {
	Name    string
	Module  string // the server's own module
	Command string // package path of its command
	Tags    string // build tags
	Stamp   string // linker flags that stamp the release, which the module alone does not know
	Oldest  string // the oldest release on the PATH that will do, as in "2.8"; empty to always build
}

// The servers of the lab. Without its service discoveries Prometheus builds
// five times faster; static targets, remote write and OTLP stay.
var (
	Prometheus = Spec{
		Name: "prometheus", Module: "github.com/prometheus/prometheus",
		Command: "github.com/prometheus/prometheus/cmd/prometheus", Tags: "remove_all_sd",
		Stamp: "-X github.com/prometheus/common/version.Version=3.15.0", Oldest: "3.0",
	}
	Tempo = Spec{
		Name: "tempo", Module: "github.com/grafana/tempo",
		Command: "github.com/grafana/tempo/cmd/tempo",
		Stamp:   "-X main.Version=2.8.0 -X main.Revision=87c2dc380cec", Oldest: "2.8",
	}
)

// Builder turns specs into binaries and keeps them in a cache outside the work
// tree, one file per version, so that only the first run waits.
type Builder struct {
	Source string // directory that holds one Go module per server
	Cache  string
	Log    func(format string, args ...any)
}

// Binary returns the path of the server's binary: an installed one that fits, or
// the one in the cache, which is built where it is missing.
func (b Builder) Binary(ctx context.Context, spec Spec) (string, error) {
	if path, err := b.installed(ctx, spec); path != "" || err != nil {
		return path, err
	}
	target, version, err := b.target(spec)
	if err != nil {
		return "", err
	}
	if isFile(target) {
		return target, nil
	}
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return "", fmt.Errorf("create the cache of server binaries: %w", err)
	}
	lock := flock.New(target + ".lock")
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return "", fmt.Errorf("wait for another build of %s (lock %s): %w", spec.Name, lock.Path(), err)
	}
	defer lock.Unlock()
	if isFile(target) { // the run that held the lock has built it
		return target, nil
	}
	return target, b.build(ctx, spec, version, target)
}

// Cached says whether the binary is there already.
func (b Builder) Cached(spec Spec) bool {
	target, _, err := b.target(spec)
	return err == nil && isFile(target)
}

// target names the binary after everything that it is built from.
func (b Builder) target(spec Spec) (path, version string, err error) {
	directory := filepath.Join(b.Source, spec.Name)
	mod, err := os.ReadFile(filepath.Join(directory, "go.mod"))
	if err != nil {
		return "", "", fmt.Errorf("read the module that builds %s (point -source at tests/lab/servers): %w", spec.Name, err)
	}
	sum, err := os.ReadFile(filepath.Join(directory, "go.sum"))
	if err != nil {
		return "", "", fmt.Errorf("read the checksums of %s: %w", spec.Name, err)
	}
	file, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return "", "", fmt.Errorf("parse the module that builds %s: %w", spec.Name, err)
	}
	for _, require := range file.Require {
		if require.Mod.Path == spec.Module {
			version = require.Mod.Version
		}
	}
	hash := sha256.New()
	for _, part := range [][]byte{mod, sum, []byte(spec.Tags + spec.Stamp), []byte(runtime.Version() + runtime.GOOS + runtime.GOARCH)} {
		hash.Write(part)
	}
	name := fmt.Sprintf("%s-%s-%s", spec.Name, version, hex.EncodeToString(hash.Sum(nil))[:12])
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(b.Cache, name), version, nil
}

func (b Builder) build(ctx context.Context, spec Spec, version, target string) error {
	began := time.Now()
	b.Log("building %s %s from its Go module (once; minutes on two cores)", spec.Name, version)
	partial := target + ".partial"
	defer os.Remove(partial)

	command := exec.CommandContext(ctx, "go", "build", "-v", "-ldflags=-s -w "+spec.Stamp, "-tags="+spec.Tags, "-o", partial, spec.Command)
	command.Dir = filepath.Join(b.Source, spec.Name)
	command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	output, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the Go compiler for %s (is go in PATH?): %w", spec.Name, err)
	}

	var compiled atomic.Int64
	done := make(chan struct{})
	go b.reportProgress(spec.Name, began, &compiled, done)
	var tail bytes.Buffer
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "go: downloading") || !strings.ContainsAny(line, " :") {
			compiled.Add(1)
			continue
		}
		fmt.Fprintln(&tail, line)
	}
	err = command.Wait()
	close(done)
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", spec.Name, err, lastLines(tail.Bytes(), 20))
	}
	if err := os.Rename(partial, target); err != nil {
		return fmt.Errorf("put %s into the cache: %w", spec.Name, err)
	}
	b.Log("built %s in %s: %s", spec.Name, time.Since(began).Round(time.Second), target)
	return nil
}

func (b Builder) reportProgress(name string, began time.Time, steps *atomic.Int64, done <-chan struct{}) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			b.Log("building %s: %s, %d packages fetched or compiled", name, time.Since(began).Round(time.Second), steps.Load())
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// SourceDirectory is where this package's own source lies, which is where the
// servers' modules are. A binary built with -trimpath does not know; the folder
// is then looked for from the working directory upwards.
func SourceDirectory() (string, error) {
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		return filepath.Dir(file), nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if servers := filepath.Join(folder, "tests", "lab", "servers"); isFile(filepath.Join(servers, "prometheus", "go.mod")) {
			return servers, nil
		}
	}
	return "", errors.New("the source of the lab's servers is not above the working directory: name it with -source tests/lab/servers")
}

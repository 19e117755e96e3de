// Package harness starts the real things for tests, benchmarks and the demo:
// the plugin process, spoken to over Grafana's plugin protocol, and the lab.
package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const module = "module github.com/foresight-observability/foresight\n"

// Root is the repository's root folder: the nearest folder above the working
// directory whose go.mod is the plugin's. Source positions in the binary would
// not do, since builds with -trimpath have none.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		if text, err := os.ReadFile(filepath.Join(folder, "go.mod")); err == nil && strings.HasPrefix(string(text), module) {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("%s is not inside the repository: run the command from a folder of it", start)
		}
	}
}

// build compiles a package of a module below the root into the user's cache
// and returns the binary's path. Go's own build cache makes a repeat cheap.
func build(ctx context.Context, folder, pkg, name string, progress io.Writer) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for the built binaries: %w", err)
	}
	// One folder per checkout, so that two checkouts never share a binary.
	binary := filepath.Join(cache, "foresight", "bin", fmt.Sprintf("%s-%x", name, checksum(root)))
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", binary, pkg)
	command.Dir = filepath.Join(root, folder)
	command.Stdout, command.Stderr = progress, progress
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("building %s in %s: %w", pkg, command.Dir, err)
	}
	return binary, nil
}

func checksum(text string) uint32 {
	hash := uint32(2166136261)
	for _, character := range []byte(text) {
		hash = (hash ^ uint32(character)) * 16777619
	}
	return hash
}

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
)

// Root is the repository's root folder.
func Root() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", fmt.Errorf("cannot find the repository: the harness was built without source positions")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file))), nil
}

// build compiles a package of a module below the root into the user's cache
// and returns the binary's path. Go's own build cache makes a repeat cheap.
func build(ctx context.Context, module, pkg, name string, progress io.Writer) (string, error) {
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
	command.Dir = filepath.Join(root, module)
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

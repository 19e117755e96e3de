package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// installed finds a server that need not be built: the file that NAME_BIN names
// (PROMETHEUS_BIN, TEMPO_BIN), or the command on the PATH where its version
// fits. It returns "" where there is none.
func (b Builder) installed(ctx context.Context, spec Spec) (string, error) {
	variable := strings.ToUpper(spec.Name) + "_BIN"
	if path := os.Getenv(variable); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("%s=%s is not a file: correct it, or unset it to build %s", variable, path, spec.Name)
		}
		b.Log("using %s from %s: %s", spec.Name, variable, path)
		return path, nil
	}
	if spec.Oldest == "" {
		return "", nil
	}
	path, err := exec.LookPath(spec.Name)
	if err != nil {
		return "", nil
	}
	version := versionOf(ctx, path)
	if !fits(version, spec.Oldest) {
		b.Log("passing over %s on the PATH: version %q does not fit, %s or a later one of the same major version is needed", path, version, spec.Oldest)
		return "", nil
	}
	b.Log("using %s %s from the PATH: %s", spec.Name, version, path)
	return path, nil
}

var versionNumber = regexp.MustCompile(`version v?(\d+\.\d+(?:\.\d+)?)`)

// versionOf is what the command prints for --version; "" where it prints none.
func versionOf(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	printed, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if match := versionNumber.FindSubmatch(printed); err == nil && match != nil {
		return string(match[1])
	}
	return ""
}

// fits says whether a version has the major version of the oldest one that
// will do, and at least its minor version.
func fits(version, oldest string) bool {
	major, minor := majorMinor(version)
	wantedMajor, wantedMinor := majorMinor(oldest)
	return major == wantedMajor && minor >= wantedMinor
}

func majorMinor(version string) (major, minor int) {
	parts := append(strings.Split(version, "."), "", "")
	major, err := strconv.Atoi(parts[0])
	if err != nil {
		return -1, -1
	}
	minor, err = strconv.Atoi(parts[1])
	if err != nil {
		return -1, -1
	}
	return major, minor
}

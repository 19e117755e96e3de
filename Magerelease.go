//go:build mage

package main

import (
	"archive/zip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"
)

const (
	pluginID       = "foresight-observability-datasource"
	pluginBinaries = "gpx_foresight_"
)

// Release writes what Grafana's installer takes into release/: a zip for each
// platform (or those in PLATFORMS, as in "linux_amd64,darwin_arm64"), the command
// foresight-gate beside it, checksums and bills of materials. It signs where GRAFANA_ACCESS_POLICY_TOKEN is set.
func Release() error {
	mg.SerialDeps(Build.Release, Sbom)
	return step("writing release/", func() error {
		version, err := releaseVersion()
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll("release"), os.MkdirAll("release", 0o755)); err != nil {
			return err
		}
		binaries, err := filepath.Glob("dist/" + pluginBinaries + "*")
		if err != nil || len(binaries) == 0 {
			return fmt.Errorf("no binaries in dist/: %w", err)
		}
		platforms := splitList(os.Getenv("PLATFORMS"))
		for _, binary := range binaries {
			platform := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(binary), pluginBinaries), ".exe")
			if len(platforms) > 0 && !slices.Contains(platforms, platform) {
				continue
			}
			if err := errors.Join(releaseZip(version, platform, filepath.Base(binary)), releaseGate(platform)); err != nil {
				return err
			}
		}
		for _, bill := range []string{"sbom-backend.cdx.json", "sbom-frontend.cdx.json"} {
			if err := sh.Copy(filepath.Join("release", bill), filepath.Join("dist", bill)); err != nil {
				return err
			}
		}
		return checksums("release")
	})
}

// releaseGate builds foresight-gate for a platform, linked statically, so that
// one file is all that a pipeline needs.
func releaseGate(platform string) error {
	system, architecture, _ := strings.Cut(platform, "_")
	target := filepath.Join("release", "foresight-gate_"+platform)
	if system == "windows" {
		target += ".exe"
	}
	environment := map[string]string{"CGO_ENABLED": "0", "GOOS": system, "GOARCH": architecture}
	if err := sh.RunWithV(environment, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", target, "./pkg/cmd/foresight-gate"); err != nil {
		return fmt.Errorf("building %s: %w", target, err)
	}
	return nil
}

// releaseVersion is the version that the built manifest states.
func releaseVersion() (string, error) {
	text, err := os.ReadFile("dist/plugin.json")
	if err != nil {
		return "", err
	}
	var manifest struct {
		Info struct{ Version string }
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", fmt.Errorf("dist/plugin.json: %w", err)
	}
	return manifest.Info.Version, nil
}

// releaseZip packs one platform: a single folder named after the plugin's id.
func releaseZip(version, platform, binary string) error {
	stage, err := os.MkdirTemp("", "foresight-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	folder := filepath.Join(stage, pluginID)
	if err := copyPlugin(folder, binary); err != nil {
		return err
	}
	if os.Getenv("GRAFANA_ACCESS_POLICY_TOKEN") != "" {
		if err := sh.RunV("npx", "--yes", "@grafana/sign-plugin@latest", "--distDir", folder); err != nil {
			return fmt.Errorf("signing %s: %w", platform, err)
		}
	}
	target := filepath.Join("release", fmt.Sprintf("%s-%s.%s.zip", pluginID, version, platform))
	file, err := os.Create(target)
	if err != nil {
		return err
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	if err := addFolder(archive, stage, folder); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	return errors.Join(archive.Close(), file.Close())
}

// copyPlugin copies dist/ without other platforms' binaries and without the
// bills of materials, which stand beside the archives.
func copyPlugin(folder, binary string) error {
	return filepath.WalkDir("dist", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		other := strings.HasPrefix(name, pluginBinaries) && name != binary
		if entry.IsDir() || other || name == ".gitkeep" || strings.HasPrefix(name, "sbom-") {
			return nil
		}
		relative, err := filepath.Rel("dist", path)
		if err != nil {
			return err
		}
		target := filepath.Join(folder, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if name == binary {
			mode = 0o755
		}
		return errors.Join(sh.Copy(target, path), os.Chmod(target, mode))
	})
}

func addFolder(archive *zip.Writer, root, folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		header, err := zip.FileInfoHeader(info)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		header.Name, header.Method = filepath.ToSlash(relative), zip.Deflate
		writer, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		source, err := os.Open(path)
		if err != nil {
			return err
		}
		defer source.Close()
		_, err = io.Copy(writer, source)
		return err
	})
}

// checksums writes SHA256SUMS over the folder, and the .sha1 files that
// Grafana's catalogue asks for.
func checksums(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), entry.Name())
		if strings.HasSuffix(path, ".zip") {
			if err := os.WriteFile(path+".sha1", fmt.Appendf(nil, "%x", sha1.Sum(content)), 0o644); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

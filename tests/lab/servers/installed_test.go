package servers

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstalled(t *testing.T) {
	folder := t.TempDir()
	command := func(name, version string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755))
		return path
	}
	fitting := command("prometheus", "prometheus, version 3.7.1 (branch: HEAD)")
	command("tempo", "tempo, version 2.6.0 (branch: HEAD)")
	own := command("mine", "anything")
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	builder := Builder{Log: t.Logf}

	path, err := builder.installed(context.Background(), Prometheus)
	require.NoError(t, err)
	require.Equal(t, fitting, path)

	path, err = builder.installed(context.Background(), Tempo)
	require.NoError(t, err)
	require.Empty(t, path, "an old Tempo is passed over")

	t.Setenv("TEMPO_BIN", own)
	path, err = builder.installed(context.Background(), Tempo)
	require.NoError(t, err)
	require.Equal(t, own, path, "what the user names is used as it is")

	t.Setenv("TEMPO_BIN", filepath.Join(folder, "absent"))
	_, err = builder.installed(context.Background(), Tempo)
	require.ErrorContains(t, err, "TEMPO_BIN=")
}

func TestVersionFits(t *testing.T) {
	for version, want := range map[string]bool{"2.8.0": true, "2.10": true, "2.7.9": false, "3.0.0": false, "": false, "main": false} {
		require.Equal(t, want, fits(version, "2.8"), version)
	}
}

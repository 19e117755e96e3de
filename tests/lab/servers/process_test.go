package servers

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAServerThatDiesShowsItsLog(t *testing.T) {
	script := filepath.Join(t.TempDir(), "server.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho the disk is on fire >&2\nexit 3\n"), 0o755))
	_, err := start(context.Background(), "fake", t.TempDir(), script, "http://127.0.0.1:1", "/ready")
	require.ErrorContains(t, err, "fake ended before it was ready: exit status 3")
	require.ErrorContains(t, err, "the disk is on fire")
}

func TestAServerThatHangsIsKilled(t *testing.T) {
	script := filepath.Join(t.TempDir(), "server.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755))
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := start(ctx, "fake", t.TempDir(), script, "http://127.0.0.1:1", "/ready")
	require.ErrorContains(t, err, "fake is not ready")
}

func TestAMissingBinaryIsNamed(t *testing.T) {
	_, err := start(context.Background(), "fake", t.TempDir(), "/no/such/server", "http://127.0.0.1:1", "/ready")
	require.ErrorContains(t, err, "start fake")
	require.ErrorContains(t, err, "/no/such/server")
}

// No two calls give the same port, though nobody listens on it meanwhile.
func TestPortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 500 {
		ports, err := freePorts(3)
		require.NoError(t, err)
		for _, port := range ports {
			require.False(t, seen[port])
			seen[port] = true
		}
	}
}

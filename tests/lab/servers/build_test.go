package servers

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// tiny is a server that builds at once.
func tiny(t *testing.T, source string) (Builder, Spec, *[]string) {
	t.Helper()
	directory := t.TempDir()
	module := filepath.Join(directory, "tiny")
	require.NoError(t, os.MkdirAll(module, 0o755))
	for name, content := range map[string]string{
		"go.mod": "module example.test/tiny\n\ngo 1.26\n", "go.sum": "", "main.go": source,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(module, name), []byte(content), 0o644))
	}
	var mutex sync.Mutex
	var log []string
	builder := Builder{Source: directory, Cache: filepath.Join(t.TempDir(), "cache"), Log: func(format string, _ ...any) {
		mutex.Lock()
		defer mutex.Unlock()
		log = append(log, format)
	}}
	return builder, Spec{Name: "tiny", Module: "example.test/tiny", Command: "."}, &log
}

func TestAServerIsBuiltOnce(t *testing.T) {
	builder, spec, log := tiny(t, "package main\n\nfunc main() {}\n")
	require.False(t, builder.Cached(spec))
	var paths [2]string
	var group sync.WaitGroup
	for i := range paths {
		group.Go(func() {
			path, err := builder.Binary(context.Background(), spec)
			require.NoError(t, err)
			paths[i] = path
		})
	}
	group.Wait()
	require.Equal(t, paths[0], paths[1])
	require.True(t, builder.Cached(spec))
	built := 0
	for _, line := range *log {
		if strings.HasPrefix(line, "built") {
			built++
		}
	}
	require.Equal(t, 1, built, "of two runs at the same time one waits for the other")

	first := paths[0]
	require.NoError(t, os.WriteFile(filepath.Join(builder.Source, "tiny", "go.sum"), []byte("\n"), 0o644))
	require.False(t, builder.Cached(spec), "other dependencies make another binary")
	require.FileExists(t, first)
}

func TestAFailedBuildShowsTheCompilersMessage(t *testing.T) {
	builder, spec, _ := tiny(t, "package main\n\nfunc main() { nonsense() }\n")
	_, err := builder.Binary(context.Background(), spec)
	require.ErrorContains(t, err, "build tiny")
	require.ErrorContains(t, err, "undefined: nonsense")
	require.False(t, builder.Cached(spec))
	_, err = Builder{Source: "/nowhere"}.Binary(context.Background(), spec)
	require.ErrorContains(t, err, "-source")
}

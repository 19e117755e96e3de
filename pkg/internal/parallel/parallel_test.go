package parallel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPanicsAreErrors(t *testing.T) {
	group, ctx := WithContext(t.Context())
	group.Go(func() error {
		var none []int
		none[len(none)-1] = 1
		return nil
	})
	require.ErrorContains(t, group.Wait(), "index out of range")
	require.Error(t, ctx.Err(), "the others are stopped")

	var zero Group
	zero.SetLimit(1)
	var ran atomic.Int32
	for range 3 {
		zero.Go(func() error { ran.Add(1); return nil })
	}
	zero.Go(func() error { return errors.New("failed") })
	require.EqualError(t, zero.Wait(), "failed")
	require.EqualValues(t, 3, ran.Load())

	done := make(chan struct{})
	Go(func() { defer close(done); panic("bug") })
	<-done
}

// TestNoOtherGoroutines finds goroutines that a panic would end the process in.
func TestNoOtherGoroutines(t *testing.T) {
	unsafe := regexp.MustCompile(`\bgo func\(|\bgo [\w.]+\(|errgroup\.|sync\.WaitGroup|singleflight\.`)
	require.NoError(t, filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "internal/") {
			return err
		}
		source, err := os.ReadFile(path)
		for i, line := range strings.Split(string(source), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if unsafe.MatchString(code) {
				t.Errorf("%s:%d: use parallel or coalesce: %s", path, i+1, line)
			}
		}
		return err
	}))
}

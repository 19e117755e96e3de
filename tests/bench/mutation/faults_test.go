package mutation

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n\nfunc f(x int) int {\n\tx += 2\n\tif x < 3 {\n\t\tpanic(x)\n\t}\n\treturn x\n}\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a_test.go"), []byte("package a\n\nvar x = 1 + 1\n"), 0o600))
	faults, err := faultsIn(dir)
	require.NoError(t, err)
	var described []string
	for _, f := range faults {
		described = append(described, f.describe(dir))
	}
	require.Equal(t, []string{"a.go:4 x += 2 → ", "a.go:4 2 → (2 + 1)", "a.go:5 < → <=", "a.go:5 3 → (3 + 1)", "a.go:6 panic(x) → "}, described)
	require.Contains(t, string(faults[2].mutant()), "if x <= 3 {")
	require.Contains(t, string(faults[0].mutant()), "{\n\t\n\tif")
}

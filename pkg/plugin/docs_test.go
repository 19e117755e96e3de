package plugin

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSettingsDocumentation: docs/settings.md tells of every setting that is
// read.
func TestSettingsDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/settings.md")
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	read := regexp.MustCompile(`\.(?:text|texts|textMap|choice|boolean|number|share|duration|quantity|quantities|object|objects)\("(\w+)"|secrets\["(\w+)"\]`)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, match := range read.FindAllStringSubmatch(string(source), -1) {
			found++
			require.Contains(t, string(text), "`"+match[1]+match[2]+"`", "docs/settings.md")
		}
	}
	require.Greater(t, found, 30)
}

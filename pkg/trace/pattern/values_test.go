package pattern

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestValues checks the values of texts against an expression for them.
func TestValues(t *testing.T) {
	expression := regexp.MustCompile(`'(?:[^']|'')*'|[0-9A-Za-z_-]*\d[0-9A-Za-z_-]*`)
	require.Equal(t, []string{"'it''s 1'", "t2", "12"}, valuesOf("SELECT a FROM x WHERE b = 'it''s 1' AND t2.c = 12"))
	require.Empty(t, valuesOf("SELECT a FROM x"))
	require.Equal(t, []string{"'a'"}, valuesOf("'a''"), "cut off after two quotes in a row")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("a1_-' ./=\xffü"))).Draw(t, "text")
		require.Equal(t, expression.FindAllString(text, -1), valuesOf(text))
	})
}

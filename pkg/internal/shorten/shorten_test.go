package shorten_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

func TestBytes(t *testing.T) {
	require.Equal(t, "orders", shorten.Bytes("orders", 6))
	require.Equal(t, "or…", shorten.Bytes("orders", 5))
	require.Equal(t, "…", shorten.Bytes("日本", 5), "no half characters")
	rapid.Check(t, func(t *rapid.T) {
		whole, limit := rapid.String().Draw(t, "text"), rapid.IntRange(3, 40).Draw(t, "limit")
		short := shorten.Bytes(whole, limit)
		require.LessOrEqual(t, len(short), limit)
		require.True(t, utf8.ValidString(short))
	})
}

package upstream_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

func TestErrorIsDownstreamForTheSDK(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("anomaly: %w", &upstream.Error{Upstream: "Prometheus", Category: upstream.Rejected, Status: 400, Message: "parse error", Err: cause})
	require.True(t, backend.IsDownstreamError(err))
	require.False(t, backend.IsPluginError(err))
	require.ErrorIs(t, err, cause)
	response := backend.ErrorResponseWithErrorSource(err)
	require.Equal(t, backend.ErrorSourceDownstream, response.ErrorSource)

	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, 400, known.HTTPStatus())
}

func TestErrorReadsAsASentence(t *testing.T) {
	err := &upstream.Error{Upstream: "Tempo", Category: upstream.Auth, Status: 401, Message: "no org id.", Advice: "Check the tenant"}
	require.Equal(t, "Tempo denied access (HTTP 401): no org id. Check the tenant", err.Error())
	for _, category := range []upstream.Category{
		upstream.Auth, upstream.Network, upstream.TLS, upstream.Timeout, upstream.Config, upstream.NotFound, upstream.Rejected,
		upstream.Overload, upstream.Server, upstream.Malformed, upstream.TooLarge, upstream.Unavailable, upstream.Cancelled,
	} {
		err := &upstream.Error{Upstream: "Tempo", Category: category}
		require.Greater(t, len(err.Error()), len("Tempo "), category)
		require.GreaterOrEqual(t, err.HTTPStatus(), 400)
		require.NotEqual(t, 401, err.HTTPStatus())
	}
}

func TestCleanIsOneShortLineOfText(t *testing.T) {
	require.Equal(t, "a b c", upstream.Clean("a\x00\r\n b\u202e\tc\xff", 100))
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(8, 200).Draw(t, "limit")
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")) + rapid.String().Draw(t, "more")
		cleaned := upstream.Clean(text, limit)
		if len(cleaned) > limit || !utf8.ValidString(cleaned) || strings.ContainsAny(cleaned, "\n\r\x00\x1b") {
			t.Fatalf("%q", cleaned)
		}
	})
}

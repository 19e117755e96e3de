package plugin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// TestAHungGrafanaIsNotWaitedForAgainAndAgain: what annotations add to an answer
// is small, so that a Grafana that hangs is soon left alone.
func TestAHungGrafanaIsNotWaitedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hung.Close)
	settings, err := ParseSettings(instance(`{"grafana":{"url":"`+hung.URL+`"}}`, map[string]string{"grafanaToken": "glsa_test"}))
	require.NoError(t, err)
	connected, err := settings.connect(t.Context(), instance(`{}`, nil))
	require.NoError(t, err)
	t.Cleanup(connected.close)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // as questions wait for what only adds to them
	defer cancel()
	_, _, err = connected.feedback.Read(ctx, time.Unix(0, 0), time.Unix(3600, 0))
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, "no complete answer within 4s", known.Message, "it is Grafana's failure, and counts as one")
}

package tempo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// TestAttributesAreListed: those of one's own, of spans and resources, in TraceQL.
func TestAttributesAreListed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/api/v2/search/tags", r.URL.Path)
		_, _ = io.WriteString(w, `{"scopes": [
			{"name": "span", "tags": ["payment.provider", "http.route", "db.statement", "user.id", "strange name", "name", "kind", "status", "parentID", "x) || (", "app.plan"]},
			{"name": "resource", "tags": ["service.name", "deployment.environment", "k8s.node.name", "telemetry.sdk.name"]},
			{"name": "intrinsic", "tags": ["duration"]}]}`)
	}))
	defer server.Close()
	c, err := New(transport.Config{Mode: transport.Direct, URL: server.URL}, transport.Limits{}, time.Now)
	require.NoError(t, err)
	defer c.Close()
	names, err := c.Attributes(t.Context(), time.Unix(0, 0), time.Unix(100, 0))
	require.NoError(t, err)
	require.Equal(t, []string{"resource.deployment.environment", "span.app.plan", "span.payment.provider"}, names)
	require.Contains(t, wholeTraces(upstream.TraceFilter{Attributes: names}), ", span.app.plan, span.payment.provider) with (")
}

//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// hideNewest is a Tempo that hides its newest traces from searches and TraceQL
// metrics, as Tempo 3 does at query_end_cutoff, and not from fetches by id.
func hideNewest(t *testing.T, tempo string, cutoff time.Duration) *httptest.Server {
	t.Helper()
	target, err := url.Parse(tempo)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch query := r.URL.Query(); {
		case r.URL.Path == "/status/config":
			_, _ = fmt.Fprintf(w, "query_frontend:\n    query_end_cutoff: %s\n", cutoff)
			return
		case strings.HasPrefix(r.URL.Path, "/api/search"), strings.HasPrefix(r.URL.Path, "/api/metrics/"):
			last := time.Now().Add(-cutoff).Unix()
			start, err := strconv.ParseInt(query.Get("start"), 10, 64)
			if err != nil || start >= last {
				http.Error(w, "query window falls entirely within query_end_cutoff", http.StatusBadRequest)
				return
			}
			if end, err := strconv.ParseInt(query.Get("end"), 10, 64); err != nil || end > last {
				query.Set("end", strconv.FormatInt(last, 10))
				r.URL.RawQuery = query.Encode()
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestHiddenTraces deploys a slow statement behind a Tempo that does not show
// its newest traces: exemplars of span metrics lead to them.
func TestHiddenTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the lab's servers; run without -short")
	}
	l, err := harness.StartLab(t.Context(), os.Stderr, "-history", "0") // of its own: other tests leave versions behind
	require.NoError(t, err)
	defer l.Stop()
	time.Sleep(45 * time.Second) // traffic to compare with
	settings := l.Settings()
	hidden := hideNewest(t, l.Tempo, 3*time.Minute)
	settings["traces"] = map[string]any{"kind": "tempo", "mode": "direct", "url": hidden.URL}
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(settings, nil)}

	health, err := source.Plugin.Health(t.Context(), source.Context)
	require.NoError(t, err)
	require.Contains(t, string(health.JSONDetails), "Set query_frontend.query_end_cutoff to 5s")

	var verdict, version, reason string
	var notices []string
	ask := func(since time.Time) {
		frames, err := source.Ask(t.Context(), since.Add(-10*time.Minute), time.Now(), map[string]any{"queryType": "traceDiff", "service": "orders"})
		require.NoError(t, err)
		summary, err := harness.Frame(frames, "summary")
		require.NoError(t, err)
		verdict, version, reason = harness.Text(summary, "verdict", 0), harness.Text(summary, "candidate_version", 0), harness.Text(summary, "reason", 0)
		notices = nil
		for _, notice := range frames[0].Meta.Notices {
			notices = append(notices, notice.Text)
		}
	}
	const through = "traces behind exemplars of span metrics"

	harmless, looks := time.Now(), 0
	require.NoError(t, l.Deploy(t.Context(), "orders", "6.0.0", ""))
	for time.Since(harmless) < 50*time.Second || looks < 3 && time.Since(harmless) < 150*time.Second {
		if ask(harmless); version == "6.0.0" && strings.Contains(strings.Join(notices, " "), through) {
			looks++
			require.NotContains(t, []string{"regressed", "improved", "changed"}, verdict, reason)
		}
		time.Sleep(2 * time.Second)
	}
	require.Positive(t, looks, "exemplars were compared: %v", notices)

	deployed := time.Now()
	require.NoError(t, l.Deploy(t.Context(), "orders", "7.0.0", "slow-query"))
	eventually(t, 180*time.Second, "the hidden regression is found", func() error {
		ask(deployed)
		return unless(verdict == "regressed" && version == "7.0.0", "%s of version %q: %s; %s", verdict, version, reason, strings.Join(notices, " | "))
	})
	t.Logf("after %d looks at a harmless version, found %s after the deploy: %s", looks, time.Since(deployed).Round(time.Second), reason)
	require.Contains(t, strings.Join(notices, " "), through)
	require.Contains(t, strings.ToUpper(reason), "SELECT")
}

package tempo

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

func TestServicesAndOperations(t *testing.T) {
	f := &fake{intercept: func(w http.ResponseWriter, r *http.Request) bool {
		require.Equal(t, "1795172400", r.URL.Query().Get("start"))
		require.Equal(t, "1795176000", r.URL.Query().Get("end"))
		switch r.URL.Path {
		case "/api/v2/search/tag/resource.service.name/values":
			require.Empty(t, r.URL.Query().Get("q"))
			_, _ = w.Write([]byte(`{"tagValues":[{"type":"string","value":"web"},{"type":"string","value":"cart"},{"type":"string","value":""},{"type":"string","value":"cart"}]}`))
		case "/api/v2/search/tag/name/values":
			require.Equal(t, `{ resource.service.name = "web" }`, r.URL.Query().Get("q"))
			_, _ = w.Write([]byte(`{"tagValues":[{"type":"string","value":"GET /"}],"later":1}`))
		}
		return true
	}}
	client := f.client(t, transport.Limits{})
	services, err := client.Services(context.Background(), noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"cart", "web"}, services)
	operations, err := client.Operations(context.Background(), "web", noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"GET /"}, operations)

	f.intercept = func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte(`[]`)); return true }
	_, err = client.Services(context.Background(), noon, noon)
	require.Equal(t, upstream.Malformed, category(t, err))
}

var excluded = regexp.MustCompile(`!= "([^"]*)"`)

// versions is a Tempo whose filtered list leaves out a version, and whose
// searches find one version at a time.
func versions(listed string, stored ...string) *fake {
	f := &fake{}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/values") {
			_, _ = w.Write([]byte(listed))
			return true
		}
		known := map[string]bool{}
		for _, match := range excluded.FindAllStringSubmatch(r.URL.Query().Get("q"), -1) {
			known[match[1]] = true
		}
		for _, version := range stored {
			if !known[version] {
				_, _ = fmt.Fprintf(w, `{"traces":[{"traceID":"1","spanSets":[{"spans":[{"spanID":"1","name":%[1]q,"attributes":[{"key":"service.version","value":{"stringValue":%[1]q}}]}]}]}]}`, version)
				return true
			}
		}
		_, _ = w.Write([]byte(`{"traces":[]}`))
		return true
	}
	return f
}

func TestVersionsThatOtherServicesHaveToo(t *testing.T) {
	f := versions(`{"tagValues":[{"value":"v2"}]}`, "v1", "v2", "v3")
	found, err := f.client(t, transport.Limits{}).Versions(context.Background(), "orders", noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"v1", "v2", "v3"}, found)
	require.Len(t, f.searches, 3)
}

func TestNamesThatListsCannotFilterBy(t *testing.T) {
	f := versions(`{"tagValues":[{"value":"of another service"}]}`, "a", "b")
	client := f.client(t, transport.Limits{})
	for _, list := range []func(context.Context, string, time.Time, time.Time) ([]string, error){client.Versions, client.Operations} {
		found, err := list(context.Background(), `my "service" } || {`, noon.Add(-time.Hour), noon)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, found)
	}
	require.Empty(t, f.fetches)
}

// TestFetch checks that traces come by their ids, without those that are not
// there.
func TestFetch(t *testing.T) {
	f := &fake{traces: []trace.Trace{request(1, noon.Add(-time.Second), 3), request(2, noon, 1)}}
	client := f.client(t, transport.Limits{})
	set, err := client.Fetch(context.Background(), []trace.TraceID{f.traces[0].ID, {9}, f.traces[1].ID}, noon)
	require.NoError(t, err)
	require.Len(t, set.Traces, 2)
	require.Len(t, set.Traces[0].Spans, 6)
	require.Equal(t, []string{"1 of 3 traces are not found by their ids (yet)"}, set.Warnings)
	none, err := client.Fetch(context.Background(), nil, noon)
	require.NoError(t, err)
	require.Empty(t, none.Traces)
	f.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "no", http.StatusBadGateway)
		return true
	}
	_, err = client.Fetch(context.Background(), []trace.TraceID{{9}}, noon)
	require.Equal(t, upstream.Server, category(t, err))
}

func TestProbe(t *testing.T) {
	metrics := http.StatusOK
	f := &fake{}
	f.traces = append(f.traces, request(1, noon.Add(-90*time.Second), 1))
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/api/status/buildinfo":
			_, _ = w.Write([]byte(`{"version":"2.8.0","revision":"x"}`))
		case "/api/metrics/query_range":
			w.WriteHeader(metrics)
			_, _ = w.Write([]byte(`{}`))
		default:
			return false
		}
		return true
	}
	client := f.client(t, transport.Limits{})
	found, err := client.Probe(context.Background())
	require.NoError(t, err)
	require.Equal(t, upstream.TraceCapabilities{Product: "Tempo", Version: "2.8.0", TraceQLMetrics: true, Freshness: 90 * time.Second}, found)

	for name, c := range map[string]struct {
		config, search string
		want           time.Duration
	}{
		"Tempo 3 as it comes":                    {config: "query_frontend:\n    search: {}\n    query_end_cutoff: 30s\n", want: 30 * time.Second},
		"tuned":                                  {config: "    query_end_cutoff: \"5s\"\n", want: 5 * time.Second},
		"Tempo 2":                                {config: "query_frontend:\n    query_backend_after: 15m0s\n"},
		"a gateway that hides both":              {},
		"a gateway that hides the configuration": {search: "query window falls entirely within query_end_cutoff", want: 30 * time.Second},
	} {
		hiding := &fake{traces: f.traces}
		hiding.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			switch {
			case r.URL.Path == "/status/config" && c.config != "":
				_, _ = w.Write([]byte(c.config))
			case r.URL.Path == "/api/search" && c.search != "" && r.URL.Query().Get("q") == "{ }":
				http.Error(w, c.search, http.StatusBadRequest)
			default:
				return f.intercept(w, r)
			}
			return true
		}
		found, err := hiding.client(t, transport.Limits{}).Probe(context.Background())
		require.NoError(t, err)
		require.Equal(t, c.want, found.Hidden, name)
	}

	metrics, f.traces = http.StatusInternalServerError, nil
	found, err = client.Probe(context.Background())
	require.NoError(t, err)
	require.False(t, found.TraceQLMetrics)
	require.Contains(t, found.MetricsMessage, "needs local-blocks")
	require.Negative(t, found.Freshness)

	f.intercept = func(w http.ResponseWriter, r *http.Request) bool { http.NotFound(w, r); return true }
	_, err = client.Probe(context.Background())
	require.Equal(t, upstream.NotFound, category(t, err))
	require.ErrorContains(t, err, "does not look like Tempo")

	f.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "no org id", http.StatusUnauthorized)
		return true
	}
	_, err = client.Probe(context.Background())
	require.Equal(t, upstream.Auth, category(t, err))
}

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

// TestEveryRouteHasTheCallersLimit asks every route more often than one caller
// may, as the same user.
func TestEveryRouteHasTheCallersLimit(t *testing.T) {
	for _, r := range routes {
		made, err := New(t.Context(), instance(`{"limits": {"callerRate": 1}}`, nil))
		require.NoError(t, err)
		source := made.(*DataSource)
		ask := func(login string) (limited bool) {
			var said strings.Builder
			call := &backend.CallResourceRequest{Method: r.method, Path: strings.Split(r.path, "?")[0], URL: r.path, Body: []byte("{}")}
			call.PluginContext.User = &backend.User{Login: login, Role: "Editor"}
			require.NoError(t, source.CallResource(context.Background(), call, backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error {
				said.Write(r.Body)
				return nil
			})))
			return strings.Contains(said.String(), "limits.callerRate") // as each engine reads it
		}
		refused := 0
		for range 5 {
			if ask("greedy") {
				refused++
			}
		}
		require.GreaterOrEqual(t, refused, 2, "%s %s", r.method, r.path)
		require.False(t, ask("other"), "%s %s", r.method, r.path)
		source.Dispose()
	}
}

func TestQueriesOfOneRequestAreBounded(t *testing.T) {
	made, err := New(t.Context(), instance(`{}`, nil))
	require.NoError(t, err)
	source := made.(*DataSource)
	t.Cleanup(source.Dispose)
	request := &backend.QueryDataRequest{}
	for i := range maxQueries + 1 {
		request.Queries = append(request.Queries, backend.DataQuery{RefID: strconv.Itoa(i), QueryType: "services", JSON: json.RawMessage(`{}`)})
	}
	response, err := source.QueryData(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, response.Responses, maxQueries+1)
	for _, one := range response.Responses {
		require.ErrorContains(t, one.Error, "at most 500")
		require.Equal(t, backend.ErrorSourceDownstream, one.ErrorSource)
	}
}

// TestLongLabelsOfUpstreams has a server with the longest labels that fit into
// an answer: panels get short ones.
func TestLongLabelsOfUpstreams(t *testing.T) {
	long := strings.Repeat("x", 60<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		var series []string
		for i := range 100 {
			series = append(series, fmt.Sprintf(`{"metric":{"a":"%s%d"},"values":[[%s,"1"]]}`, long, i, r.Form.Get("start")))
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`))
	}))
	t.Cleanup(server.Close)
	made, err := New(t.Context(), instance(`{"prometheus": {"url": "`+server.URL+`"}}`, nil))
	require.NoError(t, err)
	source := made.(*DataSource)
	t.Cleanup(source.Dispose)
	query, err := json.Marshal(map[string]any{"expr": "up", "legend": strings.Repeat("{{a}}", 204)})
	require.NoError(t, err)
	response, err := source.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{RefID: "A", QueryType: "forecast", JSON: query, TimeRange: backend.TimeRange{From: time.Now().Add(-time.Hour), To: time.Now()}}}})
	require.NoError(t, err)
	require.NoError(t, response.Responses["A"].Error)
	require.Len(t, response.Responses["A"].Frames, 100)
	raw, err := response.Responses["A"].MarshalJSON()
	require.NoError(t, err)
	require.Less(t, len(raw), 4<<20)
	require.Contains(t, string(raw), "were cut")
}

func TestUncleanPaths(t *testing.T) {
	made, err := New(t.Context(), instance(`{}`, nil))
	require.NoError(t, err)
	source := made.(*DataSource)
	t.Cleanup(source.Dispose)
	for _, path := range []string{"services/../labels", "prom//api/v1/query", "./services", "keda/.."} {
		var status int
		require.NoError(t, source.CallResource(t.Context(), &backend.CallResourceRequest{Method: "GET", Path: path, URL: path}, backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error {
			if r.Status != 0 {
				status = r.Status
			}
			return nil
		})))
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

// TestSecretsInTheSecureSettings has headers and addresses of webhooks in either
// place: in jsonData with a warning, in secureJsonData without one.
func TestSecretsInTheSecureSettings(t *testing.T) {
	old, err := ParseSettings(instance(`{"prometheus": {"url": "http://p", "headers": {"X-Key": "a"}}, "webhooks": [{"name": "w", "url": "https://w.example/s"}]}`, nil))
	require.NoError(t, err)
	require.Equal(t, "a", old.Metrics.Headers.Get("X-Key"))
	require.Equal(t, "https://w.example/s", old.Webhooks[0].URL)
	require.Len(t, old.VisibleSecrets, 2)
	require.Contains(t, old.VisibleSecrets[0], "prometheusHeaderValue1")
	require.Contains(t, old.VisibleSecrets[1], "webhookUrl1")

	secure, err := ParseSettings(instance(`{"prometheus": {"url": "http://p", "headerNames": ["X-Key", "X-Other"]}, "webhooks": [{"name": "w"}]}`,
		map[string]string{"prometheusHeaderValue1": "a", "prometheusHeaderValue2": "b", "webhookUrl1": "https://w.example/s"}))
	require.NoError(t, err)
	require.Equal(t, "a", secure.Metrics.Headers.Get("X-Key"))
	require.Equal(t, "b", secure.Metrics.Headers.Get("X-Other"))
	require.Equal(t, "https://w.example/s", secure.Webhooks[0].URL)
	require.Empty(t, secure.VisibleSecrets)
}

package jaeger_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// zipkinTrace is what Jaeger gives of spans that Zipkin's libraries sent it:
// one id for both ends of a call, and their tags.
const zipkinTrace = `{"data": [{"traceID": "1b", "spans": [
	{"traceID": "1b", "spanID": "a", "operationName": "get /front", "startTime": 1772452700000000, "duration": 100000, "processID": "p1",
		"tags": [{"key": "span.kind", "value": "server"}, {"key": "http.method", "value": "GET"}, {"key": "http.path", "value": "/front"}]},
	{"traceID": "1b", "spanID": "b", "operationName": "get", "startTime": 1772452700002000, "duration": 80000, "processID": "p1",
		"references": [{"refType": "CHILD_OF", "traceID": "1b", "spanID": "a"}],
		"tags": [{"key": "span.kind", "value": "client"}, {"key": "http.method", "value": "GET"}, {"key": "http.path", "value": "/items/17"}]},
	{"traceID": "1b", "spanID": "b", "operationName": "get", "startTime": 1772452700003000, "duration": 78000, "processID": "p2",
		"references": [{"refType": "CHILD_OF", "traceID": "1b", "spanID": "a"}],
		"tags": [{"key": "span.kind", "value": "server"}, {"key": "http.method", "value": "GET"}, {"key": "http.path", "value": "/items/17"}]},
	{"traceID": "1b", "spanID": "c", "operationName": "query", "startTime": 1772452700010000, "duration": 5000, "processID": "p2",
		"references": [{"refType": "CHILD_OF", "traceID": "1b", "spanID": "b"}],
		"tags": [{"key": "span.kind", "value": "client"}, {"key": "sql.query", "value": "select * from items where id = 17"}, {"key": "peer.service", "value": "itemdb"},
			{"key": "error", "value": "timeout"}]}
], "processes": {"p1": {"serviceName": "front", "tags": []}, "p2": {"serviceName": "catalog", "tags": []}}}]}`

// TestZipkinInJaeger checks that both ends of a call are distinguished, and that
// Zipkin's tags mean what OpenTelemetry's attributes do.
func TestZipkinInJaeger(t *testing.T) {
	client := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.True(t, strings.HasPrefix(r.URL.Path, "/api/traces"))
		_, _ = w.Write([]byte(zipkinTrace))
	}))
	at := time.UnixMicro(1772452700000000)
	set, err := client.Search(context.Background(), upstream.TraceFilter{Service: "front", Start: at.Add(-time.Minute), End: at.Add(time.Minute), Limit: 10})
	require.NoError(t, err)
	byID, err := client.Fetch(context.Background(), []trace.TraceID{{15: 0x1b}}, at)
	require.NoError(t, err)
	require.Equal(t, set.Traces, byID.Traces)

	drawn := topology.Draw(set.Traces, nil, topology.Options{})
	edges := map[string]topology.Edge{}
	for _, edge := range drawn.Edges {
		edges[edge.ID] = edge
	}
	require.Len(t, edges, 2)
	call := edges["front → catalog"]
	require.Equal(t, 1, call.Now.Calls)
	require.Equal(t, 80e6, call.Now.Client.P50)
	require.Equal(t, 78e6, call.Now.Server.P50)
	require.Equal(t, 2e6, call.Now.Gap.P50)
	require.Equal(t, 1.0, edges["catalog → database::itemdb"].Now.Errors.Estimate)
	statement := &set.Traces[0].Spans[3]
	require.Equal(t, "select * from items where id = 17", statement.Attribute("db.statement"))
	require.True(t, statement.Failed)
}

package jaeger_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
)

// fieldTrace reads a minimal trace of a form that real systems write, through
// the client: Jaeger's JSON, or Zipkin's as Jaeger takes it.
func fieldTrace(t *testing.T, name string) trace.Trace {
	t.Helper()
	body, err := os.ReadFile("testdata/field/" + name + ".json")
	require.NoError(t, err)
	if strings.HasPrefix(strings.TrimSpace(string(body)), "[") {
		body = fromZipkin(t, body)
	}
	client := open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	set, err := client.Fetch(context.Background(), []trace.TraceID{{15: 0xbc, 14: 0x0a}}, time.Now())
	require.NoError(t, err)
	require.Len(t, set.Traces, 1)
	return set.Traces[0]
}

// fromZipkin is what Jaeger's collector makes of Zipkin's spans: kinds and
// errors become tags, ids stay shared.
func fromZipkin(t *testing.T, body []byte) []byte {
	var spans []struct {
		TraceID, ID, ParentID, Kind, Name string
		Timestamp, Duration               int64
		LocalEndpoint                     struct{ ServiceName string }
		Tags                              map[string]string
	}
	require.NoError(t, json.Unmarshal(body, &spans))
	var converted []map[string]any
	for _, s := range spans {
		tags := []map[string]any{{"key": "span.kind", "value": strings.ToLower(s.Kind)}}
		for key, value := range s.Tags {
			tags = append(tags, map[string]any{"key": key, "value": value})
		}
		one := map[string]any{"traceID": s.TraceID, "spanID": s.ID, "operationName": s.Name, "startTime": s.Timestamp, "duration": s.Duration,
			"tags": tags, "process": map[string]any{"serviceName": s.LocalEndpoint.ServiceName}}
		if s.ParentID != "" {
			one["references"] = []map[string]any{{"refType": "CHILD_OF", "traceID": s.TraceID, "spanID": s.ParentID}}
		}
		converted = append(converted, one)
	}
	answer, err := json.Marshal(map[string]any{"data": []any{map[string]any{"traceID": spans[0].TraceID, "spans": converted}}})
	require.NoError(t, err)
	return answer
}

// TestFieldTraces checks what is made of traces as real systems write them.
func TestFieldTraces(t *testing.T) {
	for _, c := range []struct {
		name  string
		edges map[string]int // calls
		nodes []string       // all of them, sorted
	}{
		{"01-relay-same-method-no-kinds", map[string]int{"nginx → text-service": 1, "text-service → compose-review-service": 1},
			[]string{"compose-review-service", "nginx", "text-service"}},
		{"03-unknown-peers", map[string]int{"orders → external:(unknown peer of orders)": 1, "users → external:(unknown peer of users)": 1, "orders → users": 1},
			[]string{"external:(unknown peer of orders)", "external:(unknown peer of users)", "orders", "users"}},
		{"05-self-call", map[string]int{"loki → loki": 1}, []string{"loki"}},
		{"11-error-tag", map[string]int{"front → external:y": 2, "front → external:z": 1}, []string{"external:y", "external:z", "front"}},
		{"13-zipkin-one-send-five-receives", map[string]int{"bouncer → pusher": 5}, []string{"bouncer", "pusher"}},
		{"15-follows-from", map[string]int{}, []string{"web"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := topology.Draw([]trace.Trace{fieldTrace(t, c.name)}, nil, topology.Options{})
			edges, nodes := map[string]int{}, []string{}
			for _, e := range m.Edges {
				edges[e.ID] = e.Now.Calls
			}
			for _, n := range m.Nodes {
				nodes = append(nodes, n.ID)
			}
			slices.Sort(nodes)
			require.Equal(t, c.edges, edges)
			require.Equal(t, c.nodes, nodes)
		})
	}
}

// TestStoresAreToldApartByHost: databases of one name on several hosts are as
// many nodes, and a number is no name.
func TestStoresAreToldApartByHost(t *testing.T) {
	m := topology.Draw([]trace.Trace{fieldTrace(t, "06-databases-by-name")}, nil, topology.Options{})
	stores := 0
	for _, n := range m.Nodes {
		if n.Type == topology.Database || n.Type == topology.Cache {
			stores++
			require.NotContains(t, []string{"0", "postgres"}, n.Name)
		}
	}
	require.Equal(t, 4, stores, "%+v", m.Nodes)
}

// selfTimes are the own times of a trace's spans by name, in milliseconds.
func selfTimes(read trace.Trace) map[string]float64 {
	var builder trace.Builder
	tree := builder.Build(&read)
	own := map[string]float64{}
	for i := range tree.Nodes {
		span := &read.Spans[tree.Nodes[i].Span]
		own[span.Service+" "+span.Name] = float64(tree.Nodes[i].Self) / 1e6
	}
	return own
}

func TestFieldSelfTimes(t *testing.T) {
	require.InDelta(t, 1.1, selfTimes(fieldTrace(t, "01-relay-same-method-no-kinds"))["text-service UploadText"], 1e-9)
	require.InDelta(t, 100, selfTimes(fieldTrace(t, "15-follows-from"))["web POST /order"], 1e-9)
	require.InDelta(t, 5, selfTimes(fieldTrace(t, "05-self-call"))["loki /logproto.Querier/Query"], 1e-9)
}

func TestFieldErrors(t *testing.T) {
	failed := map[string]bool{}
	for _, span := range fieldTrace(t, "11-error-tag").Spans {
		failed[span.ID.String()[15:]] = span.Failed
	}
	require.Equal(t, map[string]bool{"a": true, "b": false, "c": true, "d": true}, failed,
		"an empty error tag is a failure, Python's False is none; status codes of the server's tell without a tag")
}

// TestPathsAreNoValues: calls of which only the path is known are unknown to
// ask the same.
func TestPathsAreNoValues(t *testing.T) {
	one := fieldTrace(t, "09-http-path-without-query")
	var traces []trace.Trace
	for i := range 40 {
		copied := one
		copied.ID = trace.TraceID{15: byte(i + 1)}
		traces = append(traces, copied)
	}
	for _, f := range pattern.Detect(traces, nil, pattern.Options{}).Findings {
		require.NotEqual(t, pattern.Duplicate, f.Kind, f.Evidence)
	}
}

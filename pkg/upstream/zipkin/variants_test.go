package zipkin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology/topologytest"
)

// span is one in Zipkin's v2 JSON.
type span map[string]any

const began = 1772452700000000

// spanOf is a span; from and took are milliseconds. What follows are keys and
// values: of the span where the key is one of its fields, else tags.
func spanOf(id, parent, kind, service, name string, from, took float64, further ...any) span {
	s, tags := span{"traceId": "1b", "id": id, "name": name, "timestamp": began + int64(from*1000), "duration": int64(took * 1000),
		"localEndpoint": map[string]any{"serviceName": service}}, map[string]any{}
	if kind != "" {
		s["kind"] = kind
	}
	if parent != "" {
		s["parentId"] = parent
	}
	for i := 0; i+1 < len(further); i += 2 {
		switch key := further[i].(string); key {
		case "remoteEndpoint", "annotations", "shared", "timestamp", "duration":
			s[key] = further[i+1]
		default:
			tags[key] = further[i+1]
		}
	}
	s["tags"] = tags
	return s
}

func remote(service, address string) map[string]any {
	return map[string]any{"serviceName": service, "ipv4": address, "port": 6379}
}

func readVariant(t *testing.T, spans ...span) trace.Trace {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(spans) }))
	t.Cleanup(server.Close)
	set, err := open(t, server.URL).Fetch(t.Context(), []trace.TraceID{{15: 0x1b}}, time.UnixMicro(began))
	require.NoError(t, err)
	require.Len(t, set.Traces, 1)
	return set.Traces[0]
}

// TestVariants are the kinds of traces that real systems write.
func TestVariants(t *testing.T) {
	root := func() span { return spanOf("a", "", "SERVER", "web", "get /", 0, 100) }
	for name, c := range map[string]struct {
		spans      []span
		edges, own []string
	}{
		"both ends under one id": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 50), spanOf("b", "a", "SERVER", "cart", "get /cart", 12, 40, "shared", true)},
			[]string{"web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 40", "web 50"}},
		"both ends under two ids": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 50), spanOf("c", "b", "SERVER", "cart", "get /cart", 12, 40)},
			[]string{"web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 40", "web 50"}},
		"work below a shared id is the server's": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 50), spanOf("b", "a", "SERVER", "cart", "get /cart", 12, 40, "shared", true),
			spanOf("c", "b", "CLIENT", "cart", "query", 20, 10, "sql.query", "select 1", "remoteEndpoint", remote("cartdb", "10.0.0.3"))},
			[]string{"cart → database::cartdb: 1 calls, client 10, server 0, 0 failed", "web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 30", "web 50"}},
		"one send and three receives under its id": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "push", 10, 5), spanOf("b", "a", "SERVER", "pusher", "push", 12, 3, "shared", true),
			spanOf("b", "a", "SERVER", "pusher", "push", 13, 3, "shared", true), spanOf("b", "a", "SERVER", "other", "push", 20, 3, "shared", true)},
			[]string{"web → other: 1 calls, client 5, server 3, 0 failed", "web → pusher: 2 calls, client 5, server 3, 0 failed"}, []string{"other 3", "pusher 6", "web 95"}},
		"peers without a name are each caller's own": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 20), spanOf("c", "a", "", "jobs", "run", 40, 50), spanOf("d", "c", "CLIENT", "jobs", "get", 50, 10)},
			[]string{"jobs → external:(unknown peer of jobs): 1 calls, client 10, server 0, 0 failed", "web → external:(unknown peer of web): 1 calls, client 20, server 0, 0 failed",
				"web → jobs: 1 calls, client 0, server 50, 0 failed"}, []string{"jobs 40", "web 30"}},
		"peers by URL": {[]span{root(), spanOf("b", "a", "CLIENT", "web", "get", 10, 20, "http.url", "https://pay.example/charge/1")},
			[]string{"web → external:pay.example: 1 calls, client 20, server 0, 0 failed"}, []string{"web 80"}},
		"stores of one name at two addresses": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 5, "db.system", "redis", "remoteEndpoint", remote("redis", "10.0.0.1")),
			spanOf("c", "a", "CLIENT", "web", "get", 20, 5, "db.system", "redis", "remoteEndpoint", remote("redis", "10.0.0.2"))},
			[]string{"web → cache:redis:10.0.0.1/redis: 1 calls, client 5, server 0, 0 failed", "web → cache:redis:10.0.0.2/redis: 1 calls, client 5, server 0, 0 failed"}, []string{"web 90"}},
		"failures, be the tag's text empty": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 5, "error", "", "peer.service", "x"), spanOf("c", "a", "CLIENT", "web", "get", 20, 5, "error", "False", "peer.service", "x"),
			spanOf("d", "a", "CLIENT", "web", "get", 30, 5, "error", "timed out", "peer.service", "x"), spanOf("e", "a", "CLIENT", "web", "get", 40, 5, "http.status_code", "502", "peer.service", "x"),
			spanOf("f", "a", "CLIENT", "web", "get", 50, 5, "http.status_code", "404", "peer.service", "x")},
			[]string{"web → external:x: 5 calls, client 5, server 0, 3 failed"}, []string{"web 75"}},
		"poll and on-message": {[]span{root(),
			spanOf("b", "a", "PRODUCER", "web", "send", 10, 1, "kafka.topic", "mails", "remoteEndpoint", map[string]any{"serviceName": "kafka"}),
			spanOf("c", "b", "CONSUMER", "mailer", "poll", 200, 0, "kafka.topic", "mails", "remoteEndpoint", map[string]any{"serviceName": "kafka"}),
			spanOf("d", "c", "", "mailer", "on-message", 201, 40)},
			[]string{"queue::mails → mailer: 1 calls, client 189, server 40, 0 failed", "web → queue::mails: 1 calls, client 1, server 0, 0 failed"}, []string{"mailer 40", "web 99"}},
		"a call to itself": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 50), spanOf("b", "a", "SERVER", "web", "get /self", 12, 40, "shared", true)},
			[]string{"web → web: 1 calls, client 50, server 40, 0 failed"}, []string{"web 90"}},
		"a clock that is behind": {[]span{root(),
			spanOf("b", "a", "CLIENT", "web", "get", 10, 50), spanOf("b", "a", "SERVER", "cart", "get /cart", -4000, 40, "shared", true),
			spanOf("c", "b", "", "cart", "work", -3990, 10)},
			[]string{"web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 40", "web 50"}},
		"a start that only an annotation tells": {[]span{root(),
			spanOf("b", "a", "SERVER", "cart", "get /cart", 0, 40, "timestamp", 0, "annotations", []map[string]any{{"timestamp": began + 20_000, "value": "sr"}, {"timestamp": began + 60_000, "value": "ss"}})},
			[]string{"web → cart: 1 calls, client 0, server 40, 0 failed"}, []string{"cart 40", "web 60"}},
	} {
		t.Run(name, func(t *testing.T) {
			read := readVariant(t, c.spans...)
			require.Equal(t, c.edges, topologytest.Edges(read))
			require.Equal(t, c.own, topologytest.Own(read))
		})
	}
}

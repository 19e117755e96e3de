package jaeger_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology/topologytest"
)

// tags are a span's tags.
type tags map[string]any

// spanOf is a span in Jaeger's JSON; from and took are milliseconds.
func spanOf(id, parent, service, name string, from, took float64, own tags) map[string]any {
	list := []map[string]any{}
	for key, value := range own {
		list = append(list, map[string]any{"key": key, "value": value})
	}
	s := map[string]any{"traceID": "1b", "spanID": id, "operationName": name, "startTime": 1772452700000000 + int64(from*1000),
		"duration": int64(took * 1000), "tags": list, "process": map[string]any{"serviceName": service}}
	if parent != "" {
		refer(s, "CHILD_OF", "1b", parent)
	}
	return s
}

func refer(s map[string]any, kind, traceID, spanID string) map[string]any {
	held, _ := s["references"].([]map[string]any)
	s["references"] = append(held, map[string]any{"refType": kind, "traceID": traceID, "spanID": spanID})
	return s
}

func readVariant(t *testing.T, spans ...map[string]any) trace.Trace {
	t.Helper()
	body, err := json.Marshal(map[string]any{"data": []any{map[string]any{"traceID": "1b", "spans": spans}}})
	require.NoError(t, err)
	client := open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	set, err := client.Fetch(context.Background(), []trace.TraceID{{15: 0x1b}}, time.Now())
	require.NoError(t, err)
	require.Len(t, set.Traces, 1)
	return set.Traces[0]
}

// TestVariants are the kinds of traces that real systems write, in other forms than
// the files of testdata/field.
func TestVariants(t *testing.T) {
	server, client, producer, consumer := tags{"span.kind": "server"}, tags{"span.kind": "client"}, tags{"span.kind": "producer"}, tags{"span.kind": "consumer"}
	with := func(base tags, key string, value any, more ...any) tags {
		all := tags{key: value}
		for i := 0; i+1 < len(more); i += 2 {
			all[more[i].(string)] = more[i+1]
		}
		for k, v := range base {
			all[k] = v
		}
		return all
	}
	root := func() map[string]any { return spanOf("a", "", "web", "GET /", 0, 100, server) }
	for name, c := range map[string]struct {
		spans      []map[string]any
		edges, own []string
	}{
		"pairs without kinds, named client and server": {[]map[string]any{
			spanOf("a", "", "nginx", "/compose", 0, 20, nil), spanOf("b", "a", "compose", "compose_post_server", 1, 18, nil),
			spanOf("c", "b", "compose", "upload_text_client", 2, 10, nil), spanOf("d", "c", "text", "upload_text_server", 4, 6, nil)},
			[]string{"compose → text: 1 calls, client 10, server 6, 0 failed", "nginx → compose: 1 calls, client 0, server 18, 0 failed"},
			[]string{"compose 8", "nginx 2", "text 6"}},
		"pairs without kinds, one method through a relay": {[]map[string]any{
			spanOf("a", "", "gateway", "Get", 0, 20, nil), spanOf("b", "a", "middle", "Get", 1, 18, nil), spanOf("c", "b", "back", "Get", 3, 10, nil)},
			[]string{"gateway → middle: 1 calls, client 0, server 18, 0 failed", "middle → back: 1 calls, client 0, server 10, 0 failed"},
			[]string{"back 10", "gateway 2", "middle 8"}},
		"peers by host header and URL": {[]map[string]any{root(),
			spanOf("b", "a", "web", "GET", 1, 10, with(client, "http.host", "geo.example:8443")),
			spanOf("c", "a", "web", "GET", 20, 10, with(client, "http.url", "http://user:word@pay.example:80/x?a=1"))},
			[]string{"web → external:geo.example: 1 calls, client 10, server 0, 0 failed", "web → external:pay.example: 1 calls, client 10, server 0, 0 failed"},
			[]string{"web 80"}},
		"a call to itself beside a store": {[]map[string]any{root(),
			spanOf("b", "a", "web", "/q.Q/Query", 1, 10, client), spanOf("c", "b", "web", "/q.Q/Query", 2, 7, server),
			spanOf("d", "a", "web", "get", 20, 10, with(client, "db.system", "memcached", "net.peer.name", "m1"))},
			[]string{"web → cache:memcached:m1: 1 calls, client 10, server 0, 0 failed", "web → web: 1 calls, client 10, server 7, 0 failed"},
			[]string{"web 87"}},
		"stores that addresses tell apart": {[]map[string]any{root(),
			spanOf("b", "a", "web", "GET", 1, 2, with(client, "db.type", "redis", "db.instance", "0", "peer.ipv4", 167772161)),
			spanOf("c", "a", "web", "GET", 5, 2, with(client, "db.type", "redis", "db.instance", "0", "peer.ipv4", "10.0.0.2")),
			spanOf("d", "a", "web", "q", 10, 2, with(client, "db.system", "postgresql", "db.name", "x", "net.peer.ip", "10.0.1.1")),
			spanOf("e", "a", "web", "q", 15, 2, with(client, "db.system", "postgresql", "db.name", "x", "net.sock.peer.addr", "10.0.1.2"))},
			[]string{"web → cache:redis:10.0.0.1: 1 calls, client 2, server 0, 0 failed", "web → cache:redis:10.0.0.2: 1 calls, client 2, server 0, 0 failed",
				"web → database:postgresql:10.0.1.1/x: 1 calls, client 2, server 0, 0 failed", "web → database:postgresql:10.0.1.2/x: 1 calls, client 2, server 0, 0 failed"},
			[]string{"web 92"}},
		"a proxy on one's own host is no peer": {[]map[string]any{root(),
			spanOf("b", "a", "web", "GET", 1, 10, with(client, "net.peer.ip", "127.0.0.1"))},
			[]string{"web → external:(unknown peer of web): 1 calls, client 10, server 0, 0 failed"}, []string{"web 90"}},
		"failures by tags and status": {[]map[string]any{root(),
			spanOf("b", "a", "web", "GET", 1, 2, with(client, "peer.service", "x", "error", true)),
			spanOf("c", "a", "web", "GET", 5, 2, with(client, "peer.service", "x", "error", "0")),
			spanOf("d", "a", "web", "GET", 10, 2, with(client, "peer.service", "x", "http.status_code", "503")),
			spanOf("e", "a", "web", "GET", 15, 2, with(client, "peer.service", "x", "http.status_code", 500, "otel.status_code", "OK")),
			spanOf("f", "a", "web", "GET", 20, 2, with(client, "peer.service", "x", "grpc.status_code", 14))},
			[]string{"web → external:x: 5 calls, client 2, server 0, 3 failed"}, []string{"web 90"}},
		"one message, received by two services, one of them twice": {[]map[string]any{root(),
			spanOf("b", "a", "web", "send", 2, 3, with(producer, "messaging.system", "kafka", "messaging.destination", "orders")),
			spanOf("c", "b", "mail", "receive", 50, 5, with(consumer, "messaging.system", "kafka", "messaging.destination", "orders")),
			spanOf("d", "b", "bills", "process", 60, 15, with(consumer, "messaging.system", "kafka", "messaging.destination", "orders")),
			spanOf("e", "b", "bills", "process", 90, 25, with(consumer, "messaging.system", "kafka", "messaging.destination", "orders"))},
			[]string{"queue:kafka:orders → bills: 2 calls, client 70, server 20, 0 failed", "queue:kafka:orders → mail: 1 calls, client 45, server 5, 0 failed",
				"web → queue:kafka:orders: 1 calls, client 3, server 0, 0 failed"}, []string{"bills 40", "mail 5", "web 97"}},
		"receive and process of one message": {[]map[string]any{root(),
			spanOf("b", "a", "web", "send", 2, 3, with(producer, "messaging.system", "servicebus", "messaging.destination.name", "q")),
			spanOf("c", "b", "mail", "receive", 50, 5, with(client, "messaging.system", "servicebus", "messaging.destination.name", "q", "messaging.operation", "receive")),
			spanOf("d", "c", "mail", "process", 56, 9, with(consumer, "messaging.system", "servicebus", "messaging.operation", "process"))},
			[]string{"queue:servicebus:q → mail: 1 calls, client 51, server 9, 0 failed", "web → queue:servicebus:q: 1 calls, client 3, server 0, 0 failed"},
			[]string{"mail 14", "web 97"}},
		"a call whose parent stands with leading zeros": {[]map[string]any{root(),
			refer(spanOf("b", "", "cart", "GET /cart", 10, 50, server), "CHILD_OF", "000000000000001b", "000000000000000a")},
			[]string{"web → cart: 1 calls, client 0, server 50, 0 failed"}, []string{"cart 50", "web 50"}},
		"work that only follows": {[]map[string]any{root(),
			refer(spanOf("b", "", "jobs", "index", 10, 50, nil), "FOLLOWS_FROM", "1b", "a")},
			[]string{"web → jobs: 1 calls, client 0, server 50, 0 failed"}, []string{"jobs 50", "web 100"}},
		"local work that goes on": {[]map[string]any{root(), spanOf("b", "a", "web", "async", 10, 200, nil)}, nil, []string{"web 300"}},
		"a clock that is five seconds ahead, without kinds": {[]map[string]any{
			spanOf("a", "", "web", "page", 0, 100, nil), spanOf("b", "a", "web", "HTTP GET", 10, 50, nil),
			spanOf("c", "b", "pay", "GET /x", 5000, 40, nil), spanOf("d", "c", "pay", "work", 5010, 20, nil)},
			[]string{"web → pay: 1 calls, client 50, server 40, 0 failed"}, []string{"pay 40", "web 50"}},
		"a server that goes on after its caller left is no skew": {[]map[string]any{root(),
			spanOf("b", "a", "pay", "POST /x", 80, 60, server)},
			[]string{"web → pay: 1 calls, client 0, server 60, 0 failed"}, []string{"pay 60", "web 100"}},
		"a vendor's client over HTTP": {[]map[string]any{root(),
			spanOf("b", "a", "web", "S3.PutObject", 10, 50, with(client, "rpc.system", "aws-api", "rpc.method", "PutObject")),
			spanOf("c", "b", "web", "PUT", 12, 45, with(client, "http.url", "https://bucket.s3.amazonaws.com/k"))},
			[]string{"web → external:bucket.s3.amazonaws.com: 1 calls, client 50, server 0, 0 failed"}, []string{"web 50"}},
		"results of two messages put together": {[]map[string]any{root(),
			spanOf("b", "a", "web", "send", 1, 10, with(producer, "messaging.system", "kafka", "messaging.destination", "t")),
			spanOf("c", "a", "web", "send", 20, 10, with(producer, "messaging.system", "kafka", "messaging.destination", "t")),
			refer(refer(spanOf("d", "", "sum", "process", 50, 50, with(consumer, "messaging.system", "kafka", "messaging.destination", "t")), "FOLLOWS_FROM", "1b", "b"), "FOLLOWS_FROM", "1b", "c")},
			[]string{"queue:kafka:t → sum: 1 calls, client 39, server 50, 0 failed", "web → queue:kafka:t: 2 calls, client 10, server 0, 0 failed"},
			[]string{"sum 50", "web 80"}},
	} {
		t.Run(name, func(t *testing.T) {
			read := readVariant(t, c.spans...)
			require.Equal(t, c.edges, topologytest.Edges(read))
			require.Equal(t, c.own, topologytest.Own(read))
		})
	}
}

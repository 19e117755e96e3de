package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// TestDescribe checks that older conventions are read as the present ones.
func TestDescribe(t *testing.T) {
	for name, c := range map[string]struct {
		pairs     []string
		want      []trace.Attribute
		failed    bool
		operation string
	}{
		"Zipkin's HTTP":                  {[]string{"http.method", "GET", "http.path", "/users/17"}, []trace.Attribute{{Key: "http.method", Value: "GET"}, {Key: "url.path", Value: "/users/17"}}, false, "GET /users/{id}"},
		"a URL":                          {[]string{"http.method", "GET", "http.url", "https://u:p@host:8443/a/17?x=1"}, []trace.Attribute{{Key: "http.method", Value: "GET"}, {Key: "url.host", Value: "host"}, {Key: "http.target", Value: "/a/17?x=1"}}, false, "GET /a/{id}?x"},
		"a URL without a path":           {[]string{"http.request.method", "GET", "url.full", "https://host"}, []trace.Attribute{{Key: "http.request.method", Value: "GET"}, {Key: "url.host", Value: "host"}, {Key: "http.target", Value: "/"}}, false, "GET /"},
		"the present name goes first":    {[]string{"http.target", "/a", "http.url", "https://host/b"}, []trace.Attribute{{Key: "http.target", Value: "/a"}, {Key: "url.host", Value: "host"}}, false, "get"},
		"Zipkin's SQL":                   {[]string{"sql.query", "select * from t where id = 7"}, []trace.Attribute{{Key: "db.statement", Value: "select * from t where id = 7"}}, false, "SELECT * FROM t WHERE id = ?"},
		"OpenTracing's database":         {[]string{"db.type", "sql", "db.instance", "shop", "db.statement", "select 1"}, []trace.Attribute{{Key: "db.system", Value: "other_sql"}, {Key: "db.name", Value: "shop"}, {Key: "db.statement", Value: "select 1"}}, false, "SELECT ?"},
		"OpenTracing's peer":             {[]string{"peer.hostname", "db-1"}, []trace.Attribute{{Key: "server.address", Value: "db-1"}}, false, "get"},
		"an error in words":              {[]string{"error", "timed out"}, nil, true, "get"},
		"no error":                       {[]string{"error", "false"}, nil, false, "get"},
		"Zipkin's empty error":           {[]string{"error", ""}, nil, true, "get"},
		"Python's False":                 {[]string{"error", "False"}, nil, false, "get"},
		"the server failed":              {[]string{"http.status_code", "503"}, []trace.Attribute{{Key: "http.status_code", Value: "503"}}, true, "get"},
		"the client erred":               {[]string{"http.status_code", "404"}, []trace.Attribute{{Key: "http.status_code", Value: "404"}}, false, "get"},
		"an old gRPC code":               {[]string{"grpc.status_code", "14"}, []trace.Attribute{{Key: "rpc.grpc.status_code", Value: "14"}}, true, "get"},
		"Brave's topic":                  {[]string{"kafka.topic", "orders"}, []trace.Attribute{{Key: "messaging.destination", Value: "orders"}}, false, "get"},
		"what says nothing of operation": {[]string{"thread.name", "main", "http.route", ""}, nil, false, "get"},
	} {
		t.Run(name, func(t *testing.T) {
			span := trace.Span{Name: "get", Kind: trace.Client}
			for i := 0; i < len(c.pairs); i += 2 {
				span.Describe(c.pairs[i], c.pairs[i+1])
			}
			require.Equal(t, c.want, span.Attributes)
			require.Equal(t, c.failed, span.Failed)
			operation, _ := operationOf(&span)
			require.Equal(t, c.operation, operation)
		})
	}
}

// TestStatusOK checks that a status of ok overrides status codes, in whatever
// order they come.
func TestStatusOK(t *testing.T) {
	var before, after trace.Span
	before.SetStatus(false, true)
	before.Describe("http.status_code", "503")
	after.Describe("http.status_code", "503")
	after.SetStatus(false, true)
	require.False(t, before.Failed)
	require.False(t, after.Failed)
	after.SetStatus(true, false)
	require.True(t, after.Failed)
}

// TestIsConsumer checks that who takes messages is told by the operation too.
func TestIsConsumer(t *testing.T) {
	span := func(kind trace.Kind, pairs ...string) *trace.Span {
		s := &trace.Span{Kind: kind}
		for i := 0; i < len(pairs); i += 2 {
			s.Describe(pairs[i], pairs[i+1])
		}
		return s
	}
	require.True(t, span(trace.Consumer).IsConsumer())
	require.True(t, span(trace.Client, "messaging.system", "kafka", "messaging.operation.type", "receive", "messaging.operation.name", "poll").IsConsumer())
	require.True(t, span(trace.Internal, "messaging.destination.name", "orders", "messaging.operation", "process").IsConsumer())
	require.False(t, span(trace.Client, "messaging.system", "kafka", "messaging.operation", "publish").IsConsumer())
	require.False(t, span(trace.Client, "rpc.method", "receive").IsConsumer())
}

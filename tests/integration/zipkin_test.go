//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// zipkinSpan is a span as Zipkin's libraries send it (API version 2).
type zipkinSpan struct {
	TraceID        string            `json:"traceId"`
	ID             string            `json:"id"`
	ParentID       string            `json:"parentId,omitempty"`
	Kind           string            `json:"kind,omitempty"`
	Name           string            `json:"name"`
	Timestamp      int64             `json:"timestamp"` // microseconds
	Duration       int64             `json:"duration"`
	Shared         bool              `json:"shared,omitempty"`
	LocalEndpoint  map[string]string `json:"localEndpoint"`
	RemoteEndpoint map[string]string `json:"remoteEndpoint,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
}

// zipkinRequest is a request of Brave's making: the shop front asks the
// catalog, with one id for both ends of the call, and the catalog asks its
// database for every item by itself. Every fourth call of the bank fails.
func zipkinRequest(n int, at time.Time) (spans []zipkinSpan) {
	id := func(i int) string { return fmt.Sprintf("%08x%08x", n+1, i+1) }
	add := func(span zipkinSpan, from, took time.Duration) {
		span.TraceID, span.Timestamp, span.Duration = fmt.Sprintf("%016x%016x", 0x2198, n+1), at.Add(from).UnixMicro(), took.Microseconds()
		spans = append(spans, span)
	}
	service := func(name string) map[string]string { return map[string]string{"serviceName": name} }
	add(zipkinSpan{ID: id(0), Kind: "SERVER", Name: "get /front", LocalEndpoint: service("zfront"), Tags: map[string]string{"http.method": "GET", "http.path": "/front"}}, 0, 100*time.Millisecond)
	for i, span := range []zipkinSpan{
		{Kind: "CLIENT", LocalEndpoint: service("zfront"), RemoteEndpoint: service("zcatalog")},
		{Kind: "SERVER", LocalEndpoint: service("zcatalog"), Shared: true},
	} {
		span.ID, span.ParentID, span.Name = id(1), id(0), "get"
		span.Tags = map[string]string{"http.method": "GET", "http.path": fmt.Sprintf("/items/%d", 1000+n)}
		add(span, time.Duration(2+i)*time.Millisecond, time.Duration(80-2*i)*time.Millisecond)
	}
	sql := func(i int, statement string) zipkinSpan {
		return zipkinSpan{ID: id(i), ParentID: id(1), Kind: "CLIENT", Name: "query", LocalEndpoint: service("zcatalog"),
			RemoteEndpoint: service("zdb"), Tags: map[string]string{"sql.query": statement}}
	}
	add(sql(2, "select id from items where page = 1"), 4*time.Millisecond, 3*time.Millisecond)
	for i := range 8 {
		add(sql(3+i, fmt.Sprintf("select * from item_prices where item = %d", 100*n+i)), time.Duration(8+9*i)*time.Millisecond, 8*time.Millisecond)
	}
	bank := zipkinSpan{ID: id(20), ParentID: id(0), Kind: "CLIENT", Name: "post", LocalEndpoint: service("zfront"),
		RemoteEndpoint: service("zbank"), Tags: map[string]string{"http.method": "POST", "http.url": "https://bank.example/charges"}}
	if n%4 == 0 {
		bank.Tags["error"] = "503"
	}
	add(bank, 85*time.Millisecond, 10*time.Millisecond)
	return spans
}

// TestZipkin sends spans of Zipkin's making to the real Tempo and asks for the
// map and the patterns.
func TestZipkin(t *testing.T) {
	source, l := shop(t)
	from := time.Now()
	var spans []zipkinSpan
	for n := range 40 {
		spans = append(spans, zipkinRequest(n, from.Add(time.Duration(n)*50*time.Millisecond-3*time.Second))...)
	}
	body, err := json.Marshal(spans)
	require.NoError(t, err)
	response, err := http.Post(l.Zipkin+"/api/v2/spans", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 2, response.StatusCode/100, response.Status)

	ask := func(model map[string]any) map[string][]string {
		found := map[string][]string{}
		frames, err := source.Ask(t.Context(), from.Add(-time.Minute), time.Now(), model)
		if err != nil { // not stored yet
			return found
		}
		for _, frame := range frames {
			for _, field := range frame.Fields {
				for row := range frame.Rows() {
					key := frame.Name + "." + field.Name
					found[key] = append(found[key], harness.Text(frame, field.Name, row))
				}
			}
		}
		return found
	}
	eventually(t, 60*time.Second, "the map shows Zipkin's services", func() error {
		found := ask(map[string]any{"queryType": "serviceMap", "service": "zfront", "compare": "none"})
		edges := found["edges.id"]
		for _, want := range []string{"zfront → zcatalog", "zcatalog → database::zdb", "zfront → external:zbank"} {
			if !slices.Contains(edges, want) {
				return fmt.Errorf("no edge %s among %v", want, edges)
			}
		}
		way := found["edges.detail__gap"][slices.Index(edges, "zfront → zcatalog")]
		if !strings.HasPrefix(way, "2 ms") {
			return fmt.Errorf("%q on the way", way)
		}
		if failed := found["edges.detail__errors"][slices.Index(edges, "zfront → external:zbank")]; !strings.HasPrefix(failed, "25 %") {
			return fmt.Errorf("%q of the bank's calls failed", failed)
		}
		return nil
	})
	eventually(t, 30*time.Second, "the loop of statements is found", func() error {
		found := ask(map[string]any{"queryType": "patterns", "service": "zcatalog", "compare": "none"})
		at := slices.Index(found["patterns.pattern"], "n_plus_one")
		if at < 0 {
			return fmt.Errorf("patterns %v", found["patterns.pattern"])
		}
		call, operation := found["patterns.call"][at], found["patterns.operation"][at]
		return unless(strings.EqualFold(call, "SELECT * FROM item_prices WHERE item = ?") && operation == "GET /items/{id}", "%s of %s", call, operation)
	})
}

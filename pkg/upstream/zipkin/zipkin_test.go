package zipkin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/byservice"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
	"github.com/foresight-observability/foresight/pkg/upstream/zipkin"
)

func open(t *testing.T, address string) *byservice.Client {
	t.Helper()
	client, err := zipkin.New(transport.Config{Mode: transport.Direct, URL: address}, transport.Limits{Concurrency: 4, Timeout: 10 * time.Second}, time.Now)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// shop are traces of web and cart, whose version changes in the middle: both ends
// of the call share an id, as Brave has it, and every fourth fails.
func shop(end time.Time, count int) (spans []map[string]any) {
	for i := range count {
		id, version := fmt.Sprintf("%016x", 0x1000+i), "1"
		if i >= count/2 {
			version = "2"
		}
		at := end.Add(-time.Duration(count-i) * time.Second).UnixMicro()
		span := func(spanID, parent, kind, service, name string, after, lasts int64, tags map[string]string) map[string]any {
			s := map[string]any{"traceId": id, "id": spanID, "kind": kind, "name": name, "timestamp": at + after, "duration": lasts,
				"localEndpoint": map[string]any{"serviceName": service}, "tags": tags}
			if parent != "" {
				s["parentId"] = parent
			}
			return s
		}
		calls := span("000000000000000b", "000000000000000a", "CLIENT", "web", "get", 1000, 50_000, map[string]string{"http.method": "GET", "http.path": "/cart"})
		serves := span("000000000000000b", "000000000000000a", "SERVER", "cart", "get /cart", 2000, 40_000, map[string]string{"service.version": version})
		serves["shared"] = true
		queries := span("000000000000000c", "000000000000000b", "CLIENT", "cart", "select", 5000, 20_000, map[string]string{"sql.query": "select 1"})
		queries["remoteEndpoint"] = map[string]any{"serviceName": "cartdb"}
		queries["annotations"] = []map[string]any{{"timestamp": at + 6000, "value": "cache.miss"}}
		if i%4 == 0 {
			queries["tags"].(map[string]string)["error"] = "timeout"
		}
		spans = append(spans, span("000000000000000a", "", "SERVER", "web", "get /", 0, 60_000, map[string]string{}), calls, serves, queries)
	}
	return spans
}

// check asks a server that holds 40 traces of the shop.
func check(t *testing.T, client *byservice.Client, end time.Time) {
	t.Helper()
	ctx, start := t.Context(), end.Add(-time.Minute)
	services, err := client.Services(ctx, start, end)
	require.NoError(t, err)
	require.Subset(t, services, []string{"cart", "web"})
	operations, err := client.Operations(ctx, "cart", start, end)
	require.NoError(t, err)
	require.Equal(t, []string{"get /cart", "select"}, operations)
	versions, err := client.Versions(ctx, "cart", start, end)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, versions)

	all, err := client.Search(ctx, upstream.TraceFilter{Service: "cart", Start: start, End: end, Limit: 100})
	require.NoError(t, err)
	require.Len(t, all.Traces, 40)
	require.False(t, all.Truncated)
	newer, err := client.Search(ctx, upstream.TraceFilter{Service: "cart", Version: "2", Start: start, End: end, Limit: 100})
	require.NoError(t, err)
	require.Len(t, newer.Traces, 20)
	few, err := client.Search(ctx, upstream.TraceFilter{Service: "cart", Operation: "select", Start: start, End: end, Limit: 10})
	require.NoError(t, err)
	require.Len(t, few.Traces, 10)
	require.True(t, few.Truncated)
	_, err = client.Search(ctx, upstream.TraceFilter{Service: "cart", TraceQL: "{}", Start: start, End: end, Limit: 10})
	require.ErrorContains(t, err, "TraceQL")

	oldest := all.Traces[len(all.Traces)-1]
	require.Len(t, oldest.Spans, 4, "both ends of a call")
	kinds := map[trace.Kind]int{}
	for _, span := range oldest.Spans {
		kinds[span.Kind]++
		if span.Name == "select" {
			require.True(t, span.Failed)
			require.Equal(t, "cartdb", span.Attribute("peer.service"))
			require.Equal(t, "true", span.Explaining(trace.EventPrefix+"cache.miss"))
			require.EqualValues(t, 20_000_000, span.Duration)
		}
	}
	require.Equal(t, map[trace.Kind]int{trace.Server: 2, trace.Client: 2}, kinds)

	byID, err := client.Fetch(ctx, []trace.TraceID{oldest.ID, {9}}, end)
	require.NoError(t, err)
	require.Len(t, byID.Traces, 1)
	require.NotEmpty(t, byID.Warnings)

	grid := upstream.Range{Start: start, End: end.Add(time.Second), Step: time.Second}
	counts, err := client.SpanCounts(ctx, "cart", grid)
	require.NoError(t, err)
	total := map[string]float64{}
	for _, one := range counts.Series {
		for _, value := range one.Values {
			total[one.Labels["service_version"]] += value
		}
	}
	require.Equal(t, map[string]float64{"": 40, "1": 20, "2": 20}, total)
	found, err := client.Probe(ctx)
	require.NoError(t, err)
	require.Equal(t, "Zipkin", found.Product)
	require.GreaterOrEqual(t, found.Freshness, time.Duration(0))
}

// TestAgainstTheDocumentedAPI is a server that answers as the v2 API is specified.
func TestAgainstTheDocumentedAPI(t *testing.T) {
	end := time.Now().Truncate(time.Millisecond)
	byTrace := map[string][]map[string]any{}
	var order []string
	for _, span := range shop(end, 40) {
		id := span["traceId"].(string)
		if byTrace[id] == nil {
			order = append(order, id)
		}
		byTrace[id] = append(byTrace[id], span)
	}
	write := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v2/services", func(w http.ResponseWriter, _ *http.Request) { write(w, []string{"web", "cart"}) })
	mux.HandleFunc("/api/v2/spans", func(w http.ResponseWriter, _ *http.Request) { write(w, []string{"select", "get /cart"}) })
	mux.HandleFunc("/api/v2/trace/{id}", func(w http.ResponseWriter, r *http.Request) {
		for id, spans := range byTrace {
			if len(r.PathValue("id")) >= len(id) && r.PathValue("id")[len(r.PathValue("id"))-len(id):] == id {
				write(w, spans)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("/api/v2/traces", func(w http.ResponseWriter, r *http.Request) {
		queried := r.URL.Query()
		var limit int
		var endTs, lookback int64
		_, _ = fmt.Sscan(queried.Get("limit"), &limit)
		_, _ = fmt.Sscan(queried.Get("endTs"), &endTs)
		_, _ = fmt.Sscan(queried.Get("lookback"), &lookback)
		found := [][]map[string]any{}
		for i := len(order) - 1; i >= 0 && len(found) < limit; i-- {
			spans := byTrace[order[i]]
			at := spans[0]["timestamp"].(int64) / 1000
			version := spans[2]["tags"].(map[string]string)["service.version"]
			if at > endTs || at < endTs-lookback || queried.Get("annotationQuery") != "" && queried.Get("annotationQuery") != "service.version="+version {
				continue
			}
			found = append(found, spans)
		}
		write(w, found)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	check(t, open(t, server.URL), end)
}

// TestAgainstAZipkinServer needs Java and the server's jar, as
// mvn dependency:copy -Dartifact=io.zipkin:zipkin-server:3.5.1:jar:exec gets it.
func TestAgainstAZipkinServer(t *testing.T) {
	jar := os.Getenv("ZIPKIN_JAR")
	java, err := exec.LookPath("java")
	if jar == "" || err != nil {
		t.Skip("set ZIPKIN_JAR to the jar of io.zipkin:zipkin-server (classifier exec), and install Java, to run this")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	server := exec.CommandContext(t.Context(), java, "-Xmx256m", "-jar", jar)
	server.Env = append(os.Environ(), fmt.Sprintf("QUERY_PORT=%d", port), "ZIPKIN_SERVER_ADDRESS=127.0.0.1", "STORAGE_TYPE=mem")
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	require.Eventually(t, func() bool {
		answer, err := http.Get(address + "/health")
		if err != nil {
			return false
		}
		defer func() { _ = answer.Body.Close() }()
		return answer.StatusCode == http.StatusOK
	}, 2*time.Minute, time.Second)
	end := time.Now().Truncate(time.Millisecond)
	body, err := json.Marshal(shop(end, 40))
	require.NoError(t, err)
	answer, err := http.Post(address+"/api/v2/spans", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	text, _ := io.ReadAll(answer.Body)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusAccepted, answer.StatusCode, string(text))
	time.Sleep(time.Second)
	check(t, open(t, address), end)
}

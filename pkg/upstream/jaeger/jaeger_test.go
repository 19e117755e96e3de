package jaeger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/byservice"
	"github.com/foresight-observability/foresight/pkg/upstream/jaeger"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// store is a Jaeger that holds a trace of one span for every instant.
type store struct {
	spans    []stored
	searches []string
	fail     int
}

type stored struct {
	service, version, operation string
	at                          time.Time
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.fail != 0 {
		w.WriteHeader(s.fail)
		fmt.Fprint(w, `{"data":null,"errors":[{"code":500,"msg":"the storage is gone"}]}`)
		return
	}
	var data any
	switch r.URL.Path {
	case "/api/services":
		data = s.names(func(one stored) string { return one.service })
	case "/api/services/web/operations":
		data = s.names(func(one stored) string { return one.operation })
	case "/api/traces":
		s.searches = append(s.searches, r.URL.RawQuery)
		data = s.search(r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data, "total": 0, "errors": nil})
}

func (s *store) names(of func(stored) string) (names []string) {
	for _, one := range s.spans {
		if name := of(one); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// search gives the newest traces of the range, as Jaeger's stores do.
func (s *store) search(r *http.Request) (found []map[string]any) {
	number := func(name string) int64 { n, _ := strconv.ParseInt(r.FormValue(name), 10, 64); return n }
	tags := map[string]string{}
	_ = json.Unmarshal([]byte(r.FormValue("tags")), &tags)
	for i := len(s.spans) - 1; i >= 0 && len(found) < int(number("limit")); i-- {
		one := s.spans[i]
		if at := one.at.UnixMicro(); at < number("start") || at > number("end") || one.service != r.FormValue("service") ||
			tags["service.version"] != "" && tags["service.version"] != one.version ||
			r.FormValue("operation") != "" && r.FormValue("operation") != one.operation {
			continue
		}
		found = append(found, map[string]any{
			"traceID": fmt.Sprintf("%x", i+1),
			"spans": []any{map[string]any{"traceID": fmt.Sprintf("%x", i+1), "spanID": "a1", "operationName": one.operation,
				"startTime": one.at.UnixMicro(), "duration": 1000, "processID": "p1"}},
			"processes": map[string]any{"p1": map[string]any{"serviceName": one.service,
				"tags": []any{map[string]any{"key": "service.version", "type": "string", "value": one.version}}}},
		})
	}
	return found
}

func open(t *testing.T, handler http.Handler) *byservice.Client {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := jaeger.New(transport.Config{Mode: transport.Direct, URL: server.URL}, transport.Limits{}, func() time.Time { return noon })
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// TestEventsDescribeSpans: OpenTelemetry's events are logs in Jaeger.
func TestEventsDescribeSpans(t *testing.T) {
	client := open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data":[{"traceID":"1","processes":{"p1":{"serviceName":"cart"}},"spans":[{"traceID":"1","spanID":"a1","operationName":"GET /","processID":"p1",
			"startTime":1795221673677904,"duration":1000,"logs":[
				{"fields":[{"key":"event","value":"feature_flag.evaluation"},{"key":"feature_flag.key","value":"new-cart"},{"key":"feature_flag.result.variant","value":"on"}]},
				{"fields":[{"key":"event","value":"exception"},{"key":"exception.type","value":"TimeoutError"},{"key":"exception.message","value":"no answer"}]}]}]}]}`))
	}))
	set, err := client.Search(context.Background(), upstream.TraceFilter{Service: "cart", Start: noon.Add(-time.Hour), End: noon, Limit: 10})
	require.NoError(t, err)
	span := set.Traces[0].Spans[0]
	for key, want := range map[string]string{
		"exception.type": "TimeoutError", "exception.message": "no answer", "feature_flag.key": "new-cart", "feature_flag.result.variant": "on",
	} {
		require.Equal(t, want, span.Attribute(key), key)
	}
}

// TestDecode reads what a real Jaeger 2 wrote of an OTLP trace, and what older
// clients and Zipkin's write.
func TestDecode(t *testing.T) {
	answer, err := os.ReadFile("testdata/traces.json")
	require.NoError(t, err)
	client := open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	set, err := client.Search(context.Background(), upstream.TraceFilter{Service: "web", Start: noon.Add(-time.Hour), End: noon, Limit: 10})
	require.NoError(t, err)
	require.Len(t, set.Traces, 1)
	root, query, follower := set.Traces[0].Spans[0], set.Traces[0].Spans[1], set.Traces[0].Spans[2]
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", set.Traces[0].ID.String())
	require.Equal(t, trace.Span{
		ID: trace.SpanID{7: 1}, Kind: trace.Server, Failed: true, Start: 1795221673677904000, Duration: 100_000_000,
		Service: "web", Version: "1.2", Name: "GET /", StatusMessage: "boom",
		Attributes: []trace.Attribute{{Key: "http.request.method", Value: "GET"}, {Key: "http.response.status_code", Value: "500"}, {Key: "exception.type", Value: "X"}},
	}, root)
	require.Equal(t, trace.SpanID{7: 1}, query.ParentID)
	require.Equal(t, trace.Client, query.Kind)
	require.False(t, query.Failed)
	require.Equal(t, "postgresql", query.Attribute("db.system"))
	require.Equal(t, trace.SpanID{7: 2}, follower.ParentID, "it follows; it is nobody's child")
	require.True(t, set.Traces[0].Partial, "a span without a readable id is missing")
	require.Equal(t, []string{"Jaeger: storage was slow"}, set.Warnings)
}

// TestSearch checks what is asked, and that a sample is not all from its end.
func TestSearch(t *testing.T) {
	s := &store{}
	for i := range 4000 {
		s.spans = append(s.spans, stored{"web", "1", "GET /", noon.Add(time.Duration(i-4000) * 100 * time.Millisecond)})
	}
	client := open(t, s)
	filter := upstream.TraceFilter{Service: "web", Version: "1", Operation: "GET /", Start: noon.Add(-400 * time.Second), End: noon, Limit: 400}
	set, err := client.Search(context.Background(), filter)
	require.NoError(t, err)
	require.Len(t, set.Traces, 400)
	require.True(t, set.Truncated)
	require.Len(t, s.searches, 8)
	require.Contains(t, s.searches[0], "tags=%7B%22service.version%22%3A%221%22%7D")
	require.Equal(t, "service=web operation=GET / tags=service.version=1", set.Filter)
	require.True(t, set.Traces[0].Start().After(set.Traces[399].Start()), "newest first")
	require.True(t, set.Traces[399].Start().Before(noon.Add(-300*time.Second)), "from all of the time")
	again, err := client.Search(context.Background(), filter)
	require.NoError(t, err)
	require.Equal(t, set, again)

	filter.Version = "2"
	none, err := client.Search(context.Background(), filter)
	require.NoError(t, err)
	require.Empty(t, none.Traces)
	require.False(t, none.Truncated)
}

// TestRefusals checks that what Jaeger cannot do is said, and failures too.
func TestRefusals(t *testing.T) {
	s := &store{}
	client := open(t, s)
	filter := upstream.TraceFilter{Service: "web", Start: noon.Add(-time.Hour), End: noon, Limit: 10}
	withTraceQL := filter
	withTraceQL.TraceQL = "{ status = error }"
	_, err := client.Search(context.Background(), withTraceQL)
	require.ErrorContains(t, err, "it knows no TraceQL")
	empty := filter
	empty.End = empty.Start
	_, err = client.Search(context.Background(), empty)
	require.ErrorContains(t, err, "the time range is empty")
	_, err = client.Search(context.Background(), upstream.TraceFilter{Service: "web", Start: filter.Start, End: filter.End})
	require.ErrorContains(t, err, "limit")
	require.Empty(t, s.searches, "nothing of it was sent")
	s.fail = http.StatusInternalServerError
	_, err = client.Search(context.Background(), filter)
	require.ErrorContains(t, err, "the storage is gone")

	page := open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{") }))
	_, err = page.Services(context.Background(), noon, noon)
	var failure *upstream.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, upstream.Malformed, failure.Category)
}

// TestNames checks lists: Jaeger's own, and versions from a sample.
func TestNames(t *testing.T) {
	s := &store{spans: []stored{
		{"web", "2", "GET /", noon.Add(-time.Minute)}, {"web", "1", "POST /", noon.Add(-2 * time.Minute)}, {"cart", "9", "GET", noon.Add(-time.Minute)},
	}}
	client := open(t, s)
	services, err := client.Services(context.Background(), noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"cart", "web"}, services)
	operations, err := client.Operations(context.Background(), "web", noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"GET", "GET /", "POST /"}, operations)
	versions, err := client.Versions(context.Background(), "web", noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, versions)
	all, err := client.Versions(context.Background(), "", noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "9"}, all)
	everything, err := client.Search(context.Background(), upstream.TraceFilter{Start: noon.Add(-time.Hour), End: noon, Limit: 100})
	require.NoError(t, err)
	require.Len(t, everything.Traces, 3)
}

// TestQuietTimes checks that a sample is not small because most of the time
// was quiet.
func TestQuietTimes(t *testing.T) {
	s := &store{}
	for i := range 1000 {
		s.spans = append(s.spans, stored{"web", "1", "GET /", noon.Add(time.Duration(i-1000) * 10 * time.Millisecond)})
	}
	set, err := open(t, s).Search(context.Background(), upstream.TraceFilter{Service: "web", Start: noon.Add(-400 * time.Second), End: noon, Limit: 400})
	require.NoError(t, err)
	require.Len(t, set.Traces, 400)
}

// TestArrivals checks that a version's first step is found although the sample
// holds but few traces.
func TestArrivals(t *testing.T) {
	s := &store{}
	arrival := noon.Add(-1234 * time.Second)
	for i := range 36_000 {
		at := noon.Add(time.Duration(i-36_000) * 100 * time.Millisecond)
		version := "1"
		if !at.Before(arrival) {
			version = "2"
		}
		s.spans = append(s.spans, stored{"web", version, "GET /", at})
	}
	client := open(t, s)
	window := upstream.Range{Start: noon.Add(-time.Hour), End: noon.Add(-5 * time.Second), Step: 5 * time.Second}
	counts, err := client.SpanCounts(context.Background(), "web", window)
	require.NoError(t, err)
	require.Len(t, counts.Series, 2)
	require.Len(t, counts.Warnings, 1)
	require.True(t, counts.Sampled)
	two := counts.Series[1]
	require.Equal(t, "2", two.Labels["service_version"])
	require.Equal(t, window.Points(), two.Len())
	first := slices.IndexFunc(two.Values, func(v float64) bool { return v > 0 })
	require.Equal(t, arrival.Sub(window.Start).Truncate(window.Step), two.Time(first).Sub(window.Start))
	require.Less(t, len(s.searches), 40)
}

// TestProbe checks freshness, and a Jaeger without traces.
func TestProbe(t *testing.T) {
	s := &store{}
	client := open(t, s)
	found, err := client.Probe(context.Background())
	require.NoError(t, err)
	require.Less(t, found.Freshness, time.Duration(0))
	s.spans = []stored{{"web", "1", "GET /", noon.Add(-20 * time.Minute)}, {"cart", "1", "GET", noon.Add(-7 * time.Second)}}
	found, err = client.Probe(context.Background())
	require.NoError(t, err)
	require.Equal(t, 7*time.Second, found.Freshness)
	require.Equal(t, "Jaeger", found.Product)
	require.False(t, found.TraceQLMetrics)
}

// FuzzSearch feeds answers of any kind: an error or traces, never a panic.
func FuzzSearch(f *testing.F) {
	answer, err := os.ReadFile("testdata/traces.json")
	require.NoError(f, err)
	f.Add(answer)
	f.Add([]byte(`{"data":[{"traceID":"1","spans":[{"spanID":"2","startTime":-9e18,"duration":1}]}]}`))
	f.Add([]byte(`{"data":[{"traceID":"zz"},null]}`))
	body := []byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	f.Cleanup(server.Close)
	client, err := jaeger.New(transport.Config{Mode: transport.Direct, URL: server.URL}, transport.Limits{}, time.Now)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		body = data
		set, err := client.Search(context.Background(), upstream.TraceFilter{Service: "web", Start: noon.Add(-time.Hour), End: noon, Limit: 10})
		for i := range set.Traces {
			if err != nil || len(set.Traces[i].Spans) == 0 {
				t.Fatalf("a trace without a span that was asked for, or beside the error %v", err)
			}
			builder := trace.Builder{}
			builder.Build(&set.Traces[i])
		}
	})
}

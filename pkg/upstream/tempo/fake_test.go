package tempo

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gogo/protobuf/jsonpb"
	"github.com/grafana/tempo/pkg/tempopb"
	commonpb "github.com/grafana/tempo/pkg/tempopb/common/v1"
	resourcepb "github.com/grafana/tempo/pkg/tempopb/resource/v1"
	tracepb "github.com/grafana/tempo/pkg/tempopb/trace/v1"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// fake is a Tempo that searches by time alone, as the real one does for "{ }".
type fake struct {
	traces    []trace.Trace
	shown     func(trace.Trace) []trace.Span                    // what a search sees of a trace; nil: all
	protobuf  bool                                              // searches are answered as Tempo 2.10 does when asked to
	intercept func(w http.ResponseWriter, r *http.Request) bool // true: answered

	mu       sync.Mutex
	searches []url.Values
	fetches  []string
}

func (f *fake) client(t testing.TB, limits transport.Limits) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	if limits.Failures == 0 {
		limits.Failures = math.MaxInt32
	}
	client, err := New(transport.Config{Mode: transport.Direct, URL: server.URL}, limits, func() time.Time { return noon })
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if r.URL.Path == "/api/search" {
		f.searches = append(f.searches, r.URL.Query())
	} else {
		f.fetches = append(f.fetches, r.URL.Path)
	}
	f.mu.Unlock()
	if f.intercept != nil && f.intercept(w, r) {
		return
	}
	switch id, byID := strings.CutPrefix(r.URL.Path, "/api/v2/traces/"); {
	case r.URL.Path == "/api/search":
		f.search(w, r.URL.Query())
	case byID:
		f.byID(w, id)
	default:
		http.NotFound(w, r)
	}
}

func number(values url.Values, name string) int {
	n, err := strconv.Atoi(values.Get(name))
	if err != nil {
		panic(fmt.Sprint(name, ": ", err))
	}
	return n
}

func (f *fake) search(w http.ResponseWriter, query url.Values) {
	start, end := time.Unix(int64(number(query, "start")), 0), time.Unix(int64(number(query, "end")), 0)
	sorted := slices.SortedFunc(slices.Values(f.traces), func(a, b trace.Trace) int { return b.Start().Compare(a.Start()) })
	answer := &tempopb.SearchResponse{}
	for _, one := range sorted {
		first, last := one.Start(), one.Start()
		for i := range one.Spans {
			last = time.Unix(0, max(last.UnixNano(), one.Spans[i].End()))
		}
		if strings.Contains(query.Get("q"), `trace:rootName != `+strconv.Quote(one.Spans[0].Name)+")") {
			continue
		}
		if first.After(end) || last.Before(start) || len(answer.Traces) == number(query, "limit") {
			continue
		}
		visible := one.Spans
		if f.shown != nil {
			visible = f.shown(one)
		}
		set := &tempopb.SpanSet{Matched: uint32(len(visible))}
		for _, s := range visible[:min(len(visible), number(query, "spss"))] {
			set.Spans = append(set.Spans, &tempopb.Span{SpanID: s.ID.String(), Name: s.Name, StartTimeUnixNano: uint64(s.Start), DurationNanos: uint64(s.Duration),
				Attributes: []*commonpb.KeyValue{attribute("span:parentID", s.ParentID.String()), attribute("kind", s.Kind.String()), attribute("service.name", s.Service)}})
		}
		answer.Traces = append(answer.Traces, &tempopb.TraceSearchMetadata{TraceID: one.ID.String(), StartTimeUnixNano: uint64(first.UnixNano()), SpanSets: []*tempopb.SpanSet{set}})
	}
	if f.protobuf {
		w.Header().Set("Content-Type", "application/protobuf")
		body, _ := answer.Marshal()
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = (&jsonpb.Marshaler{}).Marshal(w, answer)
}

func (f *fake) byID(w http.ResponseWriter, id string) {
	answer := &tempopb.TraceByIDResponse{Trace: &tempopb.Trace{}}
	for _, one := range f.traces {
		if one.ID.String() != id {
			continue
		}
		for _, s := range one.Spans {
			answer.Trace.ResourceSpans = append(answer.Trace.ResourceSpans, &tracepb.ResourceSpans{
				Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("service.name", s.Service)}},
				ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{SpanId: s.ID[:], ParentSpanId: s.ParentID[:], Name: s.Name,
					Kind: tracepb.Span_SpanKind(s.Kind), StartTimeUnixNano: uint64(s.Start), EndTimeUnixNano: uint64(s.End())}}}},
			})
		}
	}
	w.Header().Set("Content-Type", "application/protobuf")
	body, _ := answer.Marshal()
	_, _ = w.Write(body)
}

// request is a trace of a web server that calls another service.
func request(n int, start time.Time, below int) trace.Trace {
	id := func(i int) trace.SpanID { return trace.SpanID{byte(n >> 8), byte(n), byte(i >> 8), byte(i), 1} }
	one := trace.Trace{ID: trace.TraceID{0: 1, 14: byte(n >> 8), 15: byte(n)}}
	add := func(parent trace.SpanID, i int, kind trace.Kind, service, name string) {
		one.Spans = append(one.Spans, trace.Span{ID: id(i), ParentID: parent, Kind: kind, Service: service, Name: name,
			Start: start.UnixNano() + int64(i), Duration: int64(10 * time.Millisecond)})
	}
	add(trace.SpanID{}, 0, trace.Server, "web", "GET /")
	add(id(0), 1, trace.Client, "web", "POST")
	add(id(1), 2, trace.Server, "orders", "POST /orders")
	for i := range below {
		add(id(2), 3+i, trace.Client, "orders", "SELECT orders")
	}
	return one
}

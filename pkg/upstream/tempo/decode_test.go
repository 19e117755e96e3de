package tempo

import (
	"testing"

	"github.com/gogo/protobuf/jsonpb"
	"github.com/grafana/tempo/pkg/tempopb"
	commonpb "github.com/grafana/tempo/pkg/tempopb/common/v1"
	resourcepb "github.com/grafana/tempo/pkg/tempopb/resource/v1"
	tracepb "github.com/grafana/tempo/pkg/tempopb/trace/v1"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func attribute(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func intAttribute(key string, value int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
}

// answer is a search's answer with what real ones are made of.
func answer() *tempopb.SearchResponse {
	spans := []*tempopb.Span{
		{SpanID: "00000000000000a1", Name: "GET /", StartTimeUnixNano: 1000, DurationNanos: 500, Attributes: []*commonpb.KeyValue{
			attribute("span:parentID", "0000000000000000"), attribute("kind", "server"), attribute("status", "error"), attribute("statusMessage", "it broke"),
			attribute("service.name", "web"), attribute("service.version", "1.0"), intAttribute("http.response.status_code", 500), attribute("user.email", "data"),
		}},
		{SpanID: "a2", StartTimeUnixNano: 1100, DurationNanos: ^uint64(0), Attributes: []*commonpb.KeyValue{
			attribute("span:parentID", "00000000000000a1"), attribute("kind", "kind(99)"), attribute("status", "unset"), attribute("service.name", "web"),
		}},
		{SpanID: "not an id", Attributes: []*commonpb.KeyValue{{Key: "kind"}}},
	}
	set := &tempopb.SpanSet{Spans: spans, Matched: 104}
	return &tempopb.SearchResponse{Traces: []*tempopb.TraceSearchMetadata{
		{TraceID: "abc", RootServiceName: "web", StartTimeUnixNano: 1000, DurationMs: 1, SpanSet: set, SpanSets: []*tempopb.SpanSet{set},
			ServiceStats: map[string]*tempopb.ServiceStats{"web": {SpanCount: 100, ErrorCount: 1}, "cart": {SpanCount: 4}}},
		{TraceID: "no id"},
		{TraceID: "0123456789abcdef0123456789abcdef"},
	}, Metrics: &tempopb.SearchMetrics{InspectedBytes: 1}}
}

func TestSearchAnswersReadAlike(t *testing.T) {
	message := answer()
	protobuf, err := message.Marshal()
	require.NoError(t, err)
	json, err := (&jsonpb.Marshaler{}).MarshalToString(message)
	require.NoError(t, err)

	fromProtobuf, err := searchProtobuf(protobuf, 10)
	require.NoError(t, err)
	fromJSON, err := searchJSON([]byte(json), 10)
	require.NoError(t, err)
	require.Equal(t, fromProtobuf, fromJSON)

	require.Len(t, fromJSON, 2)
	first := fromJSON[0]
	require.Equal(t, "00000000000000000000000000000abc", first.ID.String())
	require.Equal(t, []int{104, 104}, []int{first.matched, first.counted})
	require.True(t, first.cut())
	require.EqualValues(t, 1000, first.start)
	require.Equal(t, []trace.Span{
		{ID: trace.SpanID{7: 0xa1}, Kind: trace.Server, Failed: true, Start: 1000, Duration: 500, Service: "web", Version: "1.0", Name: "GET /", StatusMessage: "it broke",
			Attributes: []trace.Attribute{{Key: "http.response.status_code", Value: "500"}}},
		{ID: trace.SpanID{7: 0xa2}, ParentID: trace.SpanID{7: 0xa1}, Start: 1100, Duration: -1, Service: "web"},
		{},
	}, first.Spans)

	few, err := searchJSON([]byte(json), 1)
	require.NoError(t, err)
	require.Len(t, few, 1)
	few, err = searchProtobuf(protobuf, 1)
	require.NoError(t, err)
	require.Len(t, few, 1)
}

func stored() *tempopb.TraceByIDResponse {
	return &tempopb.TraceByIDResponse{
		Trace: &tempopb.Trace{ResourceSpans: []*tracepb.ResourceSpans{{
			Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("service.name", "orders"), attribute("service.version", "2.0"), attribute("host.name", "h")}},
			ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
				{SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 1}, ParentSpanId: []byte{0, 0, 0, 0, 0, 0, 0, 2}, Name: "SELECT", Kind: tracepb.Span_SPAN_KIND_CLIENT,
					StartTimeUnixNano: 2000, EndTimeUnixNano: 1000, Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "m"},
					Attributes: []*commonpb.KeyValue{attribute("db.query.text", "SELECT 1"), attribute("user.id", "secret")}},
				{SpanId: []byte{1, 2, 3}, Kind: 99, Name: "odd"},
			}}},
		}, {}}},
		Status: tempopb.PartialStatus_PARTIAL, Message: "too large",
	}
}

func TestTraceByID(t *testing.T) {
	body, err := stored().Marshal()
	require.NoError(t, err)
	whole, message, err := traceProtobuf(body)
	require.NoError(t, err)
	require.Equal(t, "too large", message)
	require.True(t, whole.Partial)
	require.Equal(t, []trace.Span{
		{ID: trace.SpanID{7: 1}, ParentID: trace.SpanID{7: 2}, Kind: trace.Client, Failed: true, Start: 2000, Duration: -1000, Service: "orders", Version: "2.0",
			Name: "SELECT", StatusMessage: "m", Attributes: []trace.Attribute{{Key: "db.query.text", Value: "SELECT 1"}, {Key: "host.name", Value: "h"}}},
		{Service: "orders", Version: "2.0", Name: "odd", Attributes: []trace.Attribute{{Key: "host.name", Value: "h"}}},
	}, whole.Spans)
}

// TestLinksAreKept checks that a batch consumer's links are read, and that those
// without an id are not.
func TestLinksAreKept(t *testing.T) {
	message := stored()
	message.Trace.ResourceSpans[0].ScopeSpans[0].Spans[0].Links = []*tracepb.Span_Link{
		{TraceId: append(make([]byte, 15), 7), SpanId: append(make([]byte, 7), 9)}, {TraceId: []byte{1}},
	}
	body, err := message.Marshal()
	require.NoError(t, err)
	whole, _, err := traceProtobuf(body)
	require.NoError(t, err)
	require.Equal(t, []trace.Link{{Trace: trace.TraceID{15: 7}, Span: trace.SpanID{7: 9}}}, whole.Spans[0].Links)
}

// TestEventsDescribeSpans: OpenTelemetry records exceptions and evaluations of
// flags as events. The first one counts, and a span's own attributes before it.
func TestEventsDescribeSpans(t *testing.T) {
	message := stored()
	message.Trace.ResourceSpans[0].ScopeSpans[0].Spans[0].Events = []*tracepb.Span_Event{
		{Name: "feature_flag.evaluation", Attributes: []*commonpb.KeyValue{attribute("feature_flag.key", "new-cart"), attribute("feature_flag.variant", "on")}},
		{Name: "exception", Attributes: []*commonpb.KeyValue{
			attribute("exception.type", "TimeoutError"), attribute("exception.message", "no answer"), attribute("exception.stacktrace", "at main"),
		}},
		{Name: "exception", Attributes: []*commonpb.KeyValue{attribute("exception.type", "Retried")}},
	}
	body, err := message.Marshal()
	require.NoError(t, err)
	whole, _, err := traceProtobuf(body)
	require.NoError(t, err)
	span := whole.Spans[0]
	for key, want := range map[string]string{
		"exception.type": "TimeoutError", "exception.message": "no answer", "exception.stacktrace": "",
		"feature_flag.key": "new-cart", "feature_flag.result.variant": "on",
	} {
		require.Equal(t, want, span.Attribute(key), key)
	}
	for _, name := range trace.EventAttributes {
		require.Contains(t, wholeTraces(upstream.TraceFilter{Service: "cart"}), ", event."+name, "searches read them, too")
	}
}

func TestSpansAreBounded(t *testing.T) {
	spans := make([]*tracepb.Span, maxSpans+10)
	for i := range spans {
		spans[i] = &tracepb.Span{Name: "s"}
	}
	message := stored()
	message.Status, message.Message = 0, ""
	message.Trace.ResourceSpans[0].ScopeSpans[0].Spans = spans
	body, err := message.Marshal()
	require.NoError(t, err)
	whole, reason, err := traceProtobuf(body)
	require.NoError(t, err)
	require.Len(t, whole.Spans, maxSpans)
	require.True(t, whole.Partial)
	require.Contains(t, reason, "more than 100000 spans")
	require.Equal(t, "orders", whole.Spans[0].Service)
}

func TestUnreadableAnswers(t *testing.T) {
	for _, body := range []string{``, `[]`, `{"traces":{}}`, `{"traces":[{"traceID":"a"}`, `{"traces":[{"traceID":7}]}`, `{"traces":[{"traceID":"a","startTimeUnixNano":"x"}]}`, `null`} {
		_, err := searchJSON([]byte(body), 10)
		require.Error(t, err, body)
	}
	empty, err := searchJSON([]byte(`{"traces":[],"metrics":{"new":[1,{}]},"later":1}`), 10)
	require.NoError(t, err)
	require.Empty(t, empty)
	for _, body := range []string{"\xff", "\x0a\x05", "not protobuf"} {
		_, err := searchProtobuf([]byte(body), 10)
		require.Error(t, err, body)
		_, _, err = traceProtobuf([]byte(body))
		require.Error(t, err, body)
	}
}

func FuzzSearchJSON(f *testing.F) {
	json, err := (&jsonpb.Marshaler{}).MarshalToString(&tempopb.SearchResponse{Traces: answer().Traces[:1]})
	if err == nil {
		f.Add([]byte(json))
	}
	f.Add([]byte(`{"traces":[{"traceID":"ab","startTimeUnixNano":17,"spanSets":[{"matched":1,"spans":[{"spanID":"1","durationNanos":"18446744073699551616","attributes":[{"key":"kind","value":{"stringValue":"client"}},{"key":"http.status_code","value":{"intValue":"200"}},{"key":"error.type","value":{"arrayValue":{}}}]}]}],"serviceStats":{"a":{"spanCount":2}}},null]}`))
	f.Add([]byte(`{"traces":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := searchJSON(body, 5)
		if err == nil {
			checkFound(t, all)
		}
	})
}

func FuzzSearchProtobuf(f *testing.F) {
	message := answer()
	body, err := message.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{0x0a, 0x00, 0x0a, 0x02, 0x3a, 0x00})
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := searchProtobuf(body, 5)
		if err == nil {
			checkFound(t, all)
		}
	})
}

func checkFound(t *testing.T, all []found) {
	require.LessOrEqual(t, len(all), 5)
	for _, f := range all {
		_ = f.cut()
		_ = orphaned(f.Spans)
		_ = childless(f.Spans, callsWithChildren(all))
		for _, span := range f.Spans {
			require.LessOrEqual(t, span.Kind, trace.Consumer)
			require.LessOrEqual(t, len(span.Name), maxText)
		}
	}
}

func FuzzTraceByID(f *testing.F) {
	body, err := stored().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, _, err := traceProtobuf(body)
		if err == nil {
			checkFound(t, []found{{Trace: whole}})
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	message := &tempopb.SearchResponse{}
	for range 400 {
		one := answer().Traces[0]
		for range 40 {
			one.SpanSets[0].Spans = append(one.SpanSets[0].Spans, one.SpanSets[0].Spans[0])
		}
		message.Traces = append(message.Traces, one)
	}
	body, err := message.Marshal()
	require.NoError(b, err)
	json, err := (&jsonpb.Marshaler{}).MarshalToString(message)
	require.NoError(b, err)
	b.Run("protobuf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := searchProtobuf(body, 1000); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := searchJSON([]byte(json), 1000); err != nil {
				b.Fatal(err)
			}
		}
	})
}

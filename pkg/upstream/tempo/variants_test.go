package tempo

import (
	"encoding/binary"
	"testing"

	"github.com/grafana/tempo/pkg/tempopb"
	commonpb "github.com/grafana/tempo/pkg/tempopb/common/v1"
	resourcepb "github.com/grafana/tempo/pkg/tempopb/resource/v1"
	tracepb "github.com/grafana/tempo/pkg/tempopb/trace/v1"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology/topologytest"
)

const (
	internal = tracepb.Span_SPAN_KIND_INTERNAL
	server   = tracepb.Span_SPAN_KIND_SERVER
	client   = tracepb.Span_SPAN_KIND_CLIENT
	producer = tracepb.Span_SPAN_KIND_PRODUCER
	consumer = tracepb.Span_SPAN_KIND_CONSUMER
)

// spanID is an id of eight bytes; none for zero.
func spanID(number uint64) []byte {
	if number == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, number)
}

// otlp is a span of a service; from and took are milliseconds, what follows are
// attributes.
func otlp(id, parent uint64, kind tracepb.Span_SpanKind, service, name string, from, took int64, further ...string) *tracepb.ResourceSpans {
	const began = 1_772_452_700_000_000_000
	s := &tracepb.Span{SpanId: spanID(id), ParentSpanId: spanID(parent), Kind: kind, Name: name,
		StartTimeUnixNano: uint64(began + from*1e6), EndTimeUnixNano: uint64(began + (from+took)*1e6)}
	for i := 0; i+1 < len(further); i += 2 {
		s.Attributes = append(s.Attributes, attribute(further[i], further[i+1]))
	}
	return &tracepb.ResourceSpans{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("service.name", service)}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{s}}},
	}
}

// linked adds a link to a span of the same trace, or of another.
func linked(r *tracepb.ResourceSpans, traceID byte, span uint64, attributes ...*commonpb.KeyValue) *tracepb.ResourceSpans {
	s := r.ScopeSpans[0].Spans[0]
	s.Links = append(s.Links, &tracepb.Span_Link{TraceId: append(make([]byte, 15), traceID), SpanId: spanID(span), Attributes: attributes})
	return r
}

func failed(r *tracepb.ResourceSpans, code tracepb.Status_StatusCode) *tracepb.ResourceSpans {
	r.ScopeSpans[0].Spans[0].Status = &tracepb.Status{Code: code}
	return r
}

func readVariant(t *testing.T, spans ...*tracepb.ResourceSpans) trace.Trace {
	t.Helper()
	body, err := (&tempopb.TraceByIDResponse{Trace: &tempopb.Trace{ResourceSpans: spans}}).Marshal()
	require.NoError(t, err)
	whole, _, err := traceProtobuf(body)
	require.NoError(t, err)
	whole.ID = trace.TraceID{15: 0x1b}
	return whole
}

// TestVariants are the kinds of traces that real systems write.
func TestVariants(t *testing.T) {
	const unset, isOK, isError = tracepb.Status_STATUS_CODE_UNSET, tracepb.Status_STATUS_CODE_OK, tracepb.Status_STATUS_CODE_ERROR
	root := func() *tracepb.ResourceSpans { return otlp(1, 0, server, "web", "GET /", 0, 100) }
	kafka := []string{"messaging.system", "kafka", "messaging.destination.name", "t"}
	for name, c := range map[string]struct {
		spans      []*tracepb.ResourceSpans
		edges, own []string
	}{
		"client and server": {[]*tracepb.ResourceSpans{root(), otlp(2, 1, client, "web", "GET", 10, 50), otlp(3, 2, server, "cart", "GET /cart", 12, 40)},
			[]string{"web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 40", "web 50"}},
		"both ends under one id, by way of Zipkin": {[]*tracepb.ResourceSpans{root(), otlp(2, 1, client, "web", "get", 10, 50), otlp(2, 1, server, "cart", "get /cart", 12, 40), otlp(3, 2, internal, "cart", "work", 15, 10)},
			[]string{"web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 40", "web 50"}},
		"work that only follows, by way of Jaeger": {[]*tracepb.ResourceSpans{root(), linked(otlp(2, 1, internal, "web", "index", 10, 50), 0x1b, 1, attribute("opentracing.ref_type", "follows_from"))},
			nil, []string{"web 150"}},
		"a child that is also linked is waited for": {[]*tracepb.ResourceSpans{root(), linked(otlp(2, 1, internal, "web", "index", 10, 50), 0x1b, 1)},
			nil, []string{"web 100"}},
		"retries": {[]*tracepb.ResourceSpans{root(), failed(otlp(2, 1, client, "web", "GET", 10, 5, "server.address", "pay"), isError), otlp(3, 1, client, "web", "GET", 20, 5, "server.address", "pay")},
			[]string{"web → external:pay: 2 calls, client 5, server 0, 1 failed"}, []string{"web 90"}},
		"status before status codes": {[]*tracepb.ResourceSpans{root(),
			failed(otlp(2, 1, client, "web", "GET", 10, 5, "server.address", "pay", "http.response.status_code", "503"), unset),
			failed(otlp(3, 1, client, "web", "GET", 20, 5, "server.address", "pay", "http.response.status_code", "500"), isOK),
			failed(otlp(4, 1, client, "web", "GET", 30, 5, "server.address", "pay", "http.response.status_code", "404"), isError)},
			[]string{"web → external:pay: 3 calls, client 5, server 0, 2 failed"}, []string{"web 85"}},
		"stores by address": {[]*tracepb.ResourceSpans{root(),
			otlp(2, 1, client, "web", "GET", 10, 5, "db.system", "redis", "db.namespace", "0", "server.address", "r1"),
			otlp(3, 1, client, "web", "GET", 20, 5, "db.system.name", "redis", "db.namespace", "0", "server.address", "r2"),
			otlp(4, 1, client, "web", "q", 30, 5, "db.system", "mysql", "db.name", "shop", "network.peer.address", "10.0.0.1"),
			otlp(5, 1, client, "web", "q", 40, 5, "db.system", "mysql", "db.name", "shop", "network.peer.address", "10.0.0.2")},
			[]string{"web → cache:redis:r1: 1 calls, client 5, server 0, 0 failed", "web → cache:redis:r2: 1 calls, client 5, server 0, 0 failed",
				"web → database:mysql:10.0.0.1/shop: 1 calls, client 5, server 0, 0 failed", "web → database:mysql:10.0.0.2/shop: 1 calls, client 5, server 0, 0 failed"}, []string{"web 80"}},
		"a database's client over HTTP": {[]*tracepb.ResourceSpans{root(),
			otlp(2, 1, client, "web", "search", 10, 50, "db.system", "elasticsearch", "server.address", "es"), otlp(3, 2, client, "web", "POST", 12, 45, "url.full", "http://es:9200/_search")},
			[]string{"web → database:elasticsearch:es: 1 calls, client 50, server 0, 0 failed"}, []string{"web 50"}},
		"a library's client around HTTP to a service": {[]*tracepb.ResourceSpans{root(),
			otlp(2, 1, client, "web", "Pay.Charge", 10, 50, "rpc.service", "Pay"), otlp(3, 2, client, "web", "POST", 12, 45, "server.address", "pay"), otlp(4, 3, server, "pay", "POST /charge", 15, 30)},
			[]string{"web → pay: 1 calls, client 45, server 30, 0 failed"}, []string{"pay 30", "web 50"}},
		"a batch of two messages, each processed": {[]*tracepb.ResourceSpans{root(),
			otlp(2, 1, producer, "web", "send", 10, 5, kafka...), otlp(3, 1, producer, "web", "send", 20, 5, kafka...),
			linked(linked(otlp(4, 0, consumer, "sum", "receive", 50, 5, append(kafka, "messaging.operation.type", "receive")...), 0x1b, 2), 0x1b, 3),
			linked(otlp(5, 4, consumer, "sum", "process", 60, 10, append(kafka, "messaging.operation.type", "process")...), 0x1b, 2),
			linked(otlp(6, 4, consumer, "sum", "process", 75, 10, append(kafka, "messaging.operation.type", "process")...), 0x1b, 3)},
			[]string{"queue:kafka:t → sum: 2 calls, client 52.5, server 10, 0 failed", "web → queue:kafka:t: 2 calls, client 5, server 0, 0 failed"}, []string{"sum 25", "web 90"}},
		"a batch of other traces' messages": {[]*tracepb.ResourceSpans{
			linked(linked(otlp(4, 0, consumer, "sum", "process", 50, 50, kafka...), 0xaa, 2), 0xab, 3)},
			[]string{"queue:kafka:t → sum: 1 calls, client 0, server 50, 0 failed"}, []string{"sum 50"}},
		"receive by a span of a client": {[]*tracepb.ResourceSpans{otlp(4, 0, client, "sum", "t receive", 50, 50, append(kafka, "messaging.operation", "receive")...)},
			[]string{"queue:kafka:t → sum: 1 calls, client 0, server 50, 0 failed"}, []string{"sum 50"}},
		"a clock that is a second ahead": {[]*tracepb.ResourceSpans{root(), otlp(2, 1, client, "web", "GET", 10, 50), otlp(3, 2, server, "cart", "GET /cart", 1012, 40), otlp(4, 3, internal, "cart", "work", 1015, 10)},
			[]string{"web → cart: 1 calls, client 50, server 40, 0 failed"}, []string{"cart 40", "web 50"}},
	} {
		t.Run(name, func(t *testing.T) {
			read := readVariant(t, c.spans...)
			require.Equal(t, c.edges, topologytest.Edges(read))
			require.Equal(t, c.own, topologytest.Own(read))
		})
	}
}

package zipkin

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// spanJSON is a span as the v2 API writes it. Times are microseconds. Both ends of
// a call may share one id.
type spanJSON struct {
	TraceID, ID, ParentID string
	Name, Kind            string
	Timestamp, Duration   int64
	LocalEndpoint         endpoint
	RemoteEndpoint        endpoint
	Annotations           []struct {
		Timestamp int64
		Value     string
	}
	Tags map[string]string
}

type endpoint struct{ ServiceName, IPv4, IPv6 string }

// maxText is the length in bytes to which the text of a tag is cut.
const maxText = 8 << 10

// maxEvent is the length in bytes of an annotation that can be the name of an
// event; longer ones are logs.
const maxEvent = 64

// texts keeps one copy of each text, as spans repeat theirs.
type texts map[string]string

func (t texts) intern(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	if known, ok := t[text]; ok {
		return known
	}
	t[text] = text
	return text
}

// trace reads one trace; what is no span is passed over and makes the trace
// partial. It is not readable without a span that has an id.
func (t texts) trace(spans []spanJSON) (read trace.Trace, readable bool) {
	for i := range spans {
		id, err := trace.ParseTraceID(spans[i].TraceID)
		if err != nil {
			read.Partial = true
			continue
		}
		span, err := t.span(&spans[i])
		if err != nil {
			read.Partial = true
			continue
		}
		read.ID, readable = id, true
		read.Spans = append(read.Spans, span)
	}
	return read, readable
}

func (t texts) span(from *spanJSON) (span trace.Span, err error) {
	if span.ID, err = trace.ParseSpanID(from.ID); err != nil {
		return span, err
	}
	span.ParentID, _ = trace.ParseSpanID(from.ParentID) // what is no id is no parent
	span.Name, span.Service = t.intern(from.Name), t.intern(from.LocalEndpoint.ServiceName)
	span.Start, span.Duration = nanoseconds(from.begin()), nanoseconds(from.Duration)
	span.Kind = kindOf(from.Kind)
	for _, key := range slices.Sorted(maps.Keys(from.Tags)) { // of two names for one thing the same stays
		value := from.Tags[key]
		switch {
		case key == "service.version":
			span.Version = t.intern(value)
		case key == "otel.status_code":
			status := strings.ToUpper(value)
			span.SetStatus(status == "ERROR", status == "OK")
		case key == "otel.status_description":
			span.StatusMessage = t.intern(value)
		case trace.MayExplain(key):
			span.Other(t.intern(key), t.intern(value))
		default:
			span.Describe(t.intern(key), t.intern(value))
		}
	}
	if span.Attribute("peer.service") == "" {
		span.Describe("peer.service", t.intern(from.RemoteEndpoint.ServiceName))
	}
	span.Describe("peer.ipv4", t.intern(from.RemoteEndpoint.IPv4))
	span.Describe("peer.ipv6", t.intern(from.RemoteEndpoint.IPv6))
	for _, annotation := range from.Annotations {
		if len(annotation.Value) <= maxEvent {
			span.Event(t.intern(annotation.Value))
		}
	}
	return span, nil
}

// begin is the timestamp, in microseconds. A span that was reported before it
// ended, or whose start was recorded elsewhere, may have none: then it is that of
// its first annotation.
func (s *spanJSON) begin() int64 {
	if s.Timestamp != 0 || len(s.Annotations) == 0 {
		return s.Timestamp
	}
	first := s.Annotations[0].Timestamp
	for _, annotation := range s.Annotations {
		first = min(first, annotation.Timestamp)
	}
	return first
}

func kindOf(text string) trace.Kind {
	for kind := trace.Internal; kind <= trace.Consumer; kind++ {
		if strings.EqualFold(kind.String(), text) {
			return kind
		}
	}
	return trace.Unspecified
}

// nanoseconds of microseconds, kept within 64 bits.
func nanoseconds(microseconds int64) int64 {
	const most = math.MaxInt64 / 1000
	return 1000 * min(max(microseconds, -most), most)
}

package tempo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/grafana/tempo/pkg/tempopb"
	commonpb "github.com/grafana/tempo/pkg/tempopb/common/v1"
	resourcepb "github.com/grafana/tempo/pkg/tempopb/resource/v1"
	tracepb "github.com/grafana/tempo/pkg/tempopb/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Answers are walked field by field, and only the messages at the leaves are
// unmarshalled, one at a time. So the memory that an answer takes is that of
// the spans that are kept, whatever the server sends.

// maxSpans is the most spans that are kept of one trace.
const maxSpans = 100_000

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// walk calls visit with each field of a message: its number, and its bytes or
// its integer.
func walk(message []byte, visit func(field protowire.Number, value []byte, integer uint64) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var value []byte
		var integer uint64
		switch kind {
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			integer, n = protowire.ConsumeVarint(message)
		default:
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := visit(field, value, integer); err != nil {
			return err
		}
	}
	return nil
}

// leaf unmarshals a message at the leaves. The generated code descends without
// a limit into lists of lists, which only the size of the message bounds.
func leaf(into interface{ Unmarshal([]byte) error }, message []byte) error {
	const largest = 4 << 20
	if len(message) > largest {
		return fmt.Errorf("one span of %d MiB", len(message)>>20)
	}
	return into.Unmarshal(message)
}

// searchProtobuf reads a tempopb.SearchResponse.
func searchProtobuf(body []byte, maxTraces int) ([]found, error) {
	var all []found
	known := texts{}
	err := walk(body, func(field protowire.Number, value []byte, _ uint64) error {
		const traces = 1
		if field != traces || len(all) == maxTraces {
			return nil
		}
		f, ok, err := known.metadata(value)
		if ok {
			all = append(all, f)
		}
		return err
	})
	return all, err
}

// metadata reads a tempopb.TraceSearchMetadata. The deprecated field with a
// copy of the first span set is passed over.
func (t texts) metadata(message []byte) (found, bool, error) {
	const traceID, start, spanSets, serviceStats = 1, 4, 7, 8
	var f found
	ok := false
	err := walk(message, func(field protowire.Number, value []byte, integer uint64) error {
		switch field {
		case traceID:
			id, err := trace.ParseTraceID(string(value))
			f.ID, ok = id, err == nil && len(value) > 0
		case start:
			f.start = int64(integer)
		case spanSets:
			return t.spanSet(&f, value)
		case serviceStats:
			return walk(value, func(field protowire.Number, value []byte, _ uint64) error {
				const entryValue = 2
				if field != entryValue {
					return nil
				}
				var stats tempopb.ServiceStats
				err := leaf(&stats, value)
				f.counted += int(stats.SpanCount)
				return err
			})
		}
		return nil
	})
	return f, ok, err
}

func (t texts) spanSet(f *found, message []byte) error {
	const spans, matched = 1, 2
	return walk(message, func(field protowire.Number, value []byte, integer uint64) error {
		switch field {
		case matched:
			f.matched += int(uint32(integer))
		case spans:
			if len(f.Spans) == maxSpans {
				f.Partial = true
				return nil
			}
			var s tempopb.Span
			if err := leaf(&s, value); err != nil {
				return err
			}
			span := trace.Span{Name: t.intern(s.Name), Start: int64(s.StartTimeUnixNano), Duration: int64(s.DurationNanos)}
			span.ID, _ = trace.ParseSpanID(s.SpanID)
			for _, attribute := range s.Attributes {
				t.describe(&span, attribute.GetKey(), textOf(attribute.GetValue()))
			}
			f.Spans = append(f.Spans, span)
		}
		return nil
	})
}

// traceProtobuf reads a tempopb.TraceByIDResponse. The message is why the
// trace is partial, where the store said so.
func traceProtobuf(body []byte) (whole trace.Trace, message string, err error) {
	const traces, status, messages = 1, 3, 4
	known := texts{}
	err = walk(body, func(field protowire.Number, value []byte, integer uint64) error {
		switch field {
		case traces:
			return walk(value, func(field protowire.Number, value []byte, _ uint64) error {
				const resourceSpans = 1
				if field != resourceSpans {
					return nil
				}
				return known.resourceSpans(&whole, value)
			})
		case status:
			whole.Partial = whole.Partial || tempopb.PartialStatus(integer) == tempopb.PartialStatus_PARTIAL
		case messages:
			message = string(value)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		whole.Partial = true
		return whole, fmt.Sprintf("it has more than %d spans", maxSpans), nil
	}
	return whole, message, err
}

// resourceSpans reads a ResourceSpans. The resource may stand behind its
// spans.
func (t texts) resourceSpans(whole *trace.Trace, message []byte) error {
	const resource, scopeSpans, spans = 1, 2, 2
	first := len(whole.Spans)
	var service, version string
	var circumstances trace.Span // what the resource says of all its spans
	err := walk(message, func(field protowire.Number, value []byte, _ uint64) error {
		switch field {
		case resource:
			var r resourcepb.Resource
			if err := leaf(&r, value); err != nil {
				return err
			}
			for _, attribute := range r.Attributes {
				switch attribute.GetKey() {
				case "service.name":
					service = t.intern(textOf(attribute.GetValue()))
				case "service.version":
					version = t.intern(textOf(attribute.GetValue()))
				default:
					if slices.Contains(trace.ResourceAttributes, attribute.GetKey()) || trace.MayExplain(attribute.GetKey()) {
						t.attribute(&circumstances, attribute.GetKey(), textOf(attribute.GetValue()))
					}
				}
			}
		case scopeSpans:
			return walk(value, func(field protowire.Number, value []byte, _ uint64) error {
				if field != spans {
					return nil
				}
				if len(whole.Spans) == maxSpans {
					return errEnough
				}
				span, err := t.span(value)
				whole.Spans = append(whole.Spans, span)
				return err
			})
		}
		return nil
	})
	for i := first; i < len(whole.Spans); i++ {
		whole.Spans[i].Service, whole.Spans[i].Version = service, version
		whole.Spans[i].Attributes = append(whole.Spans[i].Attributes, circumstances.Attributes...)
		whole.Spans[i].Others = append(whole.Spans[i].Others, circumstances.Others[:min(len(circumstances.Others), trace.MaxOthers-len(whole.Spans[i].Others))]...)
	}
	return err
}

// span reads an OTLP span.
func (t texts) span(message []byte) (trace.Span, error) {
	var s tracepb.Span
	if err := leaf(&s, message); err != nil {
		return trace.Span{}, err
	}
	span := trace.Span{
		Name: t.intern(s.Name), StatusMessage: t.intern(s.GetStatus().GetMessage()),
		Start: int64(s.StartTimeUnixNano), Duration: int64(s.EndTimeUnixNano - s.StartTimeUnixNano),
	}
	if s.Kind >= 0 && s.Kind <= tracepb.Span_SPAN_KIND_CONSUMER {
		span.Kind = trace.Kind(s.Kind)
	}
	status := s.GetStatus().GetCode()
	span.SetStatus(status == tracepb.Status_STATUS_CODE_ERROR, status == tracepb.Status_STATUS_CODE_OK)
	for _, link := range s.Links[:min(len(s.Links), trace.MaxLinks)] {
		var l trace.Link
		// What came by way of OpenTracing has a link to its parent as well, if it
		// only follows from it.
		span.Follows = span.Follows || bytes.Equal(link.SpanId, s.ParentSpanId) && slices.ContainsFunc(link.Attributes, isFollowsFrom)
		if len(link.TraceId) == len(l.Trace) && len(link.SpanId) == len(l.Span) {
			copy(l.Trace[:], link.TraceId)
			copy(l.Span[:], link.SpanId)
			span.Links = append(span.Links, l)
		}
	}
	// Ids of another length are none.
	if len(s.SpanId) == len(span.ID) {
		copy(span.ID[:], s.SpanId)
	}
	if len(s.ParentSpanId) == len(span.ParentID) {
		copy(span.ParentID[:], s.ParentSpanId)
	}
	for _, attribute := range s.Attributes {
		t.attribute(&span, attribute.GetKey(), textOf(attribute.GetValue()))
	}
	for _, event := range s.Events[:min(len(s.Events), trace.MaxLinks)] {
		span.Event(t.intern(event.GetName()))
		for _, attribute := range event.Attributes {
			if key := attribute.GetKey(); slices.Contains(trace.EventAttributes, key) && span.Attribute(key) == "" {
				t.attribute(&span, key, textOf(attribute.GetValue()))
			}
		}
	}
	return span, nil
}

func isFollowsFrom(attribute *commonpb.KeyValue) bool {
	return attribute.GetKey() == "opentracing.ref_type" && textOf(attribute.GetValue()) == "follows_from"
}

func textOf(value *commonpb.AnyValue) string {
	switch v := value.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	}
	return "" // lists do not describe operations
}

package jaeger

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// traceJSON is a trace as the query API writes it. Times are microseconds.
type traceJSON struct {
	TraceID   string
	Spans     []spanJSON
	Processes map[string]processJSON
}

type processJSON struct {
	ServiceName string
	Tags        []tagJSON
}

type spanJSON struct {
	SpanID        string
	ParentSpanID  string // of old clients; references say the same
	OperationName string
	References    []struct{ RefType, TraceID, SpanID string }
	StartTime     int64
	Duration      int64
	Tags          []tagJSON
	Logs          []struct{ Fields []tagJSON }
	ProcessID     string
	Process       *processJSON
}

type tagJSON struct {
	Key   string
	Value json.RawMessage
}

// maxText is the length in bytes to which the text of an attribute is cut:
// enough for a statement to be recognised.
const maxText = 8 << 10

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

// text is a tag's value as text: booleans and numbers as JSON writes them.
func (t texts) text(value json.RawMessage) string {
	if len(value) > 0 && value[0] == '"' {
		var text string
		if json.Unmarshal(value, &text) != nil {
			return ""
		}
		return t.intern(text)
	}
	if string(value) == "null" {
		return ""
	}
	return t.intern(string(value))
}

// trace reads one trace; what is no span is passed over and makes the trace
// partial.
func (t texts) trace(from traceJSON) (trace.Trace, error) {
	id, err := trace.ParseTraceID(from.TraceID)
	if err != nil {
		return trace.Trace{}, err
	}
	result := trace.Trace{ID: id}
	for i := range from.Spans {
		span, err := t.span(&from.Spans[i], from)
		if err != nil {
			result.Partial = true
			continue
		}
		result.Spans = append(result.Spans, span)
	}
	return result, nil
}

func (t texts) span(from *spanJSON, whole traceJSON) (span trace.Span, err error) {
	if span.ID, err = trace.ParseSpanID(from.SpanID); err != nil {
		return span, err
	}
	process := whole.Processes[from.ProcessID]
	if from.Process != nil {
		process = *from.Process
	}
	t.references(&span, from, whole.TraceID)
	span.Name, span.Service = t.intern(from.OperationName), t.intern(process.ServiceName)
	span.Start, span.Duration = nanoseconds(from.StartTime), nanoseconds(from.Duration)
	for _, tag := range process.Tags {
		switch {
		case tag.Key == "service.version":
			span.Version = t.text(tag.Value)
		case trace.MayExplain(tag.Key):
			t.other(&span, tag)
		case slices.Contains(trace.ResourceAttributes, tag.Key):
			span.Describe(t.intern(tag.Key), t.text(tag.Value))
		}
	}
	for _, tag := range from.Tags {
		t.describe(&span, tag)
	}
	for _, log := range from.Logs {
		for _, field := range log.Fields {
			if field.Key == "event" {
				span.Event(t.text(field.Value))
			}
			if (field.Key == "exception.message" || field.Key == "message") && span.Attribute("exception.message") == "" {
				span.Describe("exception.message", t.text(field.Value))
			}
			if (field.Key == "exception.type" || field.Key == "error.kind") && span.Attribute("exception.type") == "" {
				span.Attributes = append(span.Attributes, trace.Attribute{Key: "exception.type", Value: t.text(field.Value)})
			}
			if strings.HasPrefix(field.Key, "feature_flag.") && slices.Contains(trace.EventAttributes, field.Key) && span.Attribute(field.Key) == "" {
				span.Describe(field.Key, t.text(field.Value))
			}
		}
	}
	return span, nil
}

// references reads whom a span belongs to: the first it is a child of in the
// same trace, else the first it follows. All others are links.
func (t texts) references(span *trace.Span, from *spanJSON, traceID string) {
	parent, follows := -1, -1
	own, _ := trace.ParseTraceID(traceID)
	for i, reference := range from.References {
		_, err := trace.ParseSpanID(reference.SpanID)
		whole, traceErr := trace.ParseTraceID(reference.TraceID) // with or without leading zeros
		same := err == nil && (reference.TraceID == "" || traceErr == nil && whole == own)
		switch {
		case same && reference.RefType == "CHILD_OF" && parent < 0:
			parent = i
		case same && reference.RefType == "FOLLOWS_FROM" && follows < 0:
			follows = i
		}
	}
	if parent < 0 && from.ParentSpanID == "" {
		parent, span.Follows = follows, follows >= 0
	}
	if parent >= 0 {
		span.ParentID, _ = trace.ParseSpanID(from.References[parent].SpanID)
	} else {
		span.ParentID, _ = trace.ParseSpanID(from.ParentSpanID)
	}
	for i, reference := range from.References {
		if i == parent || len(span.Links) == trace.MaxLinks {
			continue
		}
		linked := reference.TraceID
		if linked == "" {
			linked = traceID
		}
		id, err := trace.ParseSpanID(reference.SpanID)
		whole, traceErr := trace.ParseTraceID(linked)
		if err == nil && traceErr == nil && id != (trace.SpanID{}) {
			span.Links = append(span.Links, trace.Link{Trace: whole, Span: id})
		}
	}
}

// describe keeps a tag that says what a span did.
func (t texts) describe(span *trace.Span, tag tagJSON) {
	switch tag.Key {
	case "span.kind":
		span.Kind = kindOf(t.text(tag.Value))
	case "otel.status_code":
		status := strings.ToUpper(t.text(tag.Value))
		span.SetStatus(status == "ERROR", status == "OK")
	case "otel.status_description":
		span.StatusMessage = t.text(tag.Value)
	default:
		if trace.MayExplain(tag.Key) {
			t.other(span, tag)
		} else if string(tag.Value) != "null" {
			span.Describe(t.intern(tag.Key), t.text(tag.Value))
		}
	}
}

// other keeps a tag that may explain.
func (t texts) other(span *trace.Span, tag tagJSON) { span.Other(t.intern(tag.Key), t.text(tag.Value)) }

func kindOf(text string) trace.Kind {
	for kind := trace.Unspecified; kind <= trace.Consumer; kind++ {
		if kind.String() == strings.ToLower(text) {
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

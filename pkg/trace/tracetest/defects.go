package tracetest

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Defect is a way in which traces arrive malformed.
type Defect struct {
	Name string
	Harm func(t *trace.Trace)
	// Notice is what must be told of it; empty for defects that need no repair.
	Notice string
}

// Defects of traces as stores return them, for traces of Shop.
func Defects() []Defect {
	missing := trace.SpanID{0xff}
	each := func(harm func(s *trace.Span)) func(t *trace.Trace) {
		return func(t *trace.Trace) {
			for i := range t.Spans {
				harm(&t.Spans[i])
			}
		}
	}
	return []Defect{
		{"missing parents", func(t *trace.Trace) { t.Spans[len(t.Spans)-1].ParentID = missing }, "spans have a parent that is missing"},
		{"duplicate ids", func(t *trace.Trace) { t.Spans = append(t.Spans, t.Spans[1]) }, "spans with a repeated id"},
		{"negative durations", func(t *trace.Trace) { t.Spans[len(t.Spans)-1].Duration = -5 }, "negative durations"},
		{"zero durations", func(t *trace.Trace) { t.Spans[len(t.Spans)-1].Duration = 0 }, ""},
		{"cycles", func(t *trace.Trace) {
			t.Spans = append(t.Spans, trace.Span{ID: missing, ParentID: missing, Service: "lost", Name: "loop"})
		}, "cycles"},
		{"clock skew of minutes", each(func(s *trace.Span) {
			if s.Service == "orders" {
				s.Start += int64(4 * time.Minute)
			}
		}), "clock skew"},
		{"times of tomorrow", each(func(s *trace.Span) { s.Start += int64(24 * time.Hour) }), ""},
		{"impossible times", each(func(s *trace.Span) { s.Start += int64(200 * 365 * 24 * time.Hour) }), "decades away"},
		{"names that are not UTF-8", each(func(s *trace.Span) { s.Name += "\xff" }), ""},
		{"statements that are not UTF-8", each(func(s *trace.Span) {
			for i := range s.Attributes {
				if s.Attributes[i].Key == "db.statement" || s.Attributes[i].Key == "db.query.text" {
					attributes := append([]trace.Attribute{}, s.Attributes...)
					attributes[i].Value += " -- \xff\xfe"
					s.Attributes = attributes
				}
			}
		}), ""},
		{"recursion", func(t *trace.Trace) {
			last := t.Spans[len(t.Spans)-1]
			for depth := range 300 {
				next := last
				next.ParentID, next.ID = last.ID, trace.SpanID{0xfe, byte(depth >> 8), byte(depth), 1}
				next.Kind, next.Name, next.Attributes = trace.Internal, "recurse", nil
				t.Spans, last = append(t.Spans, next), next
			}
		}, ""},
		{"no versions on half of the services", each(func(s *trace.Span) {
			if s.Service == "orders" || s.Service == "web" {
				s.Version = ""
			}
		}), ""},
		{"partial traces", func(t *trace.Trace) { t.Partial = true }, "missing spans"},
	}
}

// Harm does a defect to every second trace.
func Harm(traces []trace.Trace, defect Defect) []trace.Trace {
	for i := range traces {
		if i%2 == 0 {
			defect.Harm(&traces[i])
		}
	}
	return traces
}

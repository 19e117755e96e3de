package tempo

import (
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

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
	text = strings.Clone(text)
	t[text] = text
	return text
}

// describe sets what a key of Tempo's search says of a span. Unknown keys are
// not kept.
func (t texts) describe(span *trace.Span, key, text string) {
	switch strings.TrimPrefix(key, "span:") {
	case "parentID":
		// What is no id is no parent: the trace room sees the orphan.
		span.ParentID, _ = trace.ParseSpanID(text)
	case "kind":
		span.Kind = kindOf(text)
	case "status":
		span.SetStatus(text == "error", text == "ok")
	case "statusMessage":
		span.StatusMessage = t.intern(text)
	case "name":
		span.Name = t.intern(text)
	case "service.name":
		span.Service = t.intern(text)
	case "service.version":
		span.Version = t.intern(text)
	default:
		t.attribute(span, key, text)
	}
}

// attribute keeps an attribute that describes the operation, or may explain.
func (t texts) attribute(span *trace.Span, key, text string) {
	if trace.MayExplain(key) {
		if span.Other(key, text) {
			last := &span.Others[len(span.Others)-1]
			last.Key, last.Value = t.intern(last.Key), t.intern(last.Value)
		}
		return
	}
	known := len(span.Attributes)
	span.Describe(key, text)
	for i := known; i < len(span.Attributes); i++ {
		span.Attributes[i].Value = t.intern(span.Attributes[i].Value)
	}
}

func kindOf(text string) trace.Kind {
	for kind := trace.Unspecified; kind <= trace.Consumer; kind++ {
		if kind.String() == text {
			return kind
		}
	}
	return trace.Unspecified
}

// found is a trace as a search found it.
type found struct {
	trace.Trace
	start   int64 // the store's own idea of the start, in nanoseconds since the epoch
	matched int   // spans that the search matched; fewer may have been returned
	counted int   // spans that the store counted in the parts of the trace it looked at
}

// cut reports whether the store said that it holds more spans than it gave: of
// every trace there is one at least.
func (f *found) cut() bool { return max(f.matched, f.counted, 1) > len(f.Spans) }

// newestFirst orders traces by start, then id.
func newestFirst(traces []found) {
	slices.SortFunc(traces, func(a, b found) int {
		if a.start != b.start {
			if a.start > b.start {
				return -1
			}
			return 1
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
}

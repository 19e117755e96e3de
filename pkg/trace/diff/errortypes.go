package diff

import (
	"cmp"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// ErrorType is one way in which calls of a path fail.
type ErrorType struct {
	// Name is the exception or error type, else the status code; with ": " and its
	// message without what varies, where only the message is new.
	Name string
	// Baseline and Candidate are the traces in which a call of the path fails
	// so, of those in which the failure begins there.
	Baseline, Candidate int
	// New says that the type is in at least three of the candidate's traces and
	// in none of the baseline's, which has enough traces with the path to have
	// shown it.
	New bool
}

// errorTypeKeys are the attributes that name a failure, the most telling
// first.
var errorTypeKeys = []string{
	"exception.type", "error.type", "rpc.grpc.status_code", "http.response.status_code", "http.status_code",
}

// errorTypeOf is what a failed call's spans say about the failure, empty for
// nothing.
func errorTypeOf(t *trace.Trace, node *trace.Node) string {
	for _, key := range errorTypeKeys {
		for _, span := range [...]int32{node.Server, node.Span} {
			if span == trace.None {
				continue
			}
			if value := t.Spans[span].Attribute(key); value != "" {
				return value
			}
		}
	}
	return ""
}

// errorMessageOf is what a failed call's spans say in words, without what varies
// from request to request, after the type; empty for nothing.
func errorMessageOf(t *trace.Trace, node *trace.Node) string {
	for _, span := range [...]int32{node.Server, node.Span} {
		if span == trace.None {
			continue
		}
		message := t.Spans[span].Attribute("exception.message")
		if message == "" {
			message = t.Spans[span].StatusMessage
		}
		if message = trace.NormalizeMessage(message); message != "" {
			return message
		}
	}
	return ""
}

// maxErrorTypes bounds how many different names one side holds; what comes
// after has no name.
const maxErrorTypes = 1000

// errorTypes numbers the names of failures; 0 is for none.
type errorTypes struct {
	names   []string
	numbers map[string]uint16
}

func (e *errorTypes) number(name string) uint16 {
	if name == "" {
		return 0
	}
	if number, known := e.numbers[name]; known {
		return number
	}
	if len(e.names) >= maxErrorTypes {
		return 0
	}
	if e.numbers == nil {
		e.numbers = map[string]uint16{}
	}
	e.names = append(e.names, name)
	e.numbers[name] = uint16(len(e.names))
	return uint16(len(e.names))
}

// typeOf and messageOf are the number of a failure's type and of its message.
func typeOf(c *call) uint16    { return c.errorType }
func messageOf(c *call) uint16 { return c.errorMessage }

// count is in how many requests each type, or message, occurs among the calls of a
// path.
func (e *errorTypes) count(calls []call, of func(*call) uint16) map[string]int {
	counts := map[string]int{}
	type occurrence struct {
		request int32
		number  uint16
	}
	seen := map[occurrence]bool{}
	for i := range calls {
		if at := (occurrence{calls[i].request, of(&calls[i])}); at.number > 0 && !seen[at] {
			seen[at] = true
			counts[e.names[at.number-1]]++
		}
	}
	return counts
}

// errorTypesOf compares how the calls of a path fail on both sides: the new
// types first, then by how often they occur.
func (c *comparison) errorTypesOf(q *question) []ErrorType {
	if q.baseline.origin+q.candidate.origin == 0 {
		return nil
	}
	before, after := c.baseline.errorTypes.count(q.baseline.calls, typeOf), c.candidate.errorTypes.count(q.candidate.calls, typeOf)
	types := c.newMessages(q, before)
	for name, count := range after {
		isNew := count >= minOfNewType && before[name] == 0 && q.baseline.present >= c.options.MinTracesForNew
		types = append(types, ErrorType{Name: name, Baseline: before[name], Candidate: count, New: isNew})
	}
	for name, count := range before {
		if after[name] == 0 {
			types = append(types, ErrorType{Name: name, Baseline: count})
		}
	}
	slices.SortFunc(types, func(a, b ErrorType) int {
		return cmp.Or(one(b.New)-one(a.New), cmp.Compare(b.Candidate, a.Candidate), cmp.Compare(b.Baseline, a.Baseline), cmp.Compare(a.Name, b.Name))
	})
	return types
}

// newMessages are messages that the baseline did not have, of types that it had.
func (c *comparison) newMessages(q *question, before map[string]int) (types []ErrorType) {
	if q.baseline.present < c.options.MinTracesForNew {
		return nil
	}
	earlier := c.baseline.errorMessages.count(q.baseline.calls, messageOf)
	for name, count := range c.candidate.errorMessages.count(q.candidate.calls, messageOf) {
		kind, _, _ := strings.Cut(name, messageSeparator)
		if count >= minOfNewType && earlier[name] == 0 && (kind == "" || before[kind] > 0) {
			types = append(types, ErrorType{Name: strings.TrimPrefix(name, messageSeparator), Candidate: count, New: true})
		}
	}
	return types
}

// messageSeparator stands between a failure's type and its message.
const messageSeparator = ": "

// minOfNewType is in how many traces a type of failure must occur to be
// called new.
const minOfNewType = 3

package diff

import (
	"cmp"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// ErrorType is one way in which calls of a path fail.
type ErrorType struct {
	// Name is the exception or error type, else the status code.
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

// count is in how many requests each type occurs among the calls of a path.
func (e *errorTypes) count(calls []call) map[string]int {
	counts := map[string]int{}
	type occurrence struct {
		request int32
		number  uint16
	}
	seen := map[occurrence]bool{}
	for i := range calls {
		if at := (occurrence{calls[i].request, calls[i].errorType}); at.number > 0 && !seen[at] {
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
	before, after := c.baseline.errorTypes.count(q.baseline.calls), c.candidate.errorTypes.count(q.candidate.calls)
	var types []ErrorType
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

// minOfNewType is in how many traces a type of failure must occur to be
// called new.
const minOfNewType = 3

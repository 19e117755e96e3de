package pattern_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// step is a span of a fixture: what it is, when it begins after its caller
// began, and how long it takes, in milliseconds.
type step struct {
	kind       trace.Kind
	service    string
	name       string
	at, took   float64
	failed     bool
	attributes []trace.Attribute
	steps      []step
}

func attributes(pairs ...string) (list []trace.Attribute) {
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, trace.Attribute{Key: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func serve(service, method, route, path string, took float64, steps ...step) step {
	return step{kind: trace.Server, service: service, name: method + " " + route, took: took, steps: steps,
		attributes: attributes("http.request.method", method, "http.route", route, "http.target", path)}
}

// within is local work.
func within(service, name string, at, took float64, steps ...step) step {
	return step{kind: trace.Internal, service: service, name: name, at: at, took: took, steps: steps}
}

func statement(service, text string, at, took float64) step {
	return step{kind: trace.Client, service: service, name: text[:min(len(text), 6)], at: at, took: took,
		attributes: attributes("db.system", "postgresql", "db.statement", text)}
}

func command(service, text string, at, took float64) step {
	return step{kind: trace.Client, service: service, name: text[:3], at: at, took: took,
		attributes: attributes("db.system", "redis", "db.statement", text)}
}

// fetch is a client's span with the server's span in it.
func fetch(from, to, method, route, path string, at, took float64, steps ...step) step {
	served := serve(to, method, route, path, took-0.4, steps...)
	served.at = 0.2
	return step{kind: trace.Client, service: from, name: method, at: at, took: took, steps: []step{served},
		attributes: attributes("http.request.method", method, "server.address", to)}
}

func failing(s step) step {
	s.failed = true
	for i := range s.steps {
		s.steps[i].failed = true
	}
	return s
}

// inRow lays steps one after the other, with a pause between them.
func inRow(at, pause float64, steps ...step) []step {
	for i := range steps {
		steps[i].at = at
		at += steps[i].took + pause
	}
	return steps
}

func repeat(count int, build func(i int) step) (steps []step) {
	for i := range count {
		steps = append(steps, build(i))
	}
	return steps
}

// population is count traces of what build returns, one every 200 ms. Durations
// and ids follow from the number alone.
func population(count int, build func(i int) step) []trace.Trace {
	traces := slices.Grow([]trace.Trace{}, count)
	for i := range count {
		t := trace.Trace{}
		binary.BigEndian.PutUint64(t.ID[8:], uint64(i+1))
		random := rand.New(rand.NewPCG(uint64(i), 7))
		start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * 200 * time.Millisecond)
		addSpan(&t, random, build(i), trace.SpanID{}, start.UnixNano())
		traces = append(traces, t)
	}
	return traces
}

func addSpan(t *trace.Trace, random *rand.Rand, s step, parent trace.SpanID, from int64) {
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], random.Uint64()|1)
	start := from + int64(s.at*1e6)
	t.Spans = append(t.Spans, trace.Span{
		ID: id, ParentID: parent, Kind: s.kind, Failed: s.failed, Start: start, Duration: int64(s.took * 1e6),
		Service: s.service, Name: s.name, Attributes: s.attributes,
	})
	for _, child := range s.steps {
		addSpan(t, random, child, id, start)
	}
}

// kinds are the kinds found, sorted.
func kinds(r pattern.Result) (found []string) {
	for _, f := range r.Findings {
		found = append(found, string(f.Kind))
	}
	slices.Sort(found)
	return found
}

func only(r pattern.Result, kind pattern.Kind) pattern.Finding {
	for _, f := range r.Findings {
		if f.Kind == kind {
			return f
		}
	}
	panic(fmt.Sprintf("no %s among %v", kind, kinds(r)))
}

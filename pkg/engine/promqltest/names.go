// Package promqltest checks the PromQL that the engine makes: names of services,
// versions and operations must never be more than the value of a matcher.
package promqltest

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Names are what a query can hold.
type Names struct{ Service, Version, Other, Operation string }

// Producer makes PromQL of names.
type Producer func(Names) []string

// Recorder is a metrics server without series that records its queries. Every
// selector matches the metrics in Known.
type Recorder struct {
	upstream.Metrics
	Known []string

	mu     sync.Mutex
	promQL []string
}

// Queries are the recorded expressions, sorted: queries may run side by side.
func (r *Recorder) Queries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.promQL))
}

func (r *Recorder) record(promQL ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.promQL = append(r.promQL, promQL...)
}

// LabelValues implements upstream.Metrics.
func (r *Recorder) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	r.record(selectors...)
	return r.Known, nil, nil
}

// QueryRange implements upstream.Metrics.
func (r *Recorder) QueryRange(_ context.Context, promQL string, _ upstream.Range) (upstream.SeriesSet, error) {
	r.record(promQL)
	return upstream.SeriesSet{}, nil
}

// Exemplars implements upstream.Metrics.
func (r *Recorder) Exemplars(_ context.Context, promQL string, _, _ time.Time) ([]upstream.Exemplar, error) {
	r.record(promQL)
	return nil, nil
}

// Equals is the matcher of a label's value.
func Equals(label, value string) string {
	return labels.MustNewMatcher(labels.MatchEqual, label, value).String()
}

// Shape is an expression without its matchers, and the matchers.
func Shape(promQL string) (bare string, matchers []*labels.Matcher, err error) {
	parsed, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(promQL)
	if err != nil {
		return "", nil, err
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is {
			matchers = append(matchers, selector.LabelMatchers...)
			selector.Name, selector.LabelMatchers = "x", nil
		}
		return nil
	})
	return parsed.String(), matchers, nil
}

var (
	plain = Names{"SERVICE-MARK", "VERSION-MARK", "OTHER-MARK", "OPERATION-MARK"}
	nasty = []string{
		"orders", `a"b`, `x"} or vector(0) or y{a="`, `x'} or vector(0) #`, "x`} or y", `\`, `\"`, "a\nb",
		"$versions", "$service", "$r", "$range", "$m", "$interval", ".*", "(", "ü\x00",
	}
)

// FuzzNames checks with Prometheus' own parser that producers put names into
// the values of matchers and change nothing else. The first few producers, and
// the last few, are tried with every kind of name.
func FuzzNames(f *testing.F, producers []Producer, first, last int) {
	for i := range producers {
		seeds := 3
		if i < first || i >= len(producers)-last {
			seeds = len(nasty)
		}
		for j := range seeds {
			at := func(k int) string { return nasty[(i+5*j+3*k)%len(nasty)] }
			f.Add(uint16(i), at(0), at(1), at(2), at(3))
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, a, b, c, d string) {
		names := Names{a, b, c, d}
		for _, name := range []string{a, b, c, d} {
			if name == "" || !utf8.ValidString(name) { // no regular expression can hold it: the server refuses
				return
			}
		}
		producer := producers[int(which)%len(producers)]
		wanted := producer(plain)
		made := producer(names)
		require.Len(t, made, len(wanted))
		for i := range made {
			requireBound(t, made[i], wanted[i], names)
		}
	})
}

// requireBound checks that an expression is the wanted one with other values.
func requireBound(t *testing.T, made, wanted string, names Names) {
	t.Helper()
	bare, matchers, err := Shape(made)
	if err != nil {
		t.Fatalf("%s: %v", made, err)
	}
	wantBare, wantMatchers, err := Shape(wanted)
	require.NoError(t, err)
	if bare != wantBare || len(matchers) != len(wantMatchers) {
		t.Fatalf("the shape of\n%s\nis not that of\n%s", made, wanted)
	}
	pairs := [][2]string{{plain.Service, names.Service}, {plain.Version, names.Version}, {plain.Other, names.Other}, {plain.Operation, names.Operation}}
	var literal, pattern []string
	for _, p := range pairs {
		literal = append(literal, p[0], p[1])
		pattern = append(pattern, regexp.QuoteMeta(p[0]), regexp.QuoteMeta(p[1]))
	}
	for j, m := range matchers {
		in := strings.NewReplacer(literal...)
		if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
			in = strings.NewReplacer(pattern...)
		}
		want := in.Replace(wantMatchers[j].Value)
		rawQuote := strings.Contains(names.Service, "`") && strings.Contains(wanted, "`") // has no escape: it matches nothing
		if m.Name != wantMatchers[j].Name || m.Type != wantMatchers[j].Type || m.Value != want && !rawQuote {
			t.Fatalf("%s\nhas the matcher %s, wanted %q", made, m, want)
		}
	}
}

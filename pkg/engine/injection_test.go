package engine

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

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// listener is a metrics server that writes down what it is asked.
type listener struct {
	upstream.Metrics
	mu     sync.Mutex
	promQL []string
}

func (a *listener) hear(promQL ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.promQL = append(a.promQL, promQL...)
	slices.Sort(a.promQL) // some is asked side by side; what names a label comes before its value
}

func (a *listener) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	a.hear(selectors...)
	return []string{versionedMetrics[2].bucket}, nil, nil
}

func (a *listener) QueryRange(_ context.Context, promQL string, _ upstream.Range) (upstream.SeriesSet, error) {
	a.hear(promQL)
	return upstream.SeriesSet{}, nil
}

func (a *listener) Exemplars(_ context.Context, promQL string, _, _ time.Time) ([]upstream.Exemplar, error) {
	a.hear(promQL)
	return nil, nil
}

// ownTemplates name a service in every kind of literal that PromQL has.
var ownTemplates = []string{
	`x{app="$service", b=~".*\"$service"}`, `rate(x{app='$service'}[$interval]) # it's "$service"`, "x{app=`$service`} / y{a=~`$service|b`, c!~ '$service'}",
}

// names are what a question can hold.
type names struct{ service, version, other, operation string }

// asking is how many producers come before those that repeat a template.
const asking = 6

// producers are all that makes PromQL of names.
func producers() (all []func(names) []string) {
	add := func(make func(names) []string) { all = append(all, make) }
	ask := func(question func(*Engine, comparison)) {
		add(func(n names) []string {
			server := &listener{}
			question(&Engine{Metrics: server, Now: time.Now}, comparison{
				baseline:  upstream.TraceFilter{Service: n.service, Version: n.other, Start: time.Unix(0, 0), End: time.Unix(60, 0)},
				candidate: upstream.TraceFilter{Service: n.service, Version: n.version, Operation: n.operation, Start: time.Unix(60, 0), End: time.Unix(120, 0)},
			})
			return server.promQL
		})
	}
	ctx := context.Background()
	ask(func(e *Engine, c comparison) {
		_, matcher, _, _ := e.versionedMetric(ctx, c)
		_, _ = e.Metrics.QueryRange(ctx, "x{"+matcher+"}", upstream.Range{})
	})
	ask(func(e *Engine, c comparison) { _, _ = e.versionResources(ctx, c, &Basis{}) })
	ask(func(e *Engine, c comparison) { _, _ = e.exemplary(ctx, c.candidate) })
	ask(func(e *Engine, c comparison) { _, _ = e.traffic(ctx, c.candidate) })
	ask(func(e *Engine, c comparison) { _, _ = e.presetsOf(ctx, c.candidate.Service, time.Time{}, time.Time{}) })
	add(func(n names) []string { return []string{buildQuery(n.service), replicasOf(n.service)} })
	for i, p := range presets {
		add(func(n names) []string {
			return []string{foundPreset{preset: p, matcher: equals(serviceLabels[i%len(serviceLabels)], n.service)}.query(n.service, time.Minute)}
		})
	}
	for _, p := range append(slices.Clone(probes), processorUse, poolUsed, poolPeak, poolMost, poolTaken, poolTimeouts, cacheHits, cacheMisses) {
		add(func(n names) []string { return []string{p.of(n.service, time.Minute)} })
	}
	for _, template := range ownTemplates {
		add(func(n names) []string { return []string{fillOwn(template, n.service, time.Minute)} })
	}
	return all
}

func equals(label, value string) string {
	return labels.MustNewMatcher(labels.MatchEqual, label, value).String()
}

// shape is an expression without the values of its matchers, and its matchers.
func shape(promQL string) (bare string, matchers []*labels.Matcher, err error) {
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

// FuzzNamesInPromQL checks with Prometheus' own parser that no name of a service,
// a version or an operation is more than the value of a matcher.
func FuzzNamesInPromQL(f *testing.F) {
	plain := names{"SERVICE-MARK", "VERSION-MARK", "OTHER-MARK", "OPERATION-MARK"}
	all := producers()
	for i := range all {
		nasty := []string{"orders", `a"b`, `x"} or vector(0) or y{a="`, `x'} or vector(0) #`, "x`} or y", `\`, `\"`, "a\nb", "$versions", "$service", "$r", "$range", "$m", "$interval", ".*", "(", "ü\x00"}
		seeds := 3
		if i < asking || i >= len(all)-len(ownTemplates) { // these are not all alike, as presets are
			seeds = len(nasty)
		}
		for j := range seeds {
			at := func(k int) string { return nasty[(i+5*j+3*k)%len(nasty)] }
			f.Add(uint16(i), at(0), at(1), at(2), at(3))
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, a, b, c, d string) {
		for _, name := range []string{a, b, c, d} {
			if name == "" || !utf8.ValidString(name) { // no regular expression can hold it: the server refuses
				return
			}
		}
		literally := strings.NewReplacer(plain.service, a, plain.version, b, plain.other, c, plain.operation, d)
		inPattern := strings.NewReplacer(regexp.QuoteMeta(plain.service), regexp.QuoteMeta(a), regexp.QuoteMeta(plain.version), regexp.QuoteMeta(b),
			regexp.QuoteMeta(plain.other), regexp.QuoteMeta(c), regexp.QuoteMeta(plain.operation), regexp.QuoteMeta(d))
		producer := all[int(which)%len(all)]
		wanted := producer(plain)
		for i, made := range producer(names{a, b, c, d}) {
			bare, matchers, err := shape(made)
			if err != nil {
				t.Fatalf("%s: %v", made, err)
			}
			wantBare, wantMatchers, err := shape(wanted[i])
			require.NoError(t, err)
			if bare != wantBare || len(matchers) != len(wantMatchers) {
				t.Fatalf("the shape of\n%s\nis not that of\n%s", made, wanted[i])
			}
			for j, m := range matchers {
				in := literally
				if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
					in = inPattern
				}
				want := in.Replace(wantMatchers[j].Value)
				rawQuote := strings.Contains(a, "`") && strings.Contains(wanted[i], "`") // has no escape: it matches nothing
				if m.Name != wantMatchers[j].Name || m.Type != wantMatchers[j].Type || m.Value != want && !rawQuote {
					t.Fatalf("%s\nhas the matcher %s, wanted %q", made, m, want)
				}
			}
		}
	})
}

// FuzzFilters checks that a dashboard's filter adds a matcher to each selector and
// changes nothing else.
func FuzzFilters(f *testing.F) {
	operators := []string{"=", "!=", "=~", "!~"}
	for _, value := range []string{"a", `a"b`, "x'y", "`", `\`, "a\nb", `"} or vector(0) #`, ".*", "("} {
		f.Add("job", uint8(0), value)
		f.Add(value, uint8(2), value)
	}
	const expr = `sum by (le) (rate(a{x="1"}[5m])) / on () max_over_time(b[1h:1m] offset 5m) > bool 1`
	bare, before, err := shape(expr)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, key string, operator uint8, value string) {
		one := query.Filter{Key: key, Operator: operators[int(operator)%len(operators)], Value: value}
		if (query.Breach{Expr: expr, Filters: []query.Filter{one}, Threshold: new(1.0)}).WithDefaults().Validate() != nil {
			return
		}
		made, err := filtered(expr, []query.Filter{one})
		if err != nil {
			return
		}
		got, matchers, err := shape(made)
		require.NoError(t, err, made)
		require.Equal(t, bare, got)
		require.Len(t, matchers, len(before)+2, made)
		added := 0
		for _, m := range matchers {
			if m.Name == key && m.Value == value && m.Type.String() == one.Operator {
				added++
			}
		}
		require.GreaterOrEqual(t, added, 2, made)
	})
}

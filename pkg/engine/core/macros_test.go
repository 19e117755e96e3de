package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func TestFillMacros(t *testing.T) {
	g := NewGrid(Window{From: noon.Add(-6 * time.Hour), To: noon}, time.Hour, 2*time.Minute, noon)
	for expr, want := range map[string]string{
		"rate(a[$__interval])":                         "rate(a[120s])",
		"rate(a[${__interval}])":                       "rate(a[120s])",
		"a / $__interval_ms":                           "a / 120000",
		"rate(a[$__rate_interval])":                    "rate(a[135s])",
		"rate(a[${__rate_interval}])":                  "rate(a[135s])",
		"increase(x[$__range])":                        "increase(x[21600s])",
		"increase(x[${__range}])":                      "increase(x[21600s])",
		"increase(x[${__range:raw}])":                  "increase(x[21600s])",
		"increase(x[${__range_s}s]) / $__range_ms":     "increase(x[21600s]) / 21600000",
		"increase(x[${__range_s:text}s])":              "increase(x[21600s])",
		"increase(x[$__range]) + rate(x[$__range])":    "increase(x[21600s]) + rate(x[21600s])",
		`x{a="$__unknown", b="$service"}`:              `x{a="$__unknown", b="$service"}`,
		"increase(x[[[__range]]]) + [[__range_s:raw]]": "increase(x[21600s]) + 21600",
		"x @ ${__to:date:seconds}":                     "x @ 1795176000",
		"x > $__from + ${__to} + ${__to:date}":         "x > 1795154400000 + 1795176000000 + 2026-11-20T12:00:00.000Z",
	} {
		require.Equal(t, want, fillMacros(expr, g, defaultScrape), expr)
	}
	fine := Grid{Step: 30 * time.Second, Range: time.Hour}
	require.Equal(t, "rate(a[60s])", fillMacros("rate(a[$__rate_interval])", fine, defaultScrape), "four scrapes at least")
	require.Equal(t, "rate(a[240s])", fillMacros("rate(a[$__rate_interval])", fine, time.Minute))
}

// scraped is a server of counters with so many seconds between samples.
type scraped struct {
	upstream.Metrics
	seconds float64
	series  int
	err     error
	lock    sync.Mutex // of what is recorded: questions come side by side
	queries []string
}

func (s *scraped) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	s.lock.Lock()
	s.queries = append(s.queries, promQL)
	s.lock.Unlock()
	if _, err := parser.NewParser(parser.Options{}).ParseExpr(promQL); err != nil {
		return upstream.SeriesSet{}, err
	}
	if strings.Contains(promQL, "count_over_time") {
		look := scrapeLook
		if strings.Contains(promQL, fmt.Sprintf("[%ds]", int(rareLook.Seconds()))) {
			look = rareLook
		}
		if s.seconds > look.Seconds() {
			return upstream.SeriesSet{}, s.err
		}
		return upstream.SeriesSet{Series: []series.Series{{Labels: series.Labels{"expr": "0"}, Values: []float64{look.Seconds() / s.seconds}}}}, s.err
	}
	set := upstream.SeriesSet{}
	for i := range s.series {
		set.Series = append(set.Series, series.Series{
			Labels: series.Labels{"instance": fmt.Sprintf("node-%03d", i)}, Start: window.Start, Step: window.Step, Values: make([]float64, window.Points()),
		})
	}
	return set, s.err
}

// TestRateIntervalIsLearned: a counter scraped once a minute needs a window of
// four minutes for a rate; it is learned from the samples, for every selector.
func TestRateIntervalIsLearned(t *testing.T) {
	g := NewGrid(Window{From: noon.Add(-time.Hour), To: noon}, time.Hour, 0, noon)
	for seconds, want := range map[float64]string{5: "75s", 15: "75s", 30: "120s", 60: "240s", 61.3: "240s", 120: "480s", 300: "1200s", 600: "2400s", 1800: "7200s"} {
		server := &scraped{seconds: seconds, series: 1}
		promQL, err := Sources{Metrics: server}.fill(t.Context(), "sum(rate(x_total[$__rate_interval])) / sum(rate(y_total[${__rate_interval}] offset 1h))", g)
		require.NoError(t, err)
		require.Equal(t, "sum(rate(x_total["+want+"])) / sum(rate(y_total["+want+"] offset 1h))", promQL)
		if seconds < 300 {
			require.Len(t, server.queries, 1)
		}
	}
	server := &scraped{seconds: 60}
	promQL, err := Sources{Metrics: server}.fill(t.Context(), "rate(x[$__interval])", g)
	require.NoError(t, err)
	require.Equal(t, "rate(x[60s])", promQL)
	require.Empty(t, server.queries, "only a rate interval depends on the scrape interval")

	_, err = Sources{Metrics: &scraped{err: errors.New("no Prometheus today")}}.fill(t.Context(), "rate(x[$__rate_interval])", g)
	require.ErrorContains(t, err, "no Prometheus today")
}

// TestARuleLeavesNoSeriesOut: a panel shows the first series and says so; a rule
// evaluates all, or fails.
func TestARuleLeavesNoSeriesOut(t *testing.T) {
	history := func(count int, complete bool) ([]RawSeries, Provenance, error) {
		sources := Sources{Metrics: &scraped{series: count}, Limits: Limits{MaxSeries: 200}}
		basis := Provenance{}
		g := NewGrid(Window{From: noon.Add(-time.Hour), To: noon, Complete: complete}, time.Hour, 0, noon)
		found, err := sources.FilteredHistory(t.Context(), "disk_used_ratio", nil, g, &basis)
		return found, basis, err
	}
	panel, basis, err := history(250, false)
	require.NoError(t, err)
	require.Len(t, panel, 200)
	require.Contains(t, basis.Notices[0], "Only the first 200 of 250 series")

	rule, basis, err := history(250, true)
	require.NoError(t, err)
	require.Len(t, rule, 250)
	require.Equal(t, "node-249", rule[249].labels["instance"])
	require.Empty(t, basis.Notices)

	_, _, err = history(1001, true)
	var fault *UserError
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, "returned 1001 series, and a rule evaluates at most 1000")
}

// TestARuleKnowsNoVariables: an expression with one that nobody fills in selects
// nothing, and would be "no data" for good.
func TestARuleKnowsNoVariables(t *testing.T) {
	for expr, name := range map[string]string{
		`up{job="$job"}`:                           "$job",
		`up{job=~"${job:regex}"}`:                  "${job:regex}",
		`up{job="[[job]]"}`:                        "[[job]]",
		`sum(rate(x{job=~"$job|b"}[5m]))`:          "$job",
		`rate(x[$window])`:                         "$window",
		`up{path="/users/$id"}`:                    "",
		`up{job=~"a$|b$"}`:                         "",
		`label_replace(up, "a", "$name", "b", "")`: "",
		`up{price=~"\\$free"}`:                     "",
		"up{job=`$job`}":                           "$job",
	} {
		require.Equal(t, name, unfilled(expr), expr)
	}
	rule := Grid{Step: time.Minute, Complete: true}
	_, err := Sources{}.Filled(t.Context(), `up{job="$job"}`, nil, rule)
	var fault *UserError
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, "expr holds $job, a variable without a value")
	_, err = Sources{}.Filled(t.Context(), `up{job="$job"}`, nil, Grid{Step: time.Minute})
	require.NoError(t, err, "in a panel Grafana has filled in what it knows")
}

// TestFiltersOfAnyName: label names may hold dots, as OpenTelemetry's do.
func TestFiltersOfAnyName(t *testing.T) {
	q := query.Anomaly{Expr: "sum(up)", Filters: []query.Filter{{Key: "service.name", Value: "shop"}}}.WithDefaults()
	require.NoError(t, q.Validate())
	made, err := filtered(q.Expr, q.Filters)
	require.NoError(t, err)
	require.Equal(t, `sum(up{"service.name"="shop"})`, made)
}

package journeys

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/journey"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// unknown is a step of which nothing is known.
var unknown = journey.Stats{Requests: math.NaN(), Success: math.NaN(), Latency: math.NaN(), Passed: math.NaN()}

// counts are the steps of a journey on one grid; from is the window's first
// point.
type counts struct {
	grid  core.Grid
	from  int
	steps []journey.Step
}

func (c *counts) points() int { return int(c.grid.To.Sub(c.grid.Start)/c.grid.Step) + 1 }

// count reads the steps that are operations from span metrics, with one query for
// each measure of all steps. It is nil where there are none.
func (e Analyst) count(ctx context.Context, j *Journey, q query.Journey, window core.Window, brief bool, basis *core.Provenance) (*counts, error) {
	var services, operations []string
	for _, s := range j.Steps {
		if s.TraceQL == "" {
			services, operations = append(services, s.Service), append(operations, s.Operation)
		}
	}
	if len(services) == 0 {
		return nil, nil
	}
	metric, err := e.spanMetric(ctx, services, window)
	if err != nil || metric == nil {
		for i := range j.Steps {
			if j.Steps[i].TraceQL == "" {
				j.Steps[i].Problem = "its service has no span metrics"
			}
		}
		j.Problem = "none of its services has span metrics, by which steps are counted: enable them in Tempo or in the Collector, or write the steps as TraceQL"
		return nil, err
	}
	matcher := fmt.Sprintf(`%s=~%s, span_name=~%s`, metric.Label, anyOf(services), anyOf(operations))
	window, err = e.WithScrape(ctx, window, time.Duration(q.Step), metric.Calls+"{"+matcher+"}")
	if err != nil {
		return nil, err
	}
	c := &counts{grid: core.ScoringGrid(window, time.Duration(q.History), time.Duration(q.Step), anomaly.Reach, e.Now())}
	c.from = int(c.grid.From.Sub(c.grid.Start) / c.grid.Step)
	over := int(max(core.RateWindow(window.Scrape), c.grid.Step).Seconds())
	seconds := fmt.Sprintf("rate(%s{%s}[%ds])", metric.Duration.Sum(), matcher, over)
	if metric.native {
		seconds = fmt.Sprintf("histogram_sum(rate(%s{%s}[%ds]))", metric.Duration.Name, matcher, over)
	}
	var sets [3][]series.Series
	for i, perSecond := range []string{
		fmt.Sprintf("rate(%s{%s}[%ds])", metric.Calls, matcher, over),
		fmt.Sprintf("rate(%s{%s, %s}[%ds])", metric.Calls, matcher, wellknown.FailedSpans, over),
		seconds,
	} {
		found, err := e.History(ctx, fmt.Sprintf("60 * sum by (%s, span_name, span_kind) (%s)", metric.Label, perSecond), c.grid, basis)
		if err != nil {
			return nil, err
		}
		sets[i] = core.AlignAll(found)
	}
	var quantiles []series.Series
	if !brief {
		if quantiles, err = e.quantiles(ctx, *metric, matcher, c.grid, basis); err != nil {
			return nil, err
		}
	}
	for i := range j.Steps {
		s := &j.Steps[i]
		step := journey.Step{Name: s.Title()}
		if s.TraceQL == "" {
			kind := kindOf(sets[0], metric.Label, s.JourneyStep)
			step.Requests = valuesOf(sets[0], metric.Label, s.JourneyStep, kind)
			step.Failed = valuesOf(sets[1], metric.Label, s.JourneyStep, kind)
			step.Latency = valuesOf(sets[2], metric.Label, s.JourneyStep, kind)
			for k := range step.Latency {
				if k < len(step.Requests) && step.Requests[k] > 0 {
					step.Latency[k] *= metric.Duration.Unit / step.Requests[k]
				} else {
					step.Latency[k] = math.NaN()
				}
			}
			if p95 := valuesOf(quantiles, metric.Label, s.JourneyStep, kind); len(p95) > 0 {
				s.P95 = p95[len(p95)-1] * metric.Duration.Unit
			}
			if step.Requests == nil {
				s.Problem = fmt.Sprintf("never occurred between %s and %s: check the names of service and operation", core.FormatTime(c.grid.Start), core.FormatTime(c.grid.To))
				basis.AddNotice(fmt.Sprintf("%s, step %d: %s %s.", j.Name, i+1, step.Name, s.Problem))
			}
		}
		c.steps = append(c.steps, step)
	}
	return c, nil
}

// spans are the span metrics that know a service.
type spans struct {
	wellknown.Spans
	native bool // durations are native histograms only
}

// spanMetric are the span metrics that know one of the services; nil for none.
func (e Analyst) spanMetric(ctx context.Context, services []string, window core.Window) (*spans, error) {
	from, to := core.Hourly(window)
	for _, m := range wellknown.SpanMetrics {
		found, _, err := e.Metrics.LabelValues(ctx, "__name__", []string{fmt.Sprintf(`{__name__=~"%s|%s|%s", %s=~%s}`, m.Calls, m.Duration.Sum(), m.Duration.Name, m.Label, anyOf(services))}, from, to)
		if err != nil {
			return nil, err
		}
		classic := slices.Contains(found, m.Duration.Sum())
		if slices.Contains(found, m.Calls) && (classic || slices.Contains(found, m.Duration.Name)) {
			return &spans{m, !classic}, nil
		}
	}
	return nil, nil
}

// quantiles are the 95th percentiles over the window, of classic or native
// histograms.
func (e Analyst) quantiles(ctx context.Context, m spans, matcher string, g core.Grid, basis *core.Provenance) ([]series.Series, error) {
	over := int(max(g.Range, 5*time.Minute).Seconds())
	by, name := m.Label+", span_name, span_kind, le", m.Duration.Bucket()
	if m.native {
		by, name = m.Label+", span_name, span_kind", m.Duration.Name
	}
	promQL := fmt.Sprintf("histogram_quantile(0.95, sum by (%s) (rate(%s{%s}[%ds])))", by, name, matcher, over)
	set, err := e.Metrics.QueryRange(ctx, promQL, upstream.Range{Start: g.To, End: g.To, Step: g.Step})
	if err != nil {
		return nil, err
	}
	basis.AddQuery("%s [at %s]", promQL, core.FormatTime(g.To))
	basis.AddNotice(set.Warnings...)
	return set.Series, nil
}

// anyOf is a quoted regular expression of names.
func anyOf(names []string) string {
	var quoted []string
	for _, name := range names {
		if name = regexp.QuoteMeta(name); !slices.Contains(quoted, name) {
			quoted = append(quoted, name)
		}
	}
	return strconv.Quote(strings.Join(quoted, "|"))
}

// kindOf is the kind of span by which a step is counted: those that its service
// serves, where there are any, since clients may use the same name.
func kindOf(all []series.Series, label string, s query.JourneyStep) (kind string) {
	for _, one := range all {
		if !is(one, label, s) {
			continue
		}
		switch found := one.Labels["span_kind"]; {
		case found == "SPAN_KIND_SERVER":
			return found
		case kind == "" || found == "SPAN_KIND_CONSUMER":
			kind = found
		}
	}
	return kind
}

func is(one series.Series, label string, s query.JourneyStep) bool {
	return one.Labels[label] == s.Service && one.Labels["span_name"] == s.Operation
}

// valuesOf are the values of a step; nil where there are none.
func valuesOf(all []series.Series, label string, s query.JourneyStep, kind string) []float64 {
	for _, one := range all {
		if is(one, label, s) && one.Labels["span_kind"] == kind {
			return slices.Clone(one.Values)
		}
	}
	return nil
}

// mean is that of the known values; NaN where there are none.
func mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

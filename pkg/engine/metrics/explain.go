package metrics

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/contribution"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// ExplainAnswer is the change of a metric, split by labels, the most telling
// first.
type ExplainAnswer struct {
	core.Provenance
	Since, Until time.Time // of the change
	From         time.Time // of the time before it
	// Deviation is by how many standard errors the level changed.
	Deviation float64
	// Scale and Offset bring the splits' figures to the metric's; Limit is the
	// quantile before, beyond which observations are counted, of histograms.
	Scale, Offset, Limit float64
	Histogram, Ratio     bool
	Splits               []contribution.Split
}

const (
	explainSteps = 60
	// maxTriedLabels bounds the labels that are tried where none are named, and
	// maxLabelValues the values of one: with more it tells series apart.
	maxTriedLabels, maxLabelValues = 20, 500
	// labelSample is of how many series the labels are read.
	labelSample = 200
	// smallChange is a deviation of the level, in standard errors, that is hardly a
	// change.
	smallChange = 3
)

// Explain answers which values of which labels carry a metric's change.
func (e Evaluator) Explain(ctx context.Context, q query.Explain, window core.Window) (ExplainAnswer, error) {
	answer := ExplainAnswer{}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	to := window.To
	if now := e.Now(); to.After(now) {
		to = now
	}
	step := cmp.Or(time.Duration(q.Step), core.StepFor(max(core.MinStep, to.Sub(window.From)/explainSteps)))
	grid := upstream.Range{Start: core.Floor(window.From, step), End: core.Floor(to, step), Step: step}
	if grid.Points() < 4 {
		return answer, core.UserErrorf("the window has %d steps of %s; widen it, so that there is a time before the change", grid.Points(), step)
	}
	promQL, err := e.Filled(ctx, q.Expr, q.Filters, core.NewGrid(window, 0, step, e.Now()))
	if err != nil {
		return answer, err
	}
	split, err := parseSplit(promQL)
	if err != nil {
		return answer, err
	}
	answer.Scale, answer.Offset, answer.Histogram = split.scale, split.offset, split.histogram
	answer.Ratio = split.denominator != nil || split.histogram
	whole, err := e.fetchSplit(ctx, split, nil, grid, &answer)
	if err != nil {
		return answer, err
	}
	if len(whole) == 0 {
		return answer, core.NotFoundErrorf("expr returned no series between %s and %s", core.FormatTime(grid.Start), core.FormatTime(grid.End))
	}
	from, change, until, err := e.periods(q, grid, whole, split, &answer)
	if err != nil {
		return answer, err
	}
	if split.histogram {
		answer.Limit = whole[0].quantile(split.quantile, from, change)
		if math.IsNaN(answer.Limit) {
			return answer, core.NotFoundErrorf("the histogram has no observations between %s and %s", core.FormatTime(answer.From), core.FormatTime(answer.Since))
		}
	}
	labels := q.Labels
	if len(labels) == 0 {
		if labels, err = e.labelsOf(ctx, split, grid); err != nil {
			return answer, err
		}
	}
	splits := make([]*contribution.Split, len(labels))
	notices := make([]string, len(labels))
	parts := make([]ExplainAnswer, len(labels))
	group, groupContext := parallel.WithContext(ctx)
	group.SetLimit(4)
	for i, label := range labels {
		group.Go(func() error {
			found, err := e.fetchSplit(groupContext, split, []string{label}, grid, &parts[i])
			if err != nil {
				return err
			}
			if len(found) > maxLabelValues {
				notices[i] = fmt.Sprintf("The label %s has %d values: it was not tried.", label, len(found))
				return nil
			}
			if len(found) < 2 && len(q.Labels) == 0 {
				return nil
			}
			values := make([]contribution.Value, len(found))
			for j, one := range found {
				values[j] = contribution.Value{Name: one.name, Before: one.period(split, answer.Limit, from, change), Now: one.period(split, answer.Limit, change, until)}
			}
			s := contribution.Of(label, values, answer.Ratio)
			splits[i] = &s
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return answer, err
	}
	for i, s := range splits {
		answer.Merge(parts[i].Provenance)
		answer.AddNotice(notices[i])
		if s != nil {
			answer.Splits = append(answer.Splits, *s)
		}
	}
	answer.Splits = contribution.Rank(answer.Splits)
	if answer.Deviation < smallChange {
		answer.AddNotice(fmt.Sprintf("The metric hardly changed (%.1f standard errors): the parts may be chance.", answer.Deviation))
	}
	return answer, nil
}

// periods are the steps of the time before the change, of its begin and of its end.
func (e Evaluator) periods(q query.Explain, grid upstream.Range, whole []splitSeries, split splitExpr, answer *ExplainAnswer) (from, change, until int, err error) {
	since, end, err := q.Bounds(grid.End)
	if err != nil {
		return 0, 0, 0, core.UserErrorf("%v", err)
	}
	until = min(grid.Points(), int(end.Sub(grid.Start)/grid.Step)+1)
	level := whole[0].levels(split, grid.Points())
	change, answer.Deviation = contribution.Change(level[:max(0, until)])
	if !since.IsZero() {
		change = int(math.Ceil(float64(since.Sub(grid.Start)) / float64(grid.Step)))
		answer.Deviation = math.Inf(1) // the asker knows that there is one
	}
	if change < 1 || change >= until {
		return 0, 0, 0, core.UserErrorf("no change of level was found between %s and %s: say since when, or choose a window that begins before it", core.FormatTime(grid.Start), core.FormatTime(grid.End))
	}
	answer.From, answer.Since = grid.Start, grid.Start.Add(time.Duration(change)*grid.Step)
	answer.Until = grid.Start.Add(time.Duration(until-1) * grid.Step)
	return 0, change, until, nil
}

// splitSeries is one value of a label: what is summed, by step, and of a histogram
// by bucket.
type splitSeries struct {
	name                   string
	numerator, denominator []float64
	buckets                []bucket
}

type bucket struct {
	limit  float64
	counts []float64
}

// fetchSplit reads a metric by labels, or as a whole for none.
func (e Evaluator) fetchSplit(ctx context.Context, split splitExpr, labels []string, grid upstream.Range, answer *ExplainAnswer) ([]splitSeries, error) {
	grouping := slices.Clone(labels)
	if split.histogram {
		grouping = append(grouping, "le")
	}
	found := map[string]*splitSeries{}
	var names []string
	named := func(one series.Series) *splitSeries {
		name := ""
		if len(labels) > 0 {
			name = one.Labels[labels[0]]
		}
		if found[name] == nil {
			found[name] = &splitSeries{name: name}
			names = append(names, name)
		}
		return found[name]
	}
	promQL := sumBy(split.numerator, grouping...)
	answer.AddQuery("%s", promQL)
	set, err := e.Metrics.QueryRange(ctx, promQL, grid)
	if err != nil {
		return nil, err
	}
	for _, one := range set.Series {
		s := named(one)
		if !split.histogram {
			s.numerator = one.Values
			continue
		}
		if limit, err := strconv.ParseFloat(one.Labels["le"], 64); err == nil {
			s.buckets = append(s.buckets, bucket{limit, one.Values})
		}
	}
	if split.denominator != nil {
		promQL := sumBy(split.denominator, grouping...)
		answer.AddQuery("%s", promQL)
		set, err := e.Metrics.QueryRange(ctx, promQL, grid)
		if err != nil {
			return nil, err
		}
		for _, one := range set.Series {
			named(one).denominator = one.Values
		}
	}
	slices.Sort(names)
	all := make([]splitSeries, 0, len(names))
	for _, name := range names {
		s := found[name]
		slices.SortFunc(s.buckets, func(a, b bucket) int { return cmp.Compare(a.limit, b.limit) })
		if !split.histogram || len(s.buckets) > 0 {
			all = append(all, *s)
		}
	}
	return all, nil
}

// mean is the mean over steps; a missing value counts as none, as nothing was
// counted.
func mean(values []float64, from, to int) float64 {
	sum := 0.0
	for i := from; i < min(to, len(values)); i++ {
		if !math.IsNaN(values[i]) && !math.IsInf(values[i], 0) {
			sum += values[i]
		}
	}
	return sum / float64(max(1, to-from))
}

// period is the value's sum or ratio in some steps.
func (s *splitSeries) period(split splitExpr, limit float64, from, to int) contribution.Period {
	switch {
	case split.histogram:
		total := s.below(math.Inf(1), from, to)
		return contribution.Period{Numerator: total - s.below(limit, from, to), Denominator: total}
	case split.denominator != nil:
		return contribution.Period{Numerator: mean(s.numerator, from, to), Denominator: mean(s.denominator, from, to)}
	}
	return contribution.Period{Numerator: mean(s.numerator, from, to)}
}

// below is how much was observed up to a limit, between the limits of buckets by
// their line.
func (s *splitSeries) below(limit float64, from, to int) float64 {
	if math.IsInf(limit, 1) {
		return mean(s.buckets[len(s.buckets)-1].counts, from, to)
	}
	under, count := 0.0, 0.0
	for _, b := range s.buckets {
		held := mean(b.counts, from, to)
		switch {
		case b.limit < limit:
			under, count = b.limit, held
			continue
		case math.IsInf(b.limit, 1):
			return count
		}
		return count + (held-count)*(limit-under)/(b.limit-under)
	}
	return count
}

// quantile is that of the observations in some steps; NaN for none.
func (s *splitSeries) quantile(q float64, from, to int) float64 {
	total := s.below(math.Inf(1), from, to)
	if !(total > 0) {
		return math.NaN()
	}
	under, count := 0.0, 0.0
	for _, b := range s.buckets {
		held := mean(b.counts, from, to)
		if held >= q*total {
			if math.IsInf(b.limit, 1) || held == count {
				return under
			}
			return under + (b.limit-under)*(q*total-count)/(held-count)
		}
		under, count = b.limit, held
	}
	return under
}

// levels are the metric's values by step.
func (s *splitSeries) levels(split splitExpr, points int) []float64 {
	levels := make([]float64, points)
	for i := range levels {
		switch p := s.period(split, math.NaN(), i, i+1); {
		case split.histogram:
			levels[i] = s.quantile(split.quantile, i, i+1)
		case split.denominator == nil:
			levels[i] = p.Numerator
			if i >= len(s.numerator) || math.IsNaN(s.numerator[i]) {
				levels[i] = math.NaN()
			}
		case p.Denominator == 0:
			levels[i] = math.NaN()
		default:
			levels[i] = p.Numerator / p.Denominator
		}
	}
	return levels
}

// labelsOf are the labels that some series of the metric have, those with few
// values first.
func (e Evaluator) labelsOf(ctx context.Context, split splitExpr, grid upstream.Range) ([]string, error) {
	promQL := sampleOf(split.numerator, labelSample)
	if promQL == "" {
		return nil, nil
	}
	values := map[string]map[string]bool{}
	for _, at := range []time.Time{grid.End, core.Floor(grid.Start.Add(grid.End.Sub(grid.Start)/2), grid.Step)} {
		set, err := e.Metrics.QueryRange(ctx, promQL, upstream.Range{Start: at, End: at, Step: grid.Step})
		if err != nil {
			return nil, err
		}
		for _, one := range set.Series {
			for name, value := range one.Labels {
				if name == "__name__" || name == "le" || name == "quantile" {
					continue
				}
				if values[name] == nil {
					values[name] = map[string]bool{}
				}
				values[name][value] = true
			}
		}
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		// One value in a sample may be all there is: it comes last.
		return cmp.Or(cmp.Compare(b2i(len(values[a]) < 2), b2i(len(values[b]) < 2)), cmp.Compare(len(values[a]), len(values[b])), cmp.Compare(a, b))
	})
	return names[:min(len(names), maxTriedLabels)], nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

package promapi

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
)

// How each derived metric is computed; those of canaries and sizes have files of
// their own.

func (a *API) anomalyScore(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	if s.labels["service"] != "" && s.labels["signal"] == "" {
		return a.compositeScore(ctx, s, r)
	}
	subject, err := a.subject(ctx, s, r.to)
	if err != nil {
		return nil, err
	}
	q := query.Anomaly{Expr: subject.Expr, Direction: subject.Direction, MinDeviation: subject.MinDeviation}.WithDefaults()
	answered, err := a.Engine.Anomaly(ctx, q, r.window())
	if err != nil {
		return nil, err
	}
	var rows []timeSeries
	var ended endedSeries
	for _, one := range answered.Series {
		result := one.Result
		if !r.instant() {
			points := r.held(toPoints(result.Actual.Start, result.Actual.Step, result.Score, r.from), result.Actual.Step)
			rows = append(rows, timeSeries{one.Labels, points, answered.Notices})
			continue
		}
		if left, err := ended.check(one.Labels, result.Actual, r.to, one.Problem); err != nil {
			return nil, err
		} else if left {
			continue
		}
		score := result.CurrentScore()
		if math.IsNaN(score) {
			return nil, fmt.Errorf("%s could not be judged: %s", one.Labels, because(result.Notices))
		}
		rows = append(rows, timeSeries{one.Labels, []point{{r.to, score}}, warnings(answered.Provenance, result.Notices,
			"n=%d, model %s, newest sample %s", result.Observed, result.Model, newest(result.Actual))})
	}
	return ended.finish(rows, answered.Provenance)
}

func (a *API) compositeScore(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	answered, err := a.Engine.Composite(ctx, query.Composite{Service: s.labels["service"]}.WithDefaults(), r.window())
	if err != nil {
		return nil, err
	}
	result := answered.Result
	if answered.Problem != "" {
		return nil, fmt.Errorf("%s", answered.Problem)
	}
	if !r.instant() {
		points := r.held(toPoints(result.Start, result.Step, result.Score, r.from), result.Step)
		return []timeSeries{{points: points, warnings: answered.Notices}}, nil
	}
	score := answered.Result.CurrentScore()
	if math.IsNaN(score) {
		return nil, fmt.Errorf("nothing of service %q was measured and could be judged in the last minutes: %s", answered.Service, because(result.Notices))
	}
	var judged []string
	for _, signal := range result.Signals {
		if signal.Problem == "" {
			judged = append(judged, signal.Name)
		}
	}
	return []timeSeries{{nil, []point{{r.to, score}}, warnings(answered.Provenance, result.Notices, "judged by %s", strings.Join(judged, ", "))}}, nil
}

// maxLead bounds how far ahead engines may ask.
const maxLead = 24 * time.Hour

func (a *API) forecast(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	asIs := func(quantile float64, _ int) float64 { return quantile }
	return a.ahead(ctx, s, r, asIs, func(_ float64, line []float64) float64 { return line[len(line)-1] })
}

// predictedDemand is a quantile of the highest load up to the lead, since
// capacity must suffice for all the time until then; and never less than the
// load now, so that a forecast can only ever add capacity.
func (a *API) predictedDemand(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.ahead(ctx, s, r, sizing.PointwiseQuantile, func(now float64, line []float64) float64 {
		return max(slices.Max(line), now)
	})
}

// ahead computes a number from the present value and the line of a quantile from
// then up to the lead. pointwise is the quantile to take at each of so many
// points.
func (a *API) ahead(ctx context.Context, s selector, r timeRange, pointwise func(quantile float64, points int) float64, number func(now float64, line []float64) float64) ([]timeSeries, error) {
	lead, err := s.duration("lead", resolution, maxLead)
	if err != nil {
		return nil, err
	}
	quantile, err := s.number("quantile", 0.01, 0.999)
	if err != nil {
		return nil, err
	}
	quantile = pointwise(quantile, int(lead/resolution))
	interval := math.Abs(2*quantile - 1) // that ends at the quantile
	if quantile == 0.5 {
		interval = 0 // any
	} else if interval <= 0.5 {
		return nil, fmt.Errorf("%s: quantile %g is between 0.25 and 0.75, where only 0.5 is supported", s.name, quantile)
	}
	var measured map[string]series.Series
	return a.perStretch(ctx, s, r, func(subject NamedSeries, instants []time.Time) ([]timeSeries, error) {
		t, last := instants[0], instants[len(instants)-1]
		if len(instants) > 1 && measured == nil {
			if measured, err = a.measured(ctx, subject, r); err != nil {
				return nil, err
			}
		}
		q := query.Forecast{Expr: subject.Expr, Horizon: query.Duration(lead + last.Sub(t)), Probability: interval}.WithDefaults()
		answered, err := a.Engine.Forecast(ctx, q, windowAt(t))
		if err != nil {
			return nil, err
		}
		var rows []timeSeries
		var ended endedSeries
		for _, one := range answered.Series {
			if left, err := ended.check(one.Labels, one.Actual, t, one.Problem); err != nil {
				return nil, err
			} else if left {
				continue
			}
			line := quantileLine(one.Forecast, quantile)
			if len(line) == 0 {
				return nil, fmt.Errorf("%s has no forecast", one.Labels)
			}
			row := timeSeries{one.Labels, nil, warnings(answered.Provenance, one.Forecast.Notices,
				"n=%d, model %s, error %.4g against %.4g of repeating the season, newest sample %s",
				one.Forecast.Observed, one.Forecast.Model, one.Forecast.Error, one.Forecast.NaiveError, newest(one.Actual))}
			now := anomaly.Latest(one.Actual.Values)
			ahead := len(line) - int(last.Sub(t)/one.Actual.Step) // points up to the lead
			for _, at := range instants {
				from := int(at.Sub(t) / one.Actual.Step)
				if at != t {
					now = valueAt(measured[one.Labels.String()], at, now)
				}
				row.points = append(row.points, point{at, number(now, line[from:min(from+max(ahead, 1), len(line))])})
			}
			rows = append(rows, row)
		}
		return ended.finish(rows, answered.Provenance)
	})
}

// measured is what was measured over a range, by labels.
func (a *API) measured(ctx context.Context, subject NamedSeries, r timeRange) (map[string]series.Series, error) {
	answered, err := a.Engine.Recent(ctx, subject.Expr, r.window())
	if err != nil {
		return nil, err
	}
	byLabels := map[string]series.Series{}
	for _, one := range answered.Series {
		byLabels[one.Labels.String()] = one
	}
	return byLabels, nil
}

// valueAt is the newest of the last few values of a series at an instant.
func valueAt(s series.Series, at time.Time, fallback float64) float64 {
	if s.Step <= 0 {
		return fallback
	}
	for i := min(s.Index(at), s.Len()-1); i >= max(0, s.Index(at)-freshPoints); i-- {
		if !math.IsNaN(s.Values[i]) {
			return s.Values[i]
		}
	}
	return fallback
}

// quantileLine is the course of a quantile; the median's is the expected value.
func quantileLine(f forecast.Result, quantile float64) []float64 {
	switch {
	case quantile == 0.5:
		return f.Mean
	case len(f.Intervals) == 0:
		return nil
	case quantile > 0.5:
		return f.Intervals[0].Upper
	}
	return f.Intervals[0].Lower
}

func (a *API) breachProbability(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	if !r.instant() {
		return a.breachCourse(ctx, s, r)
	}
	return a.breach(ctx, s, r, func(_ time.Time, b engine.BreachSeries, _ time.Duration) float64 {
		return anomaly.Latest(b.Result.Probability)
	})
}

func (a *API) breachSeconds(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.breach(ctx, s, r, func(t time.Time, b engine.BreachSeries, horizon time.Duration) float64 {
		p, median := anomaly.Latest(b.Result.Probability), b.Result.Median
		if !(p >= 0.5) || median.IsZero() {
			return horizon.Seconds()
		}
		return min(max(median.Sub(t).Seconds(), 0), horizon.Seconds())
	})
}

// breachCourse is the probability at each instant of a range, from one answer.
func (a *API) breachCourse(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	horizon, err := s.duration("horizon", resolution, maxLead)
	if err != nil {
		return nil, err
	}
	subject, err := a.subject(ctx, s, r.to)
	if err != nil {
		return nil, err
	}
	q, err := s.breach(subject, horizon)
	if err != nil {
		return nil, err
	}
	answered, err := a.Engine.Breach(ctx, q, r.window())
	if err != nil {
		return nil, err
	}
	var rows []timeSeries
	for _, one := range answered.Series {
		actual := one.Result.Actual
		points := r.held(toPoints(actual.Start, actual.Step, one.Result.Probability, r.from), actual.Step)
		rows = append(rows, timeSeries{one.Labels, points, answered.Notices})
	}
	return rows, nil
}

// breach is the query that the labels ask of a series.
func (s selector) breach(subject NamedSeries, horizon time.Duration) (query.Breach, error) {
	limit := subject.Threshold
	if s.labels["threshold"] != "" {
		value, err := s.number("threshold", -math.MaxFloat64, math.MaxFloat64)
		if err != nil {
			return query.Breach{}, err
		}
		limit = &value
	}
	if limit == nil {
		return query.Breach{}, fmt.Errorf("%s needs a threshold: name it in a label, or in the settings of the series", s.name)
	}
	q := query.Breach{Expr: subject.Expr, Threshold: limit, Horizon: query.Duration(horizon)}
	if subject.Below {
		q.Direction = "below"
	}
	return q.WithDefaults(), nil
}

// breach computes a number at the first instant of each stretch, which holds for
// the others.
func (a *API) breach(ctx context.Context, s selector, r timeRange, number func(time.Time, engine.BreachSeries, time.Duration) float64) ([]timeSeries, error) {
	horizon, err := s.duration("horizon", resolution, maxLead)
	if err != nil {
		return nil, err
	}
	return a.perStretch(ctx, s, r, func(subject NamedSeries, instants []time.Time) ([]timeSeries, error) {
		t := instants[0]
		q, err := s.breach(subject, horizon)
		if err != nil {
			return nil, err
		}
		answered, err := a.Engine.Breach(ctx, q, windowAt(t))
		if err != nil {
			return nil, err
		}
		var rows []timeSeries
		var ended endedSeries
		for _, one := range answered.Series {
			if left, err := ended.check(one.Labels, one.Result.Actual, t, one.Problem); err != nil {
				return nil, err
			} else if left {
				continue
			}
			if math.IsNaN(anomaly.Latest(one.Result.Probability)) {
				return nil, fmt.Errorf("%s could not be judged: %s", one.Labels, because(one.Result.Notices))
			}
			row := timeSeries{one.Labels, nil, warnings(answered.Provenance, one.Result.Notices,
				"n=%d, trend with probability %.2f, newest sample %s", one.Result.Observed, one.Result.Trending, newest(one.Result.Actual))}
			for _, at := range instants {
				row.points = append(row.points, point{at, number(t, one, horizon)})
			}
			rows = append(rows, row)
		}
		return ended.finish(rows, answered.Provenance)
	})
}

// maxModelAge is how far back the newest sample is looked for.
const maxModelAge = time.Hour

// modelAge reads the whole range at once.
func (a *API) modelAge(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	subject, err := a.subject(ctx, s, r.to)
	if err != nil {
		return nil, err
	}
	window := r.window()
	window.From = r.from.Add(-maxModelAge)
	answered, err := a.Engine.Recent(ctx, subject.Expr, window)
	if err != nil {
		return nil, err
	}
	var rows []timeSeries
	for _, one := range answered.Series {
		row := timeSeries{labels: one.Labels, warnings: answered.Notices}
		last, next := time.Time{}, 0
		for t := r.from; !t.After(r.to); t = t.Add(r.step) {
			for ; next < one.Len() && !one.Time(next).After(t); next++ {
				if !math.IsNaN(one.Values[next]) {
					last = one.Time(next)
				}
			}
			if !last.IsZero() && t.Sub(last) <= maxModelAge {
				row.points = append(row.points, point{t, t.Sub(last).Seconds()})
			}
		}
		if len(row.points) > 0 {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("there is no sample in the last %s", maxModelAge)
	}
	return rows, nil
}

// up is known for now only: which upstreams answered in the past is not stored.
func (a *API) up(ctx context.Context, _ selector, r timeRange) ([]timeSeries, error) {
	if len(a.Probes) == 0 {
		return nil, fmt.Errorf("neither a metrics server nor a trace store is configured")
	}
	value := 1.0
	var failures []string
	for _, probe := range a.Probes {
		if err := probe(ctx); err != nil {
			value, failures = 0, append(failures, err.Error())
		}
	}
	return []timeSeries{{nil, []point{{r.to, value}}, failures}}, nil
}

// warnings are what an engine's log should show beside a number.
func warnings(basis engine.Provenance, notices []string, format string, arguments ...any) []string {
	return slices.Concat([]string{fmt.Sprintf(format, arguments...)}, basis.Notices, notices)
}

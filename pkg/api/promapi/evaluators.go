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
			rows = append(rows, timeSeries{one.Labels, toPoints(result.Actual.Start, result.Actual.Step, result.Score, r.from), answered.Notices})
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
		return []timeSeries{{points: toPoints(result.Start, result.Step, result.Score, r.from), warnings: answered.Notices}}, nil
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
	return a.ahead(ctx, s, r, asIs, func(_ series.Series, line []float64) float64 { return line[len(line)-1] })
}

// predictedDemand is a quantile of the highest load up to the lead, since
// capacity must suffice for all the time until then; and never less than the
// load now, so that a forecast can only ever add capacity.
func (a *API) predictedDemand(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.ahead(ctx, s, r, sizing.PointwiseQuantile, func(actual series.Series, line []float64) float64 {
		return max(slices.Max(line), anomaly.Latest(actual.Values))
	})
}

// ahead computes a number from the line of a quantile up to the lead. pointwise
// is the quantile to take at each of so many points.
func (a *API) ahead(ctx context.Context, s selector, r timeRange, pointwise func(quantile float64, points int) float64, number func(actual series.Series, line []float64) float64) ([]timeSeries, error) {
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
	return a.perInstant(ctx, s, r, func(subject NamedSeries, t time.Time) ([]timeSeries, error) {
		q := query.Forecast{Expr: subject.Expr, Horizon: query.Duration(lead), Probability: interval}.WithDefaults()
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
			rows = append(rows, timeSeries{one.Labels, []point{{t, number(one.Actual, line)}}, warnings(answered.Provenance, one.Forecast.Notices,
				"n=%d, model %s, error %.4g against %.4g of repeating the season, newest sample %s",
				one.Forecast.Observed, one.Forecast.Model, one.Forecast.Error, one.Forecast.NaiveError, newest(one.Actual))})
		}
		return ended.finish(rows, answered.Provenance)
	})
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

func (a *API) breach(ctx context.Context, s selector, r timeRange, number func(time.Time, engine.BreachSeries, time.Duration) float64) ([]timeSeries, error) {
	horizon, err := s.duration("horizon", resolution, maxLead)
	if err != nil {
		return nil, err
	}
	return a.perInstant(ctx, s, r, func(subject NamedSeries, t time.Time) ([]timeSeries, error) {
		limit := subject.Threshold
		if s.labels["threshold"] != "" {
			value, err := s.number("threshold", -math.MaxFloat64, math.MaxFloat64)
			if err != nil {
				return nil, err
			}
			limit = &value
		}
		if limit == nil {
			return nil, fmt.Errorf("%s needs a threshold: name it in a label, or in the settings of the series", s.name)
		}
		q := query.Breach{Expr: subject.Expr, Threshold: limit, Horizon: query.Duration(horizon)}
		if subject.Below {
			q.Direction = "below"
		}
		answered, err := a.Engine.Breach(ctx, q.WithDefaults(), windowAt(t))
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
			rows = append(rows, timeSeries{one.Labels, []point{{t, number(t, one, horizon)}}, warnings(answered.Provenance, one.Result.Notices,
				"n=%d, trend with probability %.2f, newest sample %s", one.Result.Observed, one.Result.Trending, newest(one.Result.Actual))})
		}
		return ended.finish(rows, answered.Provenance)
	})
}

// maxModelAge is how far back the newest sample is looked for.
const maxModelAge = time.Hour

func (a *API) modelAge(ctx context.Context, s selector, r timeRange) ([]timeSeries, error) {
	return a.perInstant(ctx, s, r, func(subject NamedSeries, t time.Time) ([]timeSeries, error) {
		window := windowAt(t)
		window.From = t.Add(-maxModelAge)
		answered, err := a.Engine.Recent(ctx, subject.Expr, window)
		if err != nil {
			return nil, err
		}
		var rows []timeSeries
		for _, one := range answered.Series {
			if last, ok := lastObserved(one); ok {
				rows = append(rows, timeSeries{one.Labels, []point{{t, max(t.Sub(last).Seconds(), 0)}}, answered.Notices})
			}
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("there is no sample in the last %s", maxModelAge)
		}
		return rows, nil
	})
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

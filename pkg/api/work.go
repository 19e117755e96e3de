package api

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// What each derived metric asks the engine.

func (h *Hooks) anomalyScore(ctx context.Context, q question, s span) ([]row, error) {
	if q.labels["service"] != "" && q.labels["signal"] == "" {
		return h.compositeScore(ctx, q, s)
	}
	subject, err := h.subject(ctx, q, s.to)
	if err != nil {
		return nil, err
	}
	asked := query.Anomaly{Expr: subject.Expr, Direction: subject.Direction, MinDeviation: subject.MinDeviation}.WithDefaults()
	found, err := h.engine.Anomaly(ctx, asked, s.window())
	if err != nil {
		return nil, err
	}
	var rows []row
	var gone silent
	for _, one := range found.Series {
		if !s.single() {
			r := one.Result
			rows = append(rows, row{labels: one.Labels, points: told(r.Actual.Start, r.Actual.Step, r.Score, s.from), warnings: found.Notices})
			continue
		}
		if lost, err := gone.check(one.Labels, one.Result.Actual, s.to, one.Problem); err != nil {
			return nil, err
		} else if lost {
			continue
		}
		score := frames.CurrentScore(one.Result)
		if math.IsNaN(score) {
			return nil, noTrust("%s could not be judged: %s", one.Labels, because(one.Result.Notices))
		}
		rows = append(rows, row{one.Labels, []point{{s.to, score}}, confidence(found.Basis, one.Result.Notices,
			"n=%d, model %s, newest sample %s", one.Result.Observed, one.Result.Model, newest(one.Result.Actual))})
	}
	return gone.judge(rows, found.Basis)
}

func (h *Hooks) compositeScore(ctx context.Context, q question, s span) ([]row, error) {
	found, err := h.engine.Composite(ctx, query.Composite{Service: q.labels["service"]}.WithDefaults(), s.window())
	if err != nil {
		return nil, err
	}
	result := found.Result
	if found.Problem != "" {
		return nil, noTrust("%s", found.Problem)
	}
	if !s.single() {
		return []row{{points: told(result.Start, result.Step, result.Score, s.from), warnings: found.Notices}}, nil
	}
	score := frames.CompositeScore(found)
	if math.IsNaN(score) {
		return nil, noTrust("nothing of service %q was measured and could be judged in the last minutes: %s", found.Service, because(result.Notices))
	}
	var judged []string
	for _, signal := range result.Signals {
		if signal.Problem == "" {
			judged = append(judged, signal.Name)
		}
	}
	return []row{{nil, []point{{s.to, score}}, confidence(found.Basis, result.Notices, "judged by %s", strings.Join(judged, ", "))}}, nil
}

// mostLead bounds how far ahead engines may ask.
const mostLead = 24 * time.Hour

func (h *Hooks) forecast(ctx context.Context, q question, s span) ([]row, error) {
	return h.ahead(ctx, q, s, func(_ series.Series, line []float64) float64 { return line[len(line)-1] })
}

// predictedDemand is the largest load up to the lead, since capacity must
// suffice for all the time until then; and never less than the load now, so
// that a forecast can only ever add capacity.
func (h *Hooks) predictedDemand(ctx context.Context, q question, s span) ([]row, error) {
	return h.ahead(ctx, q, s, func(actual series.Series, line []float64) float64 {
		return max(slices.Max(line), frames.Latest(actual.Values))
	})
}

// ahead works out a number from the course of a quantile up to the lead.
func (h *Hooks) ahead(ctx context.Context, q question, s span, number func(actual series.Series, line []float64) float64) ([]row, error) {
	lead, err := q.length("lead", finestStep, mostLead)
	if err != nil {
		return nil, err
	}
	quantile, err := q.number("quantile", 0.01, 0.999)
	if err != nil {
		return nil, err
	}
	interval := math.Abs(2*quantile - 1) // that ends at the quantile
	if quantile == 0.5 {
		interval = 0 // any
	} else if interval <= 0.5 {
		return nil, noTrust("%s: quantile %g is between 0.25 and 0.75, where only 0.5 can be asked for", q.name, quantile)
	}
	return h.each(ctx, q, s, func(subject NamedSeries, t time.Time) ([]row, error) {
		asked := query.Forecast{Expr: subject.Expr, Horizon: query.Duration(lead), Probability: interval}.WithDefaults()
		found, err := h.engine.Forecast(ctx, asked, at(t))
		if err != nil {
			return nil, err
		}
		var rows []row
		var gone silent
		for _, one := range found.Series {
			if lost, err := gone.check(one.Labels, one.Actual, t, one.Problem); err != nil {
				return nil, err
			} else if lost {
				continue
			}
			line := courseOf(one.Forecast, quantile)
			if len(line) == 0 {
				return nil, noTrust("%s has no forecast", one.Labels)
			}
			rows = append(rows, row{one.Labels, []point{{t, number(one.Actual, line)}}, confidence(found.Basis, one.Forecast.Notices,
				"n=%d, model %s, error %.4g against %.4g of repeating the season, newest sample %s",
				one.Forecast.Observed, one.Forecast.Model, one.Forecast.Error, one.Forecast.NaiveError, newest(one.Actual))})
		}
		return gone.judge(rows, found.Basis)
	})
}

// courseOf is the course of a quantile; the median's is the expected value.
func courseOf(f forecast.Result, quantile float64) []float64 {
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

func (h *Hooks) breachProbability(ctx context.Context, q question, s span) ([]row, error) {
	return h.breach(ctx, q, s, func(_ time.Time, found engine.BreachSeries, _ time.Duration) float64 {
		return frames.Latest(found.Result.Probability)
	})
}

func (h *Hooks) breachSeconds(ctx context.Context, q question, s span) ([]row, error) {
	return h.breach(ctx, q, s, func(t time.Time, found engine.BreachSeries, horizon time.Duration) float64 {
		p, median := frames.Latest(found.Result.Probability), found.Result.Median
		if !(p >= 0.5) || median.IsZero() {
			return horizon.Seconds()
		}
		return min(max(median.Sub(t).Seconds(), 0), horizon.Seconds())
	})
}

func (h *Hooks) breach(ctx context.Context, q question, s span, number func(time.Time, engine.BreachSeries, time.Duration) float64) ([]row, error) {
	horizon, err := q.length("horizon", finestStep, mostLead)
	if err != nil {
		return nil, err
	}
	return h.each(ctx, q, s, func(subject NamedSeries, t time.Time) ([]row, error) {
		limit := subject.Threshold
		if q.labels["threshold"] != "" {
			value, err := q.number("threshold", -math.MaxFloat64, math.MaxFloat64)
			if err != nil {
				return nil, err
			}
			limit = &value
		}
		if limit == nil {
			return nil, noTrust("%s needs a threshold: name it in a label, or in the settings of the series", q.name)
		}
		asked := query.Breach{Expr: subject.Expr, Threshold: limit, Horizon: query.Duration(horizon)}
		if subject.Below {
			asked.Direction = "below"
		}
		found, err := h.engine.Breach(ctx, asked.WithDefaults(), at(t))
		if err != nil {
			return nil, err
		}
		var rows []row
		var gone silent
		for _, one := range found.Series {
			if lost, err := gone.check(one.Labels, one.Result.Actual, t, one.Problem); err != nil {
				return nil, err
			} else if lost {
				continue
			}
			if math.IsNaN(frames.Latest(one.Result.Probability)) {
				return nil, noTrust("%s could not be judged: %s", one.Labels, because(one.Result.Notices))
			}
			rows = append(rows, row{one.Labels, []point{{t, number(t, one, horizon)}}, confidence(found.Basis, one.Result.Notices,
				"n=%d, trend with probability %.2f, newest sample %s", one.Result.Observed, one.Result.Trending, newest(one.Result.Actual))})
		}
		return gone.judge(rows, found.Basis)
	})
}

func (h *Hooks) modelAge(ctx context.Context, q question, s span) ([]row, error) {
	return h.each(ctx, q, s, func(subject NamedSeries, t time.Time) ([]row, error) {
		window := at(t)
		window.From = t.Add(-longestSilence)
		found, err := h.engine.Recent(ctx, subject.Expr, window)
		if err != nil {
			return nil, err
		}
		var rows []row
		for _, one := range found.Series {
			if last, ok := lastObserved(one); ok {
				rows = append(rows, row{one.Labels, []point{{t, max(t.Sub(last).Seconds(), 0)}}, found.Notices})
			}
		}
		if len(rows) == 0 {
			return nil, noTrust("there is no sample in the last %s", longestSilence)
		}
		return rows, nil
	})
}

// up is told for now only: what answered in the past is not known.
func (h *Hooks) up(ctx context.Context, _ question, s span) ([]row, error) {
	if h.engine.Metrics == nil && h.engine.Traces == nil {
		return nil, noTrust("neither a metrics server nor a trace store is configured")
	}
	value := 1.0
	var warnings []string
	if h.engine.Metrics != nil {
		if _, err := h.engine.Metrics.Probe(ctx); err != nil {
			value, warnings = 0, append(warnings, err.Error())
		}
	}
	if h.engine.Traces != nil {
		if _, err := h.engine.Traces.Probe(ctx); err != nil {
			value, warnings = 0, append(warnings, err.Error())
		}
	}
	return []row{{nil, []point{{s.to, value}}, warnings}}, nil
}

// confidence is what an engine's log should show beside a number.
func confidence(basis engine.Basis, notices []string, format string, arguments ...any) []string {
	return slices.Concat([]string{fmt.Sprintf(format, arguments...)}, basis.Notices, notices)
}

package frames

import (
	"fmt"
	"math"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Forecast shapes a forecast. As a panel: per series the observations, then
// beyond them the dashed expectation inside its prediction interval, for
// Grafana's time series panel; where the panel ends now, what was expected of its
// last part one horizon before, and what comes as text. As an alert: per series the expected value at
// the end of the horizon, since rules cannot look into the future themselves.
func Forecast(a engine.ForecastAnswer, q query.Forecast, format query.Format) (data.Frames, error) {
	switch format {
	case query.Panel:
		return forecastPanel(a, q), nil
	case query.Alert:
		return forecastAlert(a)
	}
	return nil, noFormat(query.TypeForecast, format)
}

func forecastPanel(a engine.ForecastAnswer, q query.Forecast) data.Frames {
	names := seriesNames(q.Legend, q.Expr, labelsOf(a.Series, func(s engine.ForecastSeries) series.Labels { return s.Labels }))
	notices := remarksOf(a.Provenance)
	var frames data.Frames
	for i, s := range a.Series {
		result, interval := s.Forecast, intervalFor(s.Forecast, q.Probability)
		beyond := rangeText(a, result, interval)
		if s.Earlier.Model != "" {
			result, interval = s.Earlier, intervalFor(s.Earlier, q.Probability)
		}
		times, observed, predicted := union(s.Actual, series.Series{Start: result.Start, Step: result.Step, Values: result.Mean})
		frame := newBandFrame(names[i], s.Labels, i, times, a.Provenance)
		forecastModel(s.Forecast).describe(frame.Frame, names[i], map[string]any{
			"error": s.Forecast.Error, "naiveError": s.Forecast.NaiveError, "probability": interval.Probability,
		})
		frame.add(actual, func(row int) *float64 { return at(s.Actual.Values, observed[row]) })
		frame.add(expected, func(row int) *float64 { return at(result.Mean, predicted[row]) })
		if s.Earlier.Model != "" {
			config := frame.Fields[len(frame.Fields)-1].Config
			config.DisplayNameFromDS = fmt.Sprintf("%s %s %s ahead; %s", names[i], expected, ahead(time.Duration(len(result.Mean))*result.Step), beyond)
		}
		frame.add(lower, func(row int) *float64 { return at(interval.Lower, predicted[row]) })
		frame.add(upper, func(row int) *float64 { return at(interval.Upper, predicted[row]) })
		frames = append(frames, frame.Frame)
		notices.addSeries(names[i], s.Problem, s.Forecast.Notices)
	}
	if len(frames) == 0 {
		frames = data.Frames{newFrame("forecast", data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, a.Provenance)}
		notices.add(data.NoticeSeverityInfo, noSeries)
	}
	notices.add(data.NoticeSeverityInfo, outOfSight(a))
	return notices.attach(frames)
}

// rangeText is the forecast for the end of the horizon, in words.
func rangeText(a engine.ForecastAnswer, r forecast.Result, interval forecast.Interval) string {
	last := len(r.Mean) - 1
	if last < 0 {
		return ""
	}
	text := fmt.Sprintf("in %s %s", ahead(r.Start.Add(time.Duration(last)*r.Step).Sub(a.RangeEnd)), number(r.Mean[last]))
	if last < len(interval.Lower) && last < len(interval.Upper) {
		text += fmt.Sprintf(" (%s to %s)", number(interval.Lower[last]), number(interval.Upper[last]))
	}
	return text
}

// outOfSight tells of a forecast of which a panel shows nothing, since it draws
// its time range and no more; empty where some of it is to be seen.
func outOfSight(a engine.ForecastAnswer) string {
	var beyond time.Duration
	for _, s := range a.Series {
		points := len(s.Forecast.Mean)
		if points == 0 || a.RangeEnd.After(s.Forecast.Start) {
			continue
		}
		last := s.Forecast.Start.Add(time.Duration(points-1) * s.Forecast.Step)
		beyond = max(beyond, last.Sub(a.RangeEnd))
	}
	minutes := int(math.Ceil(beyond.Minutes()))
	if minutes <= 0 || a.RangeEnd.IsZero() {
		return ""
	}
	later := fmt.Sprintf("%dm", minutes)
	if minutes%60 == 0 {
		later = fmt.Sprintf("%dh", minutes/60)
	}
	return fmt.Sprintf("The forecast lies beyond the end of the range. To see it, end the range %s later: at now+%s instead of now.", later, later)
}

func forecastAlert(a engine.ForecastAnswer) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	instances := make([]instance, len(a.Series))
	for i, s := range a.Series {
		instances[i] = instance{s.Labels, math.NaN(), forecastModel(s.Forecast)}
		if last := len(s.Forecast.Mean) - 1; last >= 0 {
			instances[i].value = s.Forecast.Mean[last]
		}
		notices.addSeries(s.Labels.String(), s.Problem, s.Forecast.Notices)
	}
	return alertFrames("forecast", instances, a.Provenance, notices, noSeries)
}

// intervalFor is the interval whose probability is nearest to the asked one.
func intervalFor(result forecast.Result, probability float64) (nearest forecast.Interval) {
	distance := math.Inf(1)
	for _, interval := range result.Intervals {
		if d := math.Abs(interval.Probability - probability); d < distance {
			nearest, distance = interval, d
		}
	}
	return nearest
}

func forecastModel(r forecast.Result) model {
	return model{r.Model, r.Season, r.Parameters, r.Observed}
}

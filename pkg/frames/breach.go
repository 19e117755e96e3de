package frames

import (
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Breach shapes an early warning. As a panel: per series the observations, the
// threshold, on an axis of its own the probability of crossing it, and where that
// is to be expected the course until then; or a table of when. As an alert: per
// series that probability now, 0 to 1, or whether it warns.
func Breach(a engine.BreachAnswer, q query.Breach, format query.Format) (data.Frames, error) {
	switch format {
	case query.Panel:
		if q.View == query.Table {
			return breachTable(a, q), nil
		}
		return breachPanel(a, q), nil
	case query.Alert:
		return breachAlert(a, q)
	}
	return nil, noFormat(query.TypeBreach, format)
}

func breachPanel(a engine.BreachAnswer, q query.Breach) data.Frames {
	names := seriesNames(q.Legend, q.Expr, labelsOf(a.Series, func(s engine.BreachSeries) series.Labels { return s.Labels }))
	notices := remarksOf(a.Provenance)
	var frames data.Frames
	for i, s := range a.Series {
		result := s.Result
		rows := shownRows(result.Actual, a.Shown, result.Probability)
		course := courseOf(a, s)
		times := append(timesOf(result.Actual, rows), course.beyond...)
		frame := newBandFrame(names[i], s.Labels, i, times, a.Provenance)
		row := func(i int) int {
			if i >= len(rows) {
				return -1
			}
			return rows[i]
		}
		if s.Problem == "" {
			breachModel(result).describe(frame.Frame, names[i], breachTimes(result))
		}
		frame.add(actual, func(i int) *float64 { return at(result.Actual.Values, row(i)) })
		frame.add(limit, func(int) *float64 { return nullable(a.Threshold) })
		if i > 0 {
			frame.Fields[len(frame.Fields)-1].Config.Custom["hideFrom"] = notInLegend()
		}
		frame.add(probability, func(i int) *float64 { return at(result.Probability, row(i)) })
		course.add(frame, names[i], len(rows))
		frames = append(frames, frame.Frame)
		notices.addSeries(names[i], s.Problem, append(result.Notices, breachNotice(a, result)))
	}
	if len(frames) == 0 {
		frames = data.Frames{newFrame("breach", data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, a.Provenance)}
		notices.add(data.NoticeSeverityInfo, noSeries)
	}
	return notices.attach(frames)
}

func breachAlert(a engine.BreachAnswer, q query.Breach) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	instances := make([]instance, len(a.Series))
	for i, s := range a.Series {
		instances[i] = instance{s.Labels, valueOf(q.Value, s.Result.Current, s.Result.Firing), model{}}
		if s.Problem == "" {
			instances[i].model = breachModel(s.Result)
		}
		notices.addSeries(s.Labels.String(), s.Problem, append(s.Result.Notices, breachNotice(a, s.Result)))
	}
	return alertFrames(alertName(q.Value, "breach_probability"), instances, a.Provenance, notices, noSeries)
}

func breachModel(r breach.Result) model {
	return model{"courses-and-trend", r.Season, map[string]float64{
		"slope_per_second": r.Slope, "trend_probability": r.Trending,
	}, r.Observed}
}

func breachTimes(r breach.Result) map[string]any {
	details := map[string]any{}
	for name, at := range map[string]time.Time{"early": r.Early, "median": r.Median, "late": r.Late} {
		if !at.IsZero() {
			details[name] = at.UTC().Format(time.RFC3339)
		}
	}
	return details
}

// worthSaying is the probability from which on the reader is told the time.
const worthSaying = 0.2

func breachNotice(a engine.BreachAnswer, r breach.Result) string {
	p := r.Current()
	if !(p >= worthSaying) || r.Median.IsZero() {
		return ""
	}
	if p == 1 && r.Median.Equal(r.Late) && r.Median.Equal(r.Early) {
		return fmt.Sprintf("the threshold %s is crossed", number(a.Threshold))
	}
	return fmt.Sprintf("crosses %s within %s with probability %.0f %%, most likely about %s (between %s and %s)",
		number(a.Threshold), query.Duration(a.Horizon), 100*p, clockTime(r.Median), clockTime(r.Early), clockTime(r.Late))
}

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

package frames

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Anomaly shapes a judged metric. As a panel: per series the observations
// inside their band, the score on an axis of its own, for Grafana's time
// series panel. As an alert: per series the score of now. As annotations: each
// event as a region.
func Anomaly(a engine.AnomalyAnswer, q query.Anomaly, format query.Format) (data.Frames, error) {
	switch format {
	case query.Panel:
		return anomalyPanel(a, q), nil
	case query.Alert:
		return anomalyAlert(a, q)
	case query.Annotations:
		return anomalyAnnotations(a, q), nil
	}
	return nil, noFormat(query.TypeAnomaly, format)
}

func anomalyPanel(a engine.AnomalyAnswer, q query.Anomaly) data.Frames {
	names := anomalyNames(a, q)
	notices := remarksOf(a.Provenance)
	var frames data.Frames
	for i, s := range a.Series {
		result := s.Result
		rows := shownRows(result.Actual, a.Shown, result.Score)
		times := timesOf(result.Actual, rows)
		frame := newBandFrame(names[i], s.Labels, i, times, a.Provenance)
		anomalyModel(result).describe(frame.Frame, names[i], map[string]any{})
		for _, line := range []struct {
			role   string
			values []float64
		}{
			{actual, result.Actual.Values}, {expected, result.Expected},
			{lower, result.Lower}, {upper, result.Upper}, {score, result.Score},
		} {
			frame.add(line.role, func(row int) *float64 { return at(line.values, rows[row]) })
		}
		frames = append(frames, frame.Frame)
		notices.addSeries(names[i], s.Problem, result.Notices)
	}
	if len(frames) == 0 {
		frames = data.Frames{newFrame("anomaly", data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, a.Provenance)}
		notices.add(data.NoticeSeverityInfo, noSeries)
	}
	return notices.attach(frames)
}

func anomalyNames(a engine.AnomalyAnswer, q query.Anomaly) []string {
	return seriesNames(q.Legend, q.Expr, labelsOf(a.Series, func(s engine.AnomalySeries) series.Labels { return s.Labels }))
}

func anomalyAlert(a engine.AnomalyAnswer, q query.Anomaly) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	instances := make([]instance, len(a.Series))
	for i, s := range a.Series {
		instances[i] = instance{s.Labels, valueOf(q.Value, s.Result.CurrentScore, s.Result.Firing), anomalyModel(s.Result)}
		notices.addSeries(s.Labels.String(), s.Problem, s.Result.Notices)
	}
	return alertFrames(alertName(q.Value, "anomaly_score"), instances, a.Provenance, notices, noSeries)
}

func anomalyModel(r anomaly.Result) model { return model{r.Model, r.Season, r.Parameters, r.Observed} }

func anomalyAnnotations(a engine.AnomalyAnswer, q query.Anomaly) data.Frames {
	names := anomalyNames(a, q)
	notices := remarksOf(a.Provenance)
	var events []event
	for i, s := range a.Series {
		for _, e := range s.Result.Events {
			events = append(events, anomalyEvent(names[i], s.Labels, e))
		}
		for _, shift := range s.Result.Shifts {
			events = append(events, shiftEvent(names[i], s.Labels, shift))
		}
		notices.addSeries(names[i], s.Problem, s.Result.Notices)
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.start.Compare(b.start) })
	empty := "Nothing unusual happened in this window."
	if len(a.Series) == 0 {
		empty = noSeries
	}
	return annotationFrames("anomalies", events, a.Provenance, notices, empty)
}

func anomalyEvent(name string, labels series.Labels, e anomaly.Event) event {
	direction, adverb := "below", "low"
	if e.Above {
		direction, adverb = "above", "high"
	}
	tags := append([]string{"anomaly", direction}, labelTags(labels)...)
	text := fmt.Sprintf("%s at the peak, expected %s (score %s of 100)", number(e.Actual), number(e.Expected), number(math.Round(e.Score)))
	if len(e.Witnesses) > 0 {
		text += ", seen by " + witnesses(e.Witnesses)
	}
	return event{
		start:    e.Start,
		end:      e.End,
		title:    fmt.Sprintf("Unusually %s: %s", adverb, name),
		text:     text,
		tags:     tags,
		identity: labels.String(),
	}
}

// shiftEvent is the moment at which a new level was accepted.
func shiftEvent(name string, labels series.Labels, shift anomaly.Shift) event {
	direction := "higher"
	if shift.By < 0 {
		direction = "lower"
	}
	return event{
		start: shift.Time, end: shift.Time,
		title:    "New level: " + name,
		text:     fmt.Sprintf("%s %s than before, for long enough to be what is expected from here on", number(math.Abs(shift.By)), direction),
		tags:     append([]string{"level-shift"}, labelTags(labels)...),
		identity: "level-shift" + labels.String(),
	}
}

func labelTags(labels series.Labels) (tags []string) {
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		tags = append(tags, label+":"+labels[label])
	}
	return tags
}

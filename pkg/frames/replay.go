package frames

import (
	"fmt"
	"math"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Replay shapes how a rule would have alerted. As a panel: a summary, the pages,
// the incidents they are matched with, what other rules would have done, and the
// course of the instances. As annotations: each page as a region.
func Replay(a engine.ReplayAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch format {
	case query.Panel:
		return notices.attach(replayViews(a)), nil
	case query.Annotations:
		return annotationFrames("pages", replayEvents(a), a.Provenance, notices, "The rule would not have alerted."), nil
	}
	return nil, noFormat(query.TypeReplay, format)
}

// replayViews makes the frames that a panel asks for.
func replayViews(a engine.ReplayAnswer) (frames data.Frames) {
	for _, one := range []struct {
		view  query.ReplayView
		alone bool // not among all
		make  func(engine.ReplayAnswer) *data.Frame
	}{
		{query.ReplaySummary, false, replaySummary}, {query.ReplayPages, false, replayPages}, {query.ReplayMatched, false, replayMatched},
		{query.ReplayComparison, false, replayComparison}, {query.ReplayCost, false, replayCost},
		{query.ReplayCurve, true, replayCurve}, {query.ReplayProposal, true, replayProposal}, {query.ReplayLabels, true, replayLabels},
	} {
		if a.Query.View == one.view || a.Query.View == "" && !one.alone {
			frames = append(frames, one.make(a))
		}
	}
	if a.Query.View == "" || a.Query.View == query.ReplayCourse {
		frames = append(frames, replayCourse(a)...)
	}
	return frames
}

// share is a share with its interval, in three columns; null where nothing could be
// judged.
func share[Row any](rows []Row, name, title string, of func(Row) impact.Share) data.Fields {
	known := func(value func(impact.Share) float64) func(Row) *float64 {
		return func(r Row) *float64 {
			if s := of(r); s.Known() {
				return nullable(value(s))
			}
			return nil
		}
	}
	return data.Fields{
		column(rows, name, title, "percentunit", known(func(s impact.Share) float64 { return s.Interval.Estimate })),
		column(rows, name+"_lower", title+", at least", "percentunit", known(func(s impact.Share) float64 { return s.Interval.Lower })),
		column(rows, name+"_upper", title+", at most", "percentunit", known(func(s impact.Share) float64 { return s.Interval.Upper })),
	}
}

// ruleRow is a rule with what it would have done.
type ruleRow struct {
	name, what string
	pages      []replay.Page
	firing     time.Duration
	report     impact.Report
}

func replaySummary(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("summary", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	frame.Fields = ruleFields(a, []ruleRow{{"the rule", "", a.Pages, a.Firing, a.Report}})[2:]
	row := []engine.ReplayAnswer{a}
	frame.Fields = append(frame.Fields,
		column(row, "evaluations", "Evaluations", "", func(a engine.ReplayAnswer) int64 { return int64(a.Evaluations) }),
		column(row, "missing", "Values missing", "percentunit", func(a engine.ReplayAnswer) *float64 {
			return nullable(1 - float64(a.Answered)/float64(a.Values))
		}),
		column(row, "from", "From", "", func(a engine.ReplayAnswer) time.Time { return a.From }),
		column(row, "to", "To", "", func(a engine.ReplayAnswer) time.Time { return a.To }),
	)
	return frame
}

func replayComparison(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("comparison", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := []ruleRow{{"this rule", "", a.Pages, a.Firing, a.Report}}
	for _, r := range a.Rivals {
		rows = append(rows, ruleRow{r.Name, r.What, r.Pages, r.Firing, r.Report})
	}
	frame.Fields = ruleFields(a, rows)
	return frame
}

func ruleFields(a engine.ReplayAnswer, rows []ruleRow) data.Fields {
	over := a.To.Sub(a.From)
	fields := data.Fields{
		column(rows, "rule", "Rule", "", func(r ruleRow) string { return r.name }),
		column(rows, "what", "What it is", "", func(r ruleRow) string { return r.what }),
		column(rows, "pages", "Pages", "", func(r ruleRow) int64 { return int64(len(r.pages)) }),
		column(rows, "pages_per_week", "Pages a week", "", func(r ruleRow) *float64 { return nullable(replay.PerWeek(len(r.pages), over)) }),
		column(rows, "in_alert", "Time in alert", "percentunit", func(r ruleRow) *float64 { return nullable(float64(r.firing) / float64(over)) }),
	}
	fields = append(fields, share(rows, "precision", "Precision", func(r ruleRow) impact.Share { return r.report.Precision })...)
	fields = append(fields, share(rows, "recall", "Recall", func(r ruleRow) impact.Share { return r.report.Recall })...)
	return append(fields,
		column(rows, "incidents", "Incidents known", "", func(r ruleRow) int64 { return int64(len(r.report.Incidents)) }),
		column(rows, "lead", "Lead time (median)", "s", func(r ruleRow) *float64 { return medianOf(r.report.Lead) }),
		column(rows, "detect", "Time to detect (median)", "s", func(r ruleRow) *float64 { return medianOf(r.report.Detect) }),
	)
}

func medianOf(t impact.Times) *float64 {
	if t.Count == 0 {
		return nil
	}
	return nullable(t.Median.Seconds())
}

func replayPages(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("pages", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Judged
	type row = engine.JudgedPage
	frame.Fields = data.Fields{
		column(rows, "time", "Began", "", func(r row) time.Time { return r.Start }),
		column(rows, "end", "Ended", "", func(r row) *time.Time {
			if r.Firing {
				return nil
			}
			return nullableTime(r.End)
		}),
		column(rows, "duration", "Lasted", "s", func(r row) float64 { return r.End.Sub(r.Start).Seconds() }),
		column(rows, "peak", "Peak", "", func(r row) *float64 { return nullable(r.Peak) }),
		column(rows, "labels", "Of", "", func(r row) string { return r.Labels.String() }),
		column(rows, "kind", "Kind", "", func(r row) string { return string(r.Kind) }),
		finding(rows, "Was right", func(r row) impact.Finding { return r.Finding }),
		column(rows, "reason", "Because", "", func(r row) string { return r.Reason }),
		column(rows, "lead", "Before its incident", "s", func(r row) *float64 {
			if !r.HasLead {
				return nil
			}
			return nullable(r.Lead.Seconds())
		}),
	}
	if a.Answered == 0 {
		return explainEmpty(frame, "There were no values to evaluate.")
	}
	return explainEmpty(frame, "The rule would not have alerted.")
}

func replayMatched(a engine.ReplayAnswer) *data.Frame {
	frame := impactIncidents(engine.ImpactAnswer{Provenance: a.Provenance, Report: a.Report})
	frame.Name = "matched"
	return frame
}

func replayCost(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("cost", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []engine.ReplayAnswer{a}
	number := func(name, title string, value func(engine.ReplayAnswer) int) *data.Field {
		return column(row, name, title, "", func(a engine.ReplayAnswer) int64 { return int64(value(a)) })
	}
	frame.Fields = data.Fields{
		number("series", "Series", func(a engine.ReplayAnswer) int { return a.Cost.Series }),
		number("points", "Points to read", func(a engine.ReplayAnswer) int { return a.Cost.Points }),
		number("points_allowed", "Points allowed", func(a engine.ReplayAnswer) int { return a.Cost.MaxPoints }),
		number("queries", "Queries", func(a engine.ReplayAnswer) int { return a.Cost.Queries }),
		number("evaluations", "Evaluations", func(a engine.ReplayAnswer) int { return a.Evaluations }),
		column(row, "from", "Read from", "", func(a engine.ReplayAnswer) time.Time { return a.Cost.From }),
		column(row, "to", "Read to", "", func(a engine.ReplayAnswer) time.Time { return a.Cost.To }),
	}
	return frame
}

// replayCourse draws the instances: the metric inside its band, and what the rule
// evaluated, on an axis of its own where that is not the metric.
func replayCourse(a engine.ReplayAnswer) (frames data.Frames) {
	names := seriesNames("", "the rule", labelsOf(a.Course, func(c engine.ReplayCourse) series.Labels { return c.Labels }))
	threshold := math.NaN()
	if len(a.Rule.Load.Params) > 0 {
		threshold = a.Rule.Load.Params[0]
	}
	for i, c := range a.Course {
		times := make([]time.Time, len(c.Value))
		for k := range times {
			times[k] = c.Start.Add(time.Duration(k) * c.Step).UTC()
		}
		frame := newBandFrame(names[i], c.Labels, i, times, a.Provenance)
		line := func(role string, values []float64) {
			frame.add(role, func(row int) *float64 { return at(values, row) })
		}
		if a.OfMetric() {
			line(actual, c.Value)
			frame.add(limit, func(int) *float64 { return nullable(threshold) })
		} else {
			line(actual, c.Actual)
			line(lower, c.Lower)
			line(upper, c.Upper)
			if a.OfProbability() {
				line(probability, c.Value)
			} else {
				line(score, c.Value)
			}
		}
		frames = append(frames, frame.Frame)
	}
	if len(frames) == 0 {
		frames = data.Frames{newFrame("course", data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, a.Provenance)}
	}
	return frames
}

func replayCurve(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("curve", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Curve
	type row = engine.ReplayCurvePoint
	current := column(rows, "current", "The rule as it is", "", func(r row) bool { return r.Current })
	current.Config.Mappings = data.ValueMappings{data.ValueMapper{
		"true": {Text: "this one", Color: "blue", Index: 0}, "false": {Text: "–", Color: "text", Index: 1},
	}}
	frame.Fields = data.Fields{
		column(rows, "threshold", "Threshold", "", func(r row) float64 { return r.Threshold }),
		column(rows, "pages_per_week", "Pages a week", "", func(r row) *float64 { return nullable(r.PerWeek) }),
		column(rows, "in_alert", "Time in alert", "percentunit", func(r row) *float64 { return nullable(r.Share) }),
		current,
	}
	frame.Fields = append(frame.Fields, share(rows, "precision", "Precision", func(r row) impact.Share { return r.Precision })...)
	frame.Fields = append(frame.Fields, share(rows, "recall", "Recall", func(r row) impact.Share { return r.Recall })...)
	return explainEmpty(frame, "No threshold could be tried: there are no values to compare with it.")
}

func replayLabels(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("labels", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Said
	type row = engine.ReplayLabelled
	frame.Fields = data.Fields{
		column(rows, "time", "Time", "", func(r row) time.Time { return r.At.UTC() }),
		column(rows, "service", "Service", "", func(r row) string { return r.Service }),
		column(rows, "real", "Was real", "", func(r row) bool { return r.Real }),
		column(rows, "paged", "Paged by the rule", "", func(r row) bool { return r.Now }),
		column(rows, "proposed", "Paged by the proposal", "", func(r row) bool { return r.Proposed }),
	}
	return explainEmpty(frame, "No feedback on past events is known.")
}

func replayEvents(a engine.ReplayAnswer) (events []event) {
	for _, p := range a.Judged {
		text := "lasted " + p.End.Sub(p.Start).String()
		if isFinite(p.Peak) {
			text = fmt.Sprintf("peak %s, %s", number(p.Peak), text)
		}
		events = append(events, event{
			start: p.Start, end: p.End, title: "Would have alerted: " + p.Labels.String(), text: text,
			tags: append([]string{"replay", string(p.Kind)}, labelTags(p.Labels)...), identity: p.Labels.String(),
		})
	}
	return events
}

package frames

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/journey"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Journeys shapes how users get through journeys. As a panel: a table of
// journeys and one of their steps or, with the view series, completions over
// time inside their expected range, with their forecast. As an alert: one
// instance per journey, 1 while it is abnormal, 0 while it is not, null where it
// cannot be judged. As annotations: each abnormal time as a region.
func Journeys(a engine.JourneysAnswer, q query.Journey, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	for _, j := range a.Journeys {
		notices.addSeries(j.Name, j.Problem, j.Result.Notices)
	}
	switch {
	case format == query.Panel && q.View == query.JourneySeries:
		return notices.attach(journeySeries(a)), nil
	case format == query.Panel:
		return notices.attach(data.Frames{journeyTable(a), stepTable(a)}), nil
	case format == query.Alert:
		instances := make([]instance, len(a.Journeys))
		for i, j := range a.Journeys {
			instances[i] = instance{labels: series.Labels{"journey": j.Name}, value: j.State}
		}
		return alertFrames("abnormal", instances, a.Provenance, notices, "There is no journey.")
	case format == query.Annotations:
		return annotationFrames("journeys", journeyEvents(a), a.Provenance, notices, "No journey was abnormal in this window."), nil
	}
	return nil, noFormat(query.TypeJourney, format)
}

var journeyStates = data.ValueMappings{data.ValueMapper{
	"abnormal": {Text: "abnormal", Color: "red", Index: 0},
	"normal":   {Text: "normal", Color: "green", Index: 1},
	"unknown":  {Text: "unknown", Color: "text", Index: 2},
}}

func journeyState(j engine.Journey) string {
	switch j.State {
	case 1:
		return "abnormal"
	case 0:
		return "normal"
	}
	return "unknown"
}

func journeyTable(a engine.JourneysAnswer) *data.Frame {
	frame := newFrame("journeys", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row = engine.Journey
	rows := a.Journeys
	table := rowsOf[row](rows)
	text, amount := table.text, table.amount
	state := text("state", "State", journeyState)
	state.Config.Mappings = journeyStates
	frame.Fields = data.Fields{
		text("journey", "Journey", func(j row) string { return j.Name }),
		state,
		column(rows, "score", "Score", "", func(j row) *float64 {
			if len(j.Result.Score) == 0 {
				return nil
			}
			return nullable(j.Result.CurrentScore())
		}),
		amount("completions", "Completed per minute", "", func(j row) float64 { return j.Completions }),
		amount("conversion", "Last step per first", "percentunit", func(j row) float64 { return j.Conversion }),
		amount("success", "Success", "percentunit", func(j row) float64 { return j.Success }),
		amount("latency", "Latency of all steps", "s", func(j row) float64 { return j.Latency }),
		column(rows, "forecast", "Forecast, completed per minute", "", func(j row) *float64 { return at(j.Forecast.Mean, len(j.Forecast.Mean)-1) }),
		text("loses", "Loses users at", func(j row) string {
			if len(j.Losses) == 0 {
				return ""
			}
			return j.Steps[j.Losses[0].Step].Title()
		}),
		text("cause", "Because of", func(j row) string { return j.Cause }),
		text("why", "Why", func(j row) string { return strings.Join(j.Why, "\n") }),
		text("deploy", "Deploy", func(j row) string {
			if j.Deploy == nil {
				return ""
			}
			return fmt.Sprintf("%s %s at %s", j.Deploy.Service, j.Deploy.Version, clockTime(j.Deploy.Instant()))
		}),
	}
	return frame
}

// journeyStep is a step of a journey.
type journeyStep struct {
	journey string
	number  int64
	engine.JourneyStep
	deploy bool // there are times before and after one
}

func stepTable(a engine.JourneysAnswer) *data.Frame {
	frame := newFrame("steps", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row = journeyStep
	var rows []row
	for _, j := range a.Journeys {
		for i, s := range j.Steps {
			rows = append(rows, row{j.Name, int64(i + 1), s, j.Deploy != nil})
		}
	}
	amount := rowsOf[row](rows).amount
	around := func(name, title, unit string, value func(row) float64) *data.Field {
		return column(rows, name, title, unit, func(s row) *float64 {
			if !s.deploy {
				return nil
			}
			return nullable(value(s))
		})
	}
	dropOff := func(s journey.Stats) float64 { return 1 - s.Passed }
	frame.Fields = data.Fields{
		column(rows, "of", "Journey", "", func(s row) string { return s.journey }),
		column(rows, "number", "No.", "", func(s row) int64 { return s.number }),
		column(rows, "step", "Step", "", func(s row) string { return s.Title() }),
		amount("requests", "Requests per minute", "", func(s row) float64 { return s.Now.Requests }),
		amount("step_success", "Success", "percentunit", func(s row) float64 { return s.Now.Success }),
		amount("usual_success", "Usual success", "percentunit", func(s row) float64 { return s.Usual.Success }),
		amount("step_latency", "Mean latency", "s", func(s row) float64 { return s.Now.Latency }),
		amount("usual_latency", "Usual latency", "s", func(s row) float64 { return s.Usual.Latency }),
		amount("p95", "95 % latency", "s", func(s row) float64 { return s.P95 }),
		amount("drop_off", "Drop-off", "percentunit", func(s row) float64 { return dropOff(s.Now) }),
		amount("usual_drop_off", "Usual drop-off", "percentunit", func(s row) float64 { return dropOff(s.Usual) }),
		amount("lost", "Users lost per minute", "", func(s row) float64 { return s.Lost }),
		around("success_before", "Success before the deploy", "percentunit", func(s row) float64 { return s.Before.Success }),
		around("success_after", "Success after", "percentunit", func(s row) float64 { return s.After.Success }),
		around("latency_before", "Latency before the deploy", "s", func(s row) float64 { return s.Before.Latency }),
		around("latency_after", "Latency after", "s", func(s row) float64 { return s.After.Latency }),
		around("drop_off_before", "Drop-off before the deploy", "percentunit", func(s row) float64 { return dropOff(s.Before) }),
		around("drop_off_after", "Drop-off after", "percentunit", func(s row) float64 { return dropOff(s.After) }),
		column(rows, "problem", "Problem", "", func(s row) string { return s.Problem }),
	}
	return frame
}

func journeySeries(a engine.JourneysAnswer) (frames data.Frames) {
	for i, j := range a.Journeys {
		judged, predicted := j.Completed, j.Forecast
		interval := intervalFor(predicted, query.DefaultForecastProbability)
		shown := shownRows(judged.Actual, a.Shown, j.Result.Score)
		times := timesOf(judged.Actual, shown)
		past := len(times)
		for k := range predicted.Mean {
			times = append(times, series.Series{Start: predicted.Start, Step: predicted.Step}.Time(k).UTC())
		}
		frame := newBandFrame(j.Name, series.Labels{"journey": j.Name}, i, times, a.Provenance)
		line := func(role string, observed, ahead []float64) {
			frame.add(role, func(row int) *float64 {
				if row < past {
					return at(observed, shown[row])
				}
				return at(ahead, row-past)
			})
		}
		line(actual, judged.Actual.Values, nil)
		line(expected, judged.Expected, predicted.Mean)
		line(lower, judged.Lower, interval.Lower)
		line(upper, judged.Upper, interval.Upper)
		line(score, j.Result.Score, nil)
		frames = append(frames, frame.Frame)
	}
	if len(frames) == 0 {
		frames = data.Frames{newFrame("journeys", data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, a.Provenance)}
	}
	return frames
}

func journeyEvents(a engine.JourneysAnswer) (events []event) {
	for _, j := range a.Journeys {
		for _, e := range j.Result.Events {
			events = append(events, event{
				start: e.Start, end: e.End, title: "Abnormal journey: " + j.Name,
				text: fmt.Sprintf("score %.0f of 100: %s", e.Score, witnesses(e.Signals)),
				tags: []string{"journey", "journey:" + j.Name}, identity: j.Name,
			})
		}
	}
	return events
}

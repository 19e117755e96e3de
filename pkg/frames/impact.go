package frames

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Impact shapes what watching was worth. As a panel: the measures in one row,
// then alerts, incidents, deploys and what was prevented. As an alert: the one
// measure that was asked for, null where there is not enough data.
func Impact(a engine.ImpactAnswer, q query.Impact, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch format {
	case query.Panel:
		return notices.attach(impactViews(a, q.View)), nil
	case query.Alert:
		labels := series.Labels{}
		if a.Service != "" {
			labels["service_name"] = a.Service
		}
		return alertFrames(q.Measure, []instance{{labels: labels, value: measured(a.Report, q.Measure)}}, a.Provenance, notices, "")
	}
	return nil, noFormat(query.TypeImpact, format)
}

// impactViews makes the frames that a panel asks for.
func impactViews(a engine.ImpactAnswer, view query.ImpactView) (frames data.Frames) {
	for _, one := range []struct {
		view query.ImpactView
		make func(engine.ImpactAnswer) *data.Frame
	}{
		{query.ImpactMeasures, impactMeasures}, {query.ImpactAlerts, impactAlerts}, {query.ImpactIncidents, impactIncidents},
		{query.ImpactDeploys, impactDeploys}, {query.ImpactPrevented, impactPrevented},
	} {
		if view == "" || view == one.view {
			frames = append(frames, one.make(a))
		}
	}
	return frames
}

// measured is a measure by its name: a share from 0 to 1, a median in seconds,
// or a number of incidents; NaN where there is not enough data.
func measured(r impact.Report, measure string) float64 {
	share := func(s impact.Share) float64 {
		if !s.Known() {
			return math.NaN()
		}
		return s.Interval.Estimate
	}
	median := func(t impact.Times) float64 {
		if t.Count == 0 {
			return math.NaN()
		}
		return t.Median.Seconds()
	}
	switch measure {
	case "recall":
		return share(r.Recall)
	case "changeFailure":
		return share(r.ChangeFailure)
	case "detect":
		return median(r.Detect)
	case "lead":
		return median(r.Lead)
	case "resolve":
		return median(r.Resolve)
	case "prevented":
		return preventedIn(r)
	}
	return share(r.Precision)
}

// preventedIn is the number of incidents prevented on any ground.
func preventedIn(r impact.Report) (sum float64) {
	for _, one := range r.Prevented {
		sum += one.Count
	}
	return sum
}

func impactMeasures(a engine.ImpactAnswer) *data.Frame {
	frame := newFrame("measures", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	row := []impact.Report{a.Report}
	amount := func(name, title, unit string, value float64) {
		frame.Fields = append(frame.Fields, column(row, name, title, unit, func(impact.Report) *float64 { return nullable(value) }))
	}
	count := func(name, title string, value int, known bool) {
		frame.Fields = append(frame.Fields, column(row, name, title, "", func(impact.Report) *int64 {
			if number := int64(value); known {
				return &number
			}
			return nil
		}))
	}
	shares := func(name, title, of string, s impact.Share, known bool) {
		estimate, lower, upper := math.NaN(), math.NaN(), math.NaN()
		if s.Known() {
			estimate, lower, upper = s.Interval.Estimate, s.Interval.Lower, s.Interval.Upper
		}
		amount(name, title, "percentunit", estimate)
		amount(name+"_lower", title+", at least", "percentunit", lower)
		amount(name+"_upper", title+", at most", "percentunit", upper)
		count(name+"_of", of+" judged", s.Of, known)
		count(name+"_left_out", of+" not judged", s.LeftOut, known)
	}
	times := func(name, title string, t impact.Times) {
		median, ninety, lower, upper := math.NaN(), math.NaN(), math.NaN(), math.NaN()
		if t.Count > 0 {
			median, ninety = t.Median.Seconds(), t.NinetiethPercent.Seconds()
		}
		if t.Bounded {
			lower, upper = t.Lower.Seconds(), t.Upper.Seconds()
		}
		amount(name, title+" (median)", "s", median)
		amount(name+"_lower", title+", at least", "s", lower)
		amount(name+"_upper", title+", at most", "s", upper)
		amount(name+"_p90", title+" (90th percentile)", "s", ninety)
		count(name+"_count", title+": incidents", t.Count, true)
	}
	shares("precision", "Precision", "Alerts", a.Report.Precision, true)
	shares("recall", "Recall", "Incidents", a.Report.Recall, true)
	shares("change_failure", "Change failure rate", "Deploys", a.Report.ChangeFailure, a.DeploysUnknown == nil)
	times("detect", "Time to detect", a.Report.Detect)
	times("lead", "Lead time", a.Report.Lead)
	times("resolve", "Time to resolve", a.Report.Resolve)
	amount("prevented", "Incidents prevented", "", preventedIn(a.Report))
	return frame
}

var findingColors = data.ValueMappings{data.ValueMapper{
	string(impact.Yes):   {Text: "yes", Index: 0},
	string(impact.No):    {Text: "no", Index: 1},
	string(impact.Open):  {Text: "not known", Color: "text", Index: 2},
	string(impact.Acted): {Text: "acted upon", Color: "blue", Index: 3},
}}

func finding[Row any](rows []Row, title string, of func(Row) impact.Finding) *data.Field {
	field := column(rows, "finding", title, "", func(r Row) string { return string(of(r)) })
	field.Config.Mappings = findingColors
	return field
}

func impactAlerts(a engine.ImpactAnswer) *data.Frame {
	frame := newFrame("alerts", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Report.Episodes
	type row = impact.JudgedEpisode
	frame.Fields = data.Fields{
		column(rows, "time", "Began", "", func(r row) time.Time { return r.Start }),
		column(rows, "end", "Ended", "", func(r row) *time.Time {
			if r.Firing {
				return nil
			}
			return nullableTime(r.End)
		}),
		column(rows, "alert", "Alert", "", func(r row) string { return r.Alert }),
		column(rows, "service", "Service", "", func(r row) string { return r.Service }),
		finding(rows, "Was right", func(r row) impact.Finding { return r.Finding }),
		column(rows, "reason", "Because", "", func(r row) string { return r.Reason }),
	}
	return explainEmpty(frame, "No alert is known to have fired in this time range.")
}

func impactIncidents(a engine.ImpactAnswer) *data.Frame {
	frame := newFrame("incidents", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Report.Incidents
	type row = impact.JudgedIncident
	seconds := func(name, title string, of func(row) (time.Duration, bool)) *data.Field {
		return column(rows, name, title, "s", func(r row) *float64 {
			if d, known := of(r); known {
				return nullable(d.Seconds())
			}
			return nil
		})
	}
	frame.Fields = data.Fields{
		column(rows, "time", "Began", "", func(r row) time.Time { return r.Start }),
		column(rows, "end", "Ended", "", func(r row) *time.Time {
			if r.Ongoing {
				return nil
			}
			return nullableTime(r.End)
		}),
		column(rows, "service", "Service", "", func(r row) string { return r.Service }),
		column(rows, "source", "Known from", "", func(r row) string { return string(r.Source) }),
		finding(rows, "Told of in time", func(r row) impact.Finding { return r.Finding }),
		seconds("detect", "Time to detect", func(r row) (time.Duration, bool) { return r.Detect, r.Detected }),
		seconds("lead", "Lead time", func(r row) (time.Duration, bool) { return r.Lead, r.Lead > 0 }),
		seconds("resolve", "Time to resolve", func(r row) (time.Duration, bool) { return r.End.Sub(r.Start), !r.Ongoing && r.End.After(r.Start) }),
		incidentChanges(a),
	}
	return explainEmpty(frame, "No incident is known in this time range.")
}

// incidentChanges are the deploys shortly before each incident, the likeliest to
// blame first.
func incidentChanges(a engine.ImpactAnswer) *data.Field {
	texts := make([]string, len(a.Report.Incidents))
	for i := range texts {
		var lines []string
		for _, c := range a.Changes[i] {
			lines = append(lines, fmt.Sprintf("%s %s: %s", c.Service, c.Version, c.Why()))
		}
		texts[i] = strings.Join(lines, "\n")
	}
	field := data.NewField("changes", nil, texts)
	field.Config = &data.FieldConfig{DisplayNameFromDS: "Deploys before, likeliest first"}
	return field
}

func impactDeploys(a engine.ImpactAnswer) *data.Frame {
	frame := newFrame("deploys", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Report.Deploys
	type row = impact.JudgedDeploy
	frame.Fields = data.Fields{
		column(rows, "time", "Deployed", "", func(r row) time.Time { return r.At }),
		column(rows, "service", "Service", "", func(r row) string { return r.Service }),
		column(rows, "version", "Version", "", func(r row) string { return r.Version }),
		finding(rows, "Failed", func(r row) impact.Finding { return r.Finding }),
		column(rows, "reason", "Because", "", func(r row) string { return r.Reason }),
	}
	return explainEmpty(frame, "No deploy is known in this time range.")
}

func impactPrevented(a engine.ImpactAnswer) *data.Frame {
	frame := newFrame("prevented", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Report.Prevented
	type row = impact.Prevented
	frame.Fields = data.Fields{
		column(rows, "time", "Time", "", func(r row) time.Time { return r.At }),
		column(rows, "service", "Service", "", func(r row) string { return r.Service }),
		column(rows, "ground", "Ground", "", func(r row) string { return string(r.Ground) }),
		column(rows, "count", "Incidents", "", func(r row) *float64 { return nullable(r.Count) }),
		column(rows, "interval", "Between", "", func(r row) string {
			if r.Interval.Lower == r.Interval.Upper {
				return ""
			}
			return fmt.Sprintf("%.1f and %.1f", r.Interval.Lower, r.Interval.Upper)
		}),
		column(rows, "reason", "Because", "", func(r row) string { return r.Reason }),
	}
	return explainEmpty(frame, "Nothing is known to have been prevented in this time range.")
}

package frames

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// signalNames are the signals for people.
var signalNames = data.ValueMappings{data.ValueMapper{
	string(propagation.Latency):  {Text: "latency", Index: 0},
	string(propagation.Failures): {Text: "errors", Index: 1},
}}

func abnormalMetrics(a engine.RootCauseAnswer) bool {
	return a.Metrics != nil && a.Metrics.Result.Verdict == propagation.Abnormal && len(a.Metrics.Result.Suspects) > 0
}

// regressedByAny is 1 where traces or metrics prove a regression.
func regressedByAny(a engine.RootCauseAnswer) float64 {
	if a.Metrics != nil && a.Metrics.Result.Verdict == propagation.Abnormal {
		return 1
	}
	return regressed(a.Result.Verdict)
}

// metricCauseTable is the services to which metrics alone traced an anomaly.
func metricCauseTable(a engine.RootCauseAnswer) *data.Frame {
	frame := newFrame("metrics", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	m := a.Metrics
	suspects := m.Result.Suspects
	unit := "s"
	if m.Signal == propagation.Failures {
		unit = "percentunit"
	}
	figure := func(name, title, unit string, value func(propagation.Suspect) float64) *data.Field {
		return column(suspects, name, title, unit, func(s propagation.Suspect) *float64 { return nullable(value(s)) })
	}
	text := rowsOf[propagation.Suspect](suspects).text
	signal := text("signal", "Signal", func(propagation.Suspect) string { return string(m.Signal) })
	signal.Config.Mappings = signalNames
	verdict := text("proven", "Proven", func(propagation.Suspect) string { return string(m.Result.Verdict) })
	verdict.Config.Mappings = data.ValueMappings{data.ValueMapper{
		string(propagation.Abnormal): {Text: "yes", Color: "red", Index: 0},
		string(propagation.Normal):   {Text: "no: a lead", Color: "blue", Index: 1},
	}}
	why := make([]string, len(suspects))
	for i := range suspects {
		if i < len(m.Reasons) {
			why[i] = strings.Join(m.Reasons[i], "\n")
		}
	}
	reasons := data.NewField("why", nil, why)
	reasons.Config = &data.FieldConfig{DisplayNameFromDS: "Why"}
	frame.Fields = data.Fields{
		text("service", "Service", func(s propagation.Suspect) string { return s.Service }),
		figure("share", "Share of the change", "percentunit", func(s propagation.Suspect) float64 { return s.Share }),
		signal,
		figure("before", "Before", unit, func(s propagation.Suspect) float64 { return s.Before }),
		figure("now", "Now", unit, func(s propagation.Suspect) float64 { return s.Now }),
		figure("deviation", "Standard deviations", "", func(s propagation.Suspect) float64 { return s.Deviation }),
		figure("requests_ratio", "Requests, now to before", "", func(s propagation.Suspect) float64 { return s.Requests }),
		reasons,
		text("called_by", "Along", func(s propagation.Suspect) string { return strings.Join(s.Path, " → ") }),
		verdict,
		column(suspects, "since", "Abnormal since", "", func(propagation.Suspect) *time.Time { return nullableTime(m.Onset) }),
		text("sources", "Who calls whom, from", func(propagation.Suspect) string { return strings.Join(m.Sources, ", ") }),
	}
	return frame
}

func metricCauseEvent(a engine.RootCauseAnswer) event {
	m := a.Metrics
	first := m.Result.Suspects[0]
	var lines []string
	for i, s := range m.Result.Suspects[:min(3, len(m.Result.Suspects))] {
		lines = append(lines, fmt.Sprintf("%.0f %% %s: %s", 100*s.Share, s.Service, m.Reasons[i][0]))
	}
	return event{
		start: m.Onset, end: a.End, tags: []string{"root cause", "service_name:" + first.Service},
		title:    fmt.Sprintf("%s is to blame for the %s of %s", first.Service, m.Signal, a.Service),
		text:     strings.Join(lines, "\n"),
		identity: strings.Join([]string{a.Service, string(m.Signal), string(diff.Regressed)}, "\x00"),
	}
}

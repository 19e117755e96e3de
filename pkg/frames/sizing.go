package frames

import (
	"math"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
)

// Sizing shapes the sizes of a service. As a panel: a table of
// recommendations, one of what they rest on, and one of patches. As an alert:
// how many times the present replicas and connections are recommended: above 1
// where they are too few, 1 where they suffice, below 1 where they are grossly
// too many, null where either is unknown. No metric tells the present of other
// settings.
func Sizing(a engine.SizingAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch format {
	case query.Panel:
		return notices.attach(data.Frames{recommendations(a), recommendationBasis(a), patches(a)}), nil
	case query.Alert:
		var instances []instance
		for _, one := range a.Recommendations {
			if one.Sizing != sizing.SizeReplicas && one.Sizing != sizing.SizePool {
				continue
			}
			notices.add(data.NoticeSeverityInfo, reported(one))
			labels := series.Labels{"service_name": a.Service, "setting": string(one.Sizing), "pool": one.Subject}
			value := one.Value / one.Current
			if one.Urgency() == sizing.Fine {
				value = 1 // what is ample is no reason to wake anybody
			}
			instances = append(instances, instance{labels: labels, value: value})
		}
		return alertFrames("recommended_of_present", instances, a.Provenance, notices, "")
	}
	return nil, noFormat(query.TypeSizing, format)
}

// told is why an alert has no number for a recommendation; empty where it has.
func reported(one sizing.Recommendation) string {
	switch {
	case one.Problem != "":
		return string(one.Sizing) + ": " + one.Problem + "."
	case math.IsNaN(one.Current):
		return string(one.Sizing) + ": the present setting is unknown."
	}
	return ""
}

// urgencies say whether a person needs to act.
var urgencies = data.ValueMappings{data.ValueMapper{
	string(sizing.Short):    {Text: "too small: raise it", Color: "red", Index: 0},
	string(sizing.Wasteful): {Text: "far too large", Color: "yellow", Index: 1},
	string(sizing.Fine):     {Text: "fine", Color: "green", Index: 2},
	string(sizing.Unknown):  {Text: "for your information", Color: "text", Index: 3},
}}

var settingNames = data.ValueMappings{data.ValueMapper{
	string(sizing.SizeReplicas):    {Text: "replicas", Index: 0},
	string(sizing.SizePool):        {Text: "connection pool", Index: 1},
	string(sizing.SizeConcurrency): {Text: "concurrency limit", Index: 2},
	string(sizing.SizeOutliers):    {Text: "outlier detection", Index: 3},
	string(sizing.SizeBreaker):     {Text: "circuit breaker", Index: 4},
	string(sizing.SizeCacheWarm):   {Text: "cache warming", Index: 5},
	string(sizing.SizeShed):        {Text: "load shedding", Index: 6},
}}

func recommendations(a engine.SizingAnswer) *data.Frame {
	frame := newFrame("recommendations", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row = sizing.Recommendation
	text := rowsOf[row](a.Recommendations).text
	amount := func(name, title string, value func(row) float64) *data.Field {
		return column(a.Recommendations, name, title, "", func(r row) *float64 { return nullable(value(r)) })
	}
	action := text("action", "To do", func(r row) string { return string(r.Urgency()) })
	action.Config.Mappings = urgencies
	setting := text("setting", "Setting", func(r row) string { return string(r.Sizing) })
	setting.Config.Mappings = settingNames
	frame.Fields = data.Fields{
		action,
		setting,
		text("subject", "Of", func(r row) string { return r.Subject }),
		amount("recommended", "Recommended", func(r row) float64 { return r.Value }),
		amount("present", "Present", func(r row) float64 { return r.Current }),
		text("unit", "Unit", func(r row) string { return r.Unit }),
		amount("lower", "At least", func(r row) float64 { return r.Lower }),
		amount("upper", "At most", func(r row) float64 { return r.Upper }),
		text("reason", "Reason", func(r row) string { return strings.TrimSpace(r.Reason + " " + r.Problem) }),
		text("constraint", "Limited by", func(r row) string { return r.Constraint }),
		column(a.Recommendations, "valid_until", "Valid until", "", func(r row) *time.Time {
			if r.Problem != "" {
				return nil
			}
			return nullableTime(a.At.Add(r.ValidFor))
		}),
		text("revert", "To revert", func(r row) string { return r.Revert }),
	}
	return frame
}

// recommendationBasis is what every recommendation was worked out from, and the
// fields that belong to it.
func recommendationBasis(a engine.SizingAnswer) *data.Frame {
	type row struct {
		of    sizing.Recommendation
		kind  string
		value sizing.Quantity
	}
	var rows []row
	for _, one := range a.Recommendations {
		for _, q := range one.Settings {
			rows = append(rows, row{one, "setting", q})
		}
		for _, q := range one.Basis {
			rows = append(rows, row{one, "basis", q})
		}
	}
	frame := newFrame("basis", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	frame.Fields = data.Fields{
		column(rows, "setting", "Basis of", "", func(r row) string { return string(r.of.Sizing) }),
		column(rows, "subject", "Basis of which", "", func(r row) string { return r.of.Subject }),
		column(rows, "kind", "Kind", "", func(r row) string { return r.kind }),
		column(rows, "name", "What", "", func(r row) string { return r.value.Name }),
		column(rows, "value", "Value", "", func(r row) *float64 { return nullable(r.value.Value) }),
		column(rows, "unit", "Basis unit", "", func(r row) string { return r.value.Unit }),
	}
	return frame
}

func patches(a engine.SizingAnswer) *data.Frame {
	type row struct {
		of    sizing.Recommendation
		patch sizing.Patch
	}
	var rows []row
	for _, one := range a.Recommendations {
		for _, p := range one.Patches {
			rows = append(rows, row{one, p})
		}
	}
	frame := newFrame("patches", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	text := rowsOf[row](rows).text
	frame.Fields = data.Fields{
		text("for_setting", "For setting", func(r row) string { return string(r.of.Sizing) }),
		text("for_subject", "For which", func(r row) string { return r.of.Subject }),
		text("kind", "Applies to", func(r row) string { return r.patch.Kind }),
		text("api_version", "API version", func(r row) string { return r.patch.APIVersion }),
		text("path", "Path", func(r row) string { return r.patch.Path }),
		text("patch", "Patch", func(r row) string { return r.patch.Text }),
	}
	return frame
}

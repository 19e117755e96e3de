package frames

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// attributePanel is a table of what tells two populations of traces apart, the
// largest difference first. Whether they differ in duration is not its matter: no
// verdict is told.
func attributePanel(a engine.TraceDiffAnswer) data.Frames {
	notices := remarksOf(a.Provenance)
	rows := a.Attributes
	if len(rows) == 0 {
		notices.add(data.NoticeSeverityInfo, fmt.Sprintf("No attribute tells the %d traces of the candidate from the %d of the baseline.",
			a.Result.Candidate.Traces, a.Result.Baseline.Traces))
	}
	frame := newFrame("attributes", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	text := rowsOf[diff.AttributeDifference](rows).text
	figure := func(name, title, unit string, value func(diff.AttributeDifference) float64) *data.Field {
		return column(rows, name, title, unit, func(d diff.AttributeDifference) *float64 { return nullable(value(d)) })
	}
	count := func(name, title string, value func(diff.AttributeDifference) int) *data.Field {
		return column(rows, name, title, "", func(d diff.AttributeDifference) int64 { return int64(value(d)) })
	}
	frame.Fields = data.Fields{
		text("attribute", "Attribute", func(d diff.AttributeDifference) string { return d.Attribute }),
		text("value", "Value", func(d diff.AttributeDifference) string { return d.Value }),
		text("service", "Service", func(d diff.AttributeDifference) string { return d.Service }),
		figure("candidate_share", "Of the candidate", "percentunit", func(d diff.AttributeDifference) float64 { return d.Candidate.Rate() }),
		figure("baseline_share", "Of the baseline", "percentunit", func(d diff.AttributeDifference) float64 { return d.Baseline.Rate() }),
		figure("difference", "Difference", "percentunit", func(d diff.AttributeDifference) float64 { return d.Candidate.Rate() - d.Baseline.Rate() }),
		figure("difference_lower", "Difference, at least", "percentunit", func(d diff.AttributeDifference) float64 { return d.Difference.Lower }),
		figure("difference_upper", "Difference, at most", "percentunit", func(d diff.AttributeDifference) float64 { return d.Difference.Upper }),
		figure("p_value", "Adjusted p", "", func(d diff.AttributeDifference) float64 { return d.PValue }),
		text("also", "The same as", func(d diff.AttributeDifference) string { return strings.Join(d.Also, "; ") }),
		count("candidate_traces", "Candidate traces with it", func(d diff.AttributeDifference) int { return d.Candidate.Successes }),
		count("baseline_traces", "Baseline traces with it", func(d diff.AttributeDifference) int { return d.Baseline.Successes }),
	}
	return notices.attach(data.Frames{frame})
}

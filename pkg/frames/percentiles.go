package frames

import (
	"cmp"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// percentiles are the durations of the service's requests on both sides, for
// Grafana's bar chart: those of the call path that most traces take into it.
func percentiles(a engine.TraceDiffAnswer) *data.Frame {
	frame := newFrame("percentiles", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	path, found := requestPath(a)
	type row struct {
		name string
		of   func(diff.Quantile) float64
	}
	var rows []row
	if found {
		rows = []row{
			{"p50", func(q diff.Quantile) float64 { return q.P50 }},
			{"p95", func(q diff.Quantile) float64 { return q.P95 }},
			{"p99", func(q diff.Quantile) float64 { return q.P99 }},
		}
	}
	side := func(name, title, color string, of diff.Quantile) *data.Field {
		field := column(rows, name, title, "ns", func(r row) *float64 { return nullable(r.of(of)) })
		field.Config.Color = map[string]any{"mode": "fixed", "fixedColor": color}
		return field
	}
	if request := strings.TrimSpace(path.Service + " " + path.Operation); found {
		frame.AppendNotices(data.Notice{Severity: data.NoticeSeverityInfo, Text: "The durations of " + request + "."})
	}
	frame.Fields = data.Fields{
		column(rows, "percentile", "Percentile", "", func(r row) string { return r.name }),
		side("baseline", "before: "+cmp.Or(a.BaselineVersion, "baseline"), "blue", path.Baseline.Duration),
		side("candidate", "after: "+cmp.Or(a.CandidateVersion, "candidate"), "orange", path.Candidate.Duration),
	}
	return frame
}

// requestPath is the shortest call path into the service that both sides have; of
// several the one with the most traces.
func requestPath(a engine.TraceDiffAnswer) (best diff.Path, found bool) {
	for _, p := range a.Result.Paths {
		if p.Service != a.Service || p.Baseline.Traces == 0 || p.Candidate.Traces == 0 {
			continue
		}
		if !found || p.Depth < best.Depth || p.Depth == best.Depth && p.Baseline.Traces > best.Baseline.Traces {
			best, found = p, true
		}
	}
	return best, found
}

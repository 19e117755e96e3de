// Package frames shapes answers into Grafana data frames: one function per
// kind of answer, one frame shape per consumer.
//
//   - panel: frames that Grafana's own panels draw without configuration.
//   - alert: numbers that Grafana's rule evaluator takes as they are.
//   - annotations: events that dashboards mark on every panel.
//
// No frame holds NaN or Inf: what is unknown is null.
package frames

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/internal/shorten"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Grafana reads the type of a frame only where its version is not 0.0; without
// it, expressions and rules guess.
var typeVersion = data.FrameTypeVersion{0, 1}

// maxNotices bounds what is stacked up behind one icon of a panel.
const maxNotices = 20

// newFrame is a frame without fields, which Grafana takes for "no data" of its
// type.
func newFrame(name string, frameType data.FrameType, visualization data.VisType, basis engine.Provenance) *data.Frame {
	frame := data.NewFrame(name)
	frame.Meta = &data.FrameMeta{
		Type:                   frameType,
		TypeVersion:            typeVersion,
		PreferredVisualization: visualization,
		ExecutedQueryString:    executed(basis),
	}
	return frame
}

// explainEmpty says, beside a table without rows, what that means. The data
// source's frontend shows it: Grafana draws such a table as an empty box.
func explainEmpty(frame *data.Frame, reason string) *data.Frame {
	if rows, err := frame.RowLen(); err == nil && rows == 0 {
		frame.Meta.Custom = map[string]any{"empty": reason}
	}
	return frame
}

// executed is what Grafana's query inspector shows: the upstream queries, then
// the parameters of the analysis.
func executed(basis engine.Provenance) string {
	lines := make([]string, 0, len(basis.Queries))
	for _, query := range basis.Queries {
		lines = append(lines, shorten.Bytes(query, maxExecuted/2)) // every series' frame repeats it
	}
	for _, name := range slices.Sorted(maps.Keys(basis.Parameters)) {
		value, err := json.Marshal(plain(basis.Parameters[name]))
		if err != nil {
			value = fmt.Appendf(nil, "%v", basis.Parameters[name])
		}
		lines = append(lines, fmt.Sprintf("# %s: %s", name, strings.Trim(string(value), `"`)))
	}
	return strings.Join(lines, "\n")
}

// model is what answered for one series.
type model struct {
	name       string // empty where no model could answer
	season     time.Duration
	parameters map[string]float64
	observed   int
}

// log adds the model of one series to the executed query, for people.
func (m model) log(frame *data.Frame, series string) {
	if m.name == "" {
		return
	}
	var line strings.Builder
	fmt.Fprintf(&line, "\n# %s: %s, season %s, %d observations", series, m.name, m.season, m.observed)
	for _, name := range slices.Sorted(maps.Keys(m.parameters)) {
		fmt.Fprintf(&line, ", %s %s", name, number(m.parameters[name]))
	}
	frame.Meta.ExecutedQueryString += line.String()
}

// describe logs the model and adds it, with details, to the frame's meta, for
// programs.
func (m model) describe(frame *data.Frame, series string, details map[string]any) {
	if m.name == "" {
		return
	}
	m.log(frame, series)
	details["model"], details["season"] = m.name, m.season.String()
	details["parameters"], details["observed"] = m.parameters, m.observed
	frame.Meta.Custom = plain(details)
}

// remarks collects what the reader of an answer should know, each thing once.
// Grafana shows them behind an icon of the panel.
type remarks []data.Notice

// remarksOf starts with what the whole answer left out.
func remarksOf(basis engine.Provenance) remarks {
	var r remarks
	r.add(data.NoticeSeverityWarning, basis.Notices...)
	r.add(data.NoticeSeverityInfo, basis.Remarks...)
	return r
}

func (r *remarks) add(severity data.NoticeSeverity, texts ...string) {
	for _, text := range texts {
		notice := data.Notice{Severity: severity, Text: text}
		if text != "" && !slices.ContainsFunc(*r, func(n data.Notice) bool { return n.Text == text }) {
			*r = append(*r, notice)
		}
	}
}

// Notice warns the reader of an answer.
func Notice(frames data.Frames, text string) {
	if len(frames) > 0 {
		frames[0].AppendNotices(data.Notice{Severity: data.NoticeSeverityWarning, Text: text})
	}
}

// attach puts the remarks on the first of the frames, warnings first.
func (r remarks) attach(frames data.Frames) data.Frames {
	slices.SortStableFunc(r, func(a, b data.Notice) int { return int(b.Severity) - int(a.Severity) })
	if more := len(r) - maxNotices; more > 0 {
		r = append(r[:maxNotices:maxNotices], data.Notice{
			Severity: data.NoticeSeverityInfo,
			Text:     fmt.Sprintf("%d more notices are not shown.", more),
		})
	}
	if len(frames) > 0 {
		frames[0].AppendNotices(r...)
	}
	return frames
}

func noFormat(queryType query.Type, format query.Format) error {
	return fmt.Errorf("%s answers have no format %q", queryType, format)
}

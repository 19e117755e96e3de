package frames

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/query"
)

// TraceSource is the data source in Grafana that shows traces.
type TraceSource struct {
	UID  string // empty where none is known: nothing is linked
	Type string // its plugin: "tempo", "jaeger"
}

// The columns with ids of traces, and those with TraceQL.
var (
	traceColumns   = []string{"trace", "baseline_trace", "candidate_trace", "detail__trace"}
	traceQLColumns = []string{"baseline_traceql", "candidate_traceql"}
)

// LinkTraces links ids of traces to Explore, those of an example pair side by
// side, and TraceQL to a search.
func LinkTraces(all data.Frames, source TraceSource) {
	if source.UID == "" {
		return
	}
	for _, frame := range all {
		isPair := has(frame, "baseline_trace") && has(frame, "candidate_trace")
		for _, field := range frame.Fields {
			switch {
			case slices.Contains(traceColumns, field.Name):
				addLink(field, source.explore("View trace", "${__value.raw}"))
				if isPair {
					addLink(field, source.sideBySide("${__data.fields.baseline_trace}", "${__data.fields.candidate_trace}"))
				}
			case slices.Contains(traceQLColumns, field.Name) && source.Type == "tempo":
				addLink(field, source.explore("Show such traces", "${__value.raw}"))
			}
		}
	}
}

func has(frame *data.Frame, column string) bool {
	return slices.ContainsFunc(frame.Fields, func(f *data.Field) bool { return f.Name == column })
}

func addLink(field *data.Field, link data.DataLink) {
	if field.Config == nil {
		field.Config = &data.FieldConfig{}
	}
	field.Config.Links = append(field.Config.Links, link)
}

// query asks the source for a trace by its id, or by TraceQL.
func (s TraceSource) query(text string) map[string]any {
	query := map[string]any{"refId": "A", "query": text, "datasource": map[string]any{"type": s.Type, "uid": s.UID}}
	if s.Type == "tempo" {
		query["queryType"] = "traceql"
	}
	return query
}

func (s TraceSource) explore(title, text string) data.DataLink {
	return data.DataLink{Title: title, Internal: &data.InternalDataLink{DatasourceUID: s.UID, Query: s.query(text)}}
}

// sideBySide is Explore with a pane for each of two traces. Grafana fills in
// the variables, so they stay as they are in the address.
func (s TraceSource) sideBySide(left, right string) data.DataLink {
	pane := func(text string) map[string]any {
		return map[string]any{
			"datasource": s.UID, "queries": []any{s.query(text)},
			"range": map[string]any{"from": "${__from}", "to": "${__to}"},
		}
	}
	panes, err := json.Marshal(map[string]any{"baseline": pane(left), "candidate": pane(right)})
	if err != nil {
		return data.DataLink{} // texts and maps of them always can be written
	}
	escaped := url.QueryEscape(string(panes))
	for _, variable := range []string{left, right, "${__from}", "${__to}"} {
		escaped = strings.ReplaceAll(escaped, url.QueryEscape(variable), variable)
	}
	return data.DataLink{Title: "Compare the pair", URL: "/explore?schemaVersion=1&panes=" + escaped, TargetBlank: true}
}

// maxLinkedFilters is how many labels of a series a link filters by.
const maxLinkedFilters = 20

// LinkExplain links the observations and scores of an anomaly panel to the
// question which labels carry a change: of that series, with this data source.
func LinkExplain(all data.Frames, uid string, q query.Anomaly) {
	if uid == "" || q.Expr == "" {
		return
	}
	for _, frame := range all {
		for _, field := range frame.Fields {
			if field.Name != actual && field.Name != score {
				continue
			}
			filters := slices.Clone(q.Filters)
			for _, name := range slices.Sorted(maps.Keys(field.Labels)) {
				if name != "__name__" && len(filters) < maxLinkedFilters {
					filters = append(filters, query.Filter{Key: name, Value: field.Labels[name]})
				}
			}
			queried := map[string]any{"refId": "A", "queryType": string(query.TypeExplain), "expr": q.Expr}
			if len(filters) > 0 {
				queried["filters"] = filters
			}
			addLink(field, data.DataLink{Title: "Which labels explain a change?", Internal: &data.InternalDataLink{DatasourceUID: uid, Query: queried}})
		}
	}
}

package frames

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
)

// Grafana's node graph panel takes a frame of nodes and one of edges, tells
// them apart by their fields, and finds fields by name: id, title, subtitle,
// mainstat, secondarystat, arc__* (parts of the ring, which sum to 1, each with
// a colour that the legend explains), detail__* (shown on a click), source,
// target, color, thickness, strokedasharray. It formats a stat by appending its
// unit, so stats are texts here.

// ServiceMap shapes the map of a system. As a panel: nodes and edges for the
// node graph, what changed coloured. As an alert: the share of failed calls of
// every edge.
func ServiceMap(a engine.ServiceMapAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	switch format {
	case query.Panel:
		if len(a.Map.Nodes) == 0 {
			notices.add(data.NoticeSeverityInfo, "No traces, no map.")
		}
		return notices.attach(data.Frames{mapNodes(a), mapEdges(a)}), nil
	case query.Alert:
		return alertFrames("errors", edgeErrors(a), a.Provenance, notices, "No edge has a call.")
	}
	return nil, noFormat(query.TypeServiceMap, format)
}

// edgeErrors are instances per edge; ends of one name share an instance only
// where they are one node.
func edgeErrors(a engine.ServiceMapAnswer) (instances []instance) {
	for _, e := range a.Map.Edges {
		if e.Now.Calls > 0 {
			instances = append(instances, instance{labels: series.Labels{"client": e.From, "server": e.To}, value: e.Now.Errors.Estimate})
		}
	}
	return instances
}

// mapColors are those of the states, in the order of the legend.
var mapColors = []struct {
	name, title, color string
	changes            []topology.Change
}{
	{"slower", "slower", "orange", []topology.Change{topology.Slower}},
	{"new", "new", "blue", []topology.Change{topology.New}},
	{"gone", "gone", "#8e8e8e", []topology.Change{topology.Gone}},
	{"calls", "other number of calls", "purple", []topology.Change{topology.MoreCalls, topology.FewerCalls}},
	{"better", "faster or fewer errors", "super-light-green", []topology.Change{topology.Faster, topology.FewerErrors}},
	{"ok", "unchanged", "green", nil},
}

const errorColor = "red"

// state is the place in mapColors of the gravest change that is not about
// errors, which the ring shows by themselves.
func state(changes []topology.Change) int {
	for _, change := range changes {
		for i, entry := range mapColors {
			if slices.Contains(entry.changes, change) {
				return i
			}
		}
	}
	return len(mapColors) - 1
}

func mapNodes(a engine.ServiceMapAnswer) *data.Frame {
	frame := newFrame("nodes", "", data.VisTypeNodeGraph, a.Provenance)
	nodes := a.Map.Nodes
	text := func(name, title string, value func(topology.Node) string) *data.Field {
		return graphColumn(nodes, name, title, value)
	}
	errors := graphColumn(nodes, "arc__errors", "failed calls", func(n topology.Node) float64 { return n.Now.Errors.Estimate })
	errors.Config.Color = map[string]any{"mode": "fixed", "fixedColor": errorColor}
	frame.Fields = data.Fields{
		text("id", "", func(n topology.Node) string { return n.ID }),
		text("title", "", func(n topology.Node) string { return n.Name }),
		text("subtitle", "", nodeSubtitle),
		text("mainstat", "p95", func(n topology.Node) string { return shortDuration(latency(n.Now.Server, n.Now.Client)) }),
		text("secondarystat", "Rate", func(n topology.Node) string { return rateText(a.NodeRates[n.ID]) }),
		text("icon", "", func(n topology.Node) string { return mapIcons[n.Type] }),
		errors,
	}
	for i, entry := range mapColors {
		arc := graphColumn(nodes, "arc__"+entry.name, entry.title, func(n topology.Node) float64 {
			if state(n.Changes) != i {
				return 0
			}
			return 1 - n.Now.Errors.Estimate
		})
		arc.Config.Color = map[string]any{"mode": "fixed", "fixedColor": entry.color}
		frame.Fields = append(frame.Fields, arc)
	}
	frame.Fields = append(frame.Fields,
		text("detail__change", "Since the deploy", func(n topology.Node) string { return changesText(n.Changes) }),
		text("detail__errors", "Errors", func(n topology.Node) string { return errorsText(n.Now, n.Before) }),
		text("detail__own", "Own work per trace, p50", func(n topology.Node) string {
			return beforeAfter(n.Before, n.Now, func(l topology.Load) string { return shortDuration(l.Own.P50, l.Own.Count) })
		}),
		text("detail__calls", "Calls per trace", func(n topology.Node) string {
			return beforeAfter(n.Before, n.Now, func(l topology.Load) string { return number(l.CallsPerTrace) })
		}),
		text("detail__versions", "Versions", func(n topology.Node) string { return versionsText(n.Versions) }),
		text("detail__type", "Type", func(n topology.Node) string { return string(n.Type) }),
	)
	return frame
}

var mapIcons = map[topology.Type]string{
	topology.Database: "database", topology.Cache: "bolt", topology.Queue: "envelope", topology.External: "cloud",
}

func mapEdges(a engine.ServiceMapAnswer) *data.Frame {
	frame := newFrame("edges", "", data.VisTypeNodeGraph, a.Provenance)
	edges := a.Map.Edges
	text := func(name, title string, value func(topology.Edge) string) *data.Field {
		return graphColumn(edges, name, title, value)
	}
	both := func(name, title string, value func(topology.Load) string) *data.Field {
		return text(name, title, func(e topology.Edge) string { return beforeAfter(e.Before, e.Now, value) })
	}
	frame.Fields = data.Fields{
		text("id", "", func(e topology.Edge) string { return e.ID }),
		text("source", "", func(e topology.Edge) string { return e.From }),
		text("target", "", func(e topology.Edge) string { return e.To }),
		text("mainstat", "p95", func(e topology.Edge) string { return shortDuration(latency(e.Now.Client, e.Now.Server)) }),
		text("secondarystat", "Rate and errors", func(e topology.Edge) string { return edgeStat(a.EdgeRates[e.ID], e.Now) }),
		text("color", "", edgeColor),
		graphColumn(edges, "thickness", "", func(e topology.Edge) float64 { return thickness(a.EdgeRates[e.ID], a.EdgeRates) }),
		text("strokedasharray", "", edgeDash),
		text("detail__change", "Since the deploy", func(e topology.Edge) string { return changesText(e.Changes) }),
		text("detail__operations", "Operations", func(e topology.Edge) string { return strings.Join(e.Operations, ", ") }),
		text("detail__errors", "Errors", func(e topology.Edge) string { return errorsText(e.Now, e.Before) }),
		both("detail__client", "As the caller sees it, p50 / p95", func(l topology.Load) string { return quantilesText(l.Client) }),
		both("detail__server", "As the callee sees it, p50 / p95", func(l topology.Load) string { return quantilesText(l.Server) }),
		both("detail__gap", "On the way, p50 / p95", func(l topology.Load) string { return quantilesText(l.Gap) }),
		both("detail__retries", "Retries", func(l topology.Load) string { return percent(l.Retries) }),
		both("detail__calls", "Calls per trace", func(l topology.Load) string { return number(l.CallsPerTrace) }),
		text("detail__metrics", "Rate in metrics", func(e topology.Edge) string {
			if rate, found := a.MetricRates[e.ID]; found {
				return rateText(rate)
			}
			return ""
		}),
		text("detail__versions", "Versions", func(e topology.Edge) string {
			return strings.Trim(versionsText(e.CallerVersions)+" → "+versionsText(e.CalleeVersions), "→ ")
		}),
		text("detail__unpaired", "Seen from one end only", func(e topology.Edge) string {
			if e.Unpaired == 0 || e.Now.Calls == 0 {
				return ""
			}
			return percent(float64(e.Unpaired) / float64(e.Now.Calls))
		}),
		text("detail__first", "First seen", func(e topology.Edge) string { return e.FirstSeen.Format(time.RFC3339) }),
		text("detail__last", "Last seen", func(e topology.Edge) string { return e.LastSeen.Format(time.RFC3339) }),
		text("detail__trace", "Trace", func(e topology.Edge) string { return firstTrace(e.Examples) }),
	}
	return frame
}

// graphColumn is a column as the node graph reads it: the panel knows
// displayName, and no other title.
func graphColumn[Row, Value any](rows []Row, name, title string, value func(Row) Value) *data.Field {
	field := column(rows, name, "", "", value)
	field.Config = &data.FieldConfig{DisplayName: title}
	return field
}

func nodeSubtitle(n topology.Node) string {
	return cmp.Or(n.System, versionsText(n.Versions), string(n.Type))
}

func edgeColor(e topology.Edge) string {
	if slices.Contains(e.Changes, topology.MoreErrors) {
		return errorColor
	}
	if at := state(e.Changes); at < len(mapColors)-1 {
		return mapColors[at].color
	}
	return "#999999"
}

// edgeDash draws broken what is gone, and dotted what is seen from one end.
func edgeDash(e topology.Edge) string {
	switch {
	case slices.Contains(e.Changes, topology.Gone):
		return "8 4"
	case e.Unpaired > 0 && 2*e.Unpaired > e.Now.Calls:
		return "2 4"
	}
	return ""
}

// thickness is 1 to 5, by the rate against the largest.
func thickness(rate float64, all map[string]float64) float64 {
	largest := 0.0
	for _, other := range all {
		largest = max(largest, other)
	}
	if largest == 0 {
		return 1
	}
	return 1 + 4*rate/largest
}

func edgeStat(rate float64, l topology.Load) string {
	text := rateText(rate)
	if l.Errors.Estimate > 0 {
		text += fmt.Sprintf(", %s failed", percent(l.Errors.Estimate))
	}
	return text
}

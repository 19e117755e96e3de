package frames

import (
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// changeNames are the kinds of changes for people.
var changeNames = data.ValueMappings{data.ValueMapper{
	"deploy":      {Text: "deploy", Color: "blue", Index: 0},
	"replicas":    {Text: "replicas", Index: 1},
	"autoscaler":  {Text: "autoscaler", Index: 2},
	"config":      {Text: "configuration", Color: "purple", Index: 3},
	"restart":     {Text: "restart", Color: "orange", Index: 4},
	"outOfMemory": {Text: "out of memory", Color: "red", Index: 5},
	"throttling":  {Text: "throttling", Color: "orange", Index: 6},
	"pods":        {Text: "pods", Index: 7},
	"node":        {Text: "node", Color: "orange", Index: 8},
	"certificate": {Text: "certificate", Color: "yellow", Index: 9},
	"job":         {Text: "job", Index: 10},
	"sync":        {Text: "sync", Index: 11},
	"incident":    {Text: "incident", Color: "red", Index: 12},
	"action":      {Text: "action", Color: "green", Index: 13},
	"announced":   {Text: "announced", Color: "blue", Index: 14},
}}

// Ledger shapes the ledger of changes. As a panel: a table, the newest first. As
// annotations: one event per change.
func Ledger(a engine.LedgerAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	const empty = "Nothing changed in this window that deploys, metrics under well-known names or annotations tell of."
	switch format {
	case query.Panel:
		if len(a.Changes) == 0 {
			notices.add(data.NoticeSeverityInfo, empty)
		}
		return notices.attach(data.Frames{ledgerTable(a)}), nil
	case query.Annotations:
		return annotationFrames("changes", ledgerEvents(a), a.Provenance, notices, empty), nil
	}
	return nil, noFormat(query.TypeChanges, format)
}

func ledgerTable(a engine.LedgerAnswer) *data.Frame {
	frame := newFrame("changes", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := make([]engine.LedgerChange, 0, len(a.Changes))
	for i := len(a.Changes) - 1; i >= 0; i-- {
		rows = append(rows, a.Changes[i])
	}
	text := rowsOf[engine.LedgerChange](rows).text
	kind := text("kind", "Kind", func(c engine.LedgerChange) string { return c.Kind })
	kind.Config.Mappings = changeNames
	frame.Fields = data.Fields{
		column(rows, "time", "Time", "", func(c engine.LedgerChange) time.Time { return c.At.UTC() }),
		kind,
		text("subject", "Of", func(c engine.LedgerChange) string { return c.Service }),
		text("what", "What", func(c engine.LedgerChange) string { return c.Text }),
		text("namespace", "Namespace", func(c engine.LedgerChange) string { return c.Namespace }),
		text("announced_by", "Known from", func(c engine.LedgerChange) string { return c.Source }),
		column(rows, "end", "Until", "", func(c engine.LedgerChange) *time.Time { return nullableTime(c.End) }),
		column(rows, "worse", "Bad news", "", func(c engine.LedgerChange) bool { return c.Worse }),
	}
	return frame
}

func ledgerEvents(a engine.LedgerAnswer) (events []event) {
	for _, c := range a.Changes {
		tags := []string{"change", c.Kind}
		if c.Service != "" {
			tags = append(tags, "service_name:"+c.Service)
		}
		events = append(events, event{
			start: c.At, end: c.End, title: c.Text, text: "Known from " + c.Source + ".", tags: tags,
			identity: strings.Join([]string{c.Kind, c.Service, c.Namespace, c.Text}, "\x00"),
		})
	}
	return events
}

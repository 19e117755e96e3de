package frames

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Deploys shapes the versions of services. As a panel: a table. As
// annotations: one instant per arrival. As an alert: per service the number of
// versions that arrived inside the window, 0 for none.
func Deploys(a engine.DeploysAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	const empty = "No versions (service.version) were seen in this window."
	switch format {
	case query.Panel:
		if len(a.Deploys) == 0 {
			notices.add(data.NoticeSeverityInfo, empty)
		}
		return notices.attach(data.Frames{deploysTable(a)}), nil
	case query.Alert:
		return alertFrames("deploys", arrivals(a.Deploys), a.Provenance, notices, empty)
	case query.Annotations:
		return annotationFrames("deploys", deployEvents(a.Deploys), a.Provenance, notices, "Nothing was deployed in this window."), nil
	}
	return nil, noFormat(query.TypeDeploys, format)
}

func deploysTable(a engine.DeploysAnswer) *data.Frame {
	frame := newFrame("deploys", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	rows := a.Deploys
	source := column(rows, "source", "Known from", "", func(d engine.Deploy) string {
		if !d.Arrived {
			return ""
		}
		return string(d.Source)
	})
	source.Config.Mappings = sourceTexts
	frame.Fields = data.Fields{
		column(rows, "service", "Service", "", func(d engine.Deploy) string { return d.Service }),
		column(rows, "version", "Version", "", func(d engine.Deploy) string { return d.Version }),
		column(rows, "previous", "Previous version", "", func(d engine.Deploy) string { return d.Previous }),
		column(rows, "first_seen", "First seen", "", func(d engine.Deploy) *time.Time { return nullableTime(d.FirstSeen) }),
		column(rows, "last_seen", "Last seen", "", func(d engine.Deploy) *time.Time { return nullableTime(d.LastSeen) }),
		column(rows, "share", "Share of traffic", "percentunit", func(d engine.Deploy) *float64 { return nullable(d.Share) }),
		column(rows, "arrived", "Arrived in this window", "", func(d engine.Deploy) bool { return d.Arrived }),
		column(rows, "deployed", "Deployed", "", func(d engine.Deploy) *time.Time {
			if !d.Arrived {
				return nil
			}
			return nullableTime(d.At)
		}),
		source,
		column(rows, "note", "Note", "", func(d engine.Deploy) string { return d.Note }),
	}
	return frame
}

var sourceTexts = data.ValueMappings{data.ValueMapper{
	string(engine.FromMarker):     {Text: "posted marker", Index: 0},
	string(engine.FromAnnotation): {Text: "Grafana annotation", Index: 1},
	string(engine.FromVersion):    {Text: "first span of the version", Index: 2},
	string(engine.FromMetrics):    {Text: "image or build in metrics", Index: 3},
}}

// arrivals counts the deploys of each service, in the order of appearance.
func arrivals(deploys []engine.Deploy) []instance {
	var instances []instance
	position := map[string]int{}
	for _, d := range deploys {
		i, known := position[d.Service]
		if !known {
			i = len(instances)
			position[d.Service] = i
			instances = append(instances, instance{labels: series.Labels{"service_name": d.Service}})
		}
		if d.Arrived {
			instances[i].value++
		}
	}
	return instances
}

func deployEvents(deploys []engine.Deploy) []event {
	var events []event
	for _, d := range deploys {
		if !d.Arrived {
			continue
		}
		text := fmt.Sprintf("Version %s of %s arrived", orUnknown(d.Version), orUnknown(d.Service))
		if d.Previous != "" {
			text += " after " + d.Previous
		}
		text += fmt.Sprintf(" (%s).", strings.TrimSuffix(sourceText(d.Source)+": "+d.Note, ": "))
		tags := []string{"deploy"}
		for _, tag := range []struct{ key, value string }{{"service_name", d.Service}, {"service_version", d.Version}} {
			if tag.value != "" {
				tags = append(tags, tag.key+":"+tag.value)
			}
		}
		events = append(events, event{
			start:    d.At,
			title:    cmp.Or(strings.TrimSpace(d.Service+" "+d.Version), "Deploy"),
			text:     text,
			tags:     tags,
			identity: deployIdentity(d),
		})
	}
	return events
}

// deployIdentity is the same at every look. A version may be announced more
// than once; the instant of its first span depends on how closely one looks.
func deployIdentity(d engine.Deploy) string {
	identity := d.Service + "\x00" + d.Version
	if d.Source == engine.FromMarker || d.Source == engine.FromAnnotation {
		identity += "\x00" + d.At.UTC().Format(time.RFC3339)
	}
	return identity
}

func orUnknown(name string) string { return cmp.Or(name, "(not named)") }

func sourceText(source engine.DeploySource) string {
	if mapper, ok := sourceTexts[0].(data.ValueMapper); ok {
		return mapper[string(source)].Text
	}
	return string(source)
}

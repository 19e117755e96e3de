package frames

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Incidents shapes what is wrong across all services. As a panel: a table of
// incidents, those that last first, and one of the services that went wrong. As an
// alert: 1 for each active incident, under a label that stays while it lasts. As
// annotations: each as a region.
func Incidents(a engine.IncidentsAnswer, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	empty := fmt.Sprintf("No incidents among %d services.", a.Services)
	switch format {
	case query.Panel:
		if len(a.Incidents) == 0 {
			notices.add(data.NoticeSeverityInfo, empty)
		}
		if a.Ongoing && len(a.Incidents) == 0 {
			return notices.attach(data.Frames{quietTable(a), memberTable(a)}), nil
		}
		return notices.attach(data.Frames{incidentTable(a), memberTable(a)}), nil
	case query.Alert:
		var instances []instance
		for _, one := range a.Incidents {
			if one.State == incident.Active {
				instances = append(instances, instance{labels: series.Labels{"incident": one.ID}, value: 1})
			}
		}
		return alertFrames("active", instances, a.Provenance, notices, empty)
	case query.Annotations:
		return annotationFrames("incidents", incidentEvents(a), a.Provenance, notices, empty), nil
	}
	return nil, noFormat(query.TypeIncidents, format)
}

var incidentStates = data.ValueMappings{data.ValueMapper{
	string(incident.Active):     {Text: "active", Color: "red", Index: 0},
	string(incident.Developing): {Text: "developing", Color: "orange", Index: 1},
	string(incident.Resolved):   {Text: "resolved", Color: "green", Index: 2},
	quiet:                       {Text: "none", Color: "green", Index: 3},
}}

// quiet is the state of the row that says that no incident goes on.
const quiet = "quiet"

// quietTable says that no incident goes on: a table without rows says nothing.
func quietTable(a engine.IncidentsAnswer) *data.Frame {
	frame := newFrame("incidents", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	one := []string{fmt.Sprintf("No incident among %d services. One that began in the last few minutes may not show yet.", a.Services)}
	state := column(one, "state", "State", "", func(string) string { return quiet })
	state.Config.Mappings = incidentStates
	frame.Fields = data.Fields{state, column(one, "sentence", "What", "", func(s string) string { return s })}
	return frame
}

var incidentCauses = data.ValueMappings{data.ValueMapper{
	string(incident.CauseChange):     {Text: "change", Index: 0},
	string(incident.CauseDependency): {Text: "dependency", Index: 1},
	string(incident.CauseLoad):       {Text: "load", Index: 2},
	string(incident.CausePlace):      {Text: "zone or host", Index: 3},
	string(incident.CauseShared):     {Text: "shared, not on the map", Index: 4},
	string(incident.CauseTelemetry):  {Text: "missing metrics", Index: 5},
	string(incident.CauseService):    {Text: "the service itself", Index: 6},
	string(incident.CauseDemand):     {Text: "requests lost on the way", Index: 7},
}}

func incidentTable(a engine.IncidentsAnswer) *data.Frame {
	frame := newFrame("incidents", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row = incident.Incident
	rows := a.Incidents
	text := rowsOf[row](rows).text
	state := text("state", "State", func(i row) string { return string(i.State) })
	state.Config.Mappings = incidentStates
	kind := text("cause", "Cause", func(i row) string { return string(i.Cause.Kind) })
	kind.Config.Mappings = incidentCauses
	frame.Fields = data.Fields{
		state,
		column(rows, "time", "Began", "", func(i row) time.Time { return a.Time(i.Start).UTC() }),
		column(rows, "end", "Ended", "", func(i row) *time.Time { return nullableTime(incidentEnd(a, i)) }),
		text("sentence", "What", incidentSentence),
		text("incident", "Incident", func(i row) string { return i.ID }),
		text("service", "Deepest service", func(i row) string { return i.Deepest }),
		kind,
		text("suspect", "Suspect", func(i row) string { return i.Cause.Name }),
		text("why", "Why", func(i row) string { return i.Cause.Text }),
		text("for", "Evidence for", func(i row) string { return evidenceText(i, true) }),
		text("against", "Evidence against", func(i row) string { return evidenceText(i, false) }),
		text("services", "Went wrong, in order", orderText),
		column(rows, "services_count", "Services", "", func(i row) int64 { return int64(len(i.Members)) }),
		column(rows, "affected", "Requests harmed per minute", "", func(i row) *float64 { return nullable(i.Affected / a.Step.Minutes()) }),
		column(rows, "reported", "Reported", "", func(i row) *time.Time {
			if i.Reported < 0 {
				return nil
			}
			return nullableTime(a.Time(i.Reported + 1))
		}),
	}
	return frame
}

// incidentSentence says what is wrong, and what is suspected.
func incidentSentence(i incident.Incident) string {
	where := i.Deepest
	if where == "" && len(i.Members) > 0 {
		where = i.Members[0].Service
	}
	for _, m := range i.Members {
		if m.Service != where {
			continue
		}
		var wrong []string
		for _, s := range m.Signals {
			wrong = append(wrong, incidentSigns[s])
		}
		where += " " + strings.Join(wrong, ", ")
	}
	switch others := len(i.Members) - 1; {
	case others == 1:
		where += ", and 1 service more"
	case others > 1:
		where += fmt.Sprintf(", and %d services more", others)
	}
	if i.Cause.Text == "" {
		return where + "."
	}
	return where + ". Suspect: " + i.Cause.Text + "."
}

// incidentSigns say of a service what is wrong with it.
var incidentSigns = map[incident.Signal]string{
	incident.Latency: "is slow", incident.Failures: "fails", incident.Silence: "is silent", incident.Lost: "loses requests before they arrive",
}

// incidentEnd is the zero time for an incident that lasts.
func incidentEnd(a engine.IncidentsAnswer, i incident.Incident) (end time.Time) {
	if i.State == incident.Resolved {
		end = a.Time(i.End)
	}
	return end
}

func evidenceText(i incident.Incident, holds bool) string {
	var lines []string
	for _, e := range i.Cause.Evidence {
		if e.For == holds {
			lines = append(lines, e.Text)
		}
	}
	return strings.Join(lines, "\n")
}

// maxOrder is how many services of an incident are named in one text.
const maxOrder = 20

func orderText(i incident.Incident) string {
	var names []string
	for _, m := range i.Members[:min(maxOrder, len(i.Members))] {
		names = append(names, m.Service)
	}
	text := strings.Join(names, ", ")
	if more := len(i.Members) - maxOrder; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// incidentMember is a service of an incident.
type incidentMember struct {
	incident string
	incident.Member
}

func memberTable(a engine.IncidentsAnswer) *data.Frame {
	frame := newFrame("services", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	var rows []incidentMember
	for _, i := range a.Incidents {
		for _, m := range i.Members {
			rows = append(rows, incidentMember{i.ID, m})
		}
	}
	text := rowsOf[incidentMember](rows).text
	frame.Fields = data.Fields{
		text("of", "Incident", func(m incidentMember) string { return m.incident }),
		column(rows, "since", "Abnormal since", "", func(m incidentMember) time.Time { return a.Time(m.Start).UTC() }),
		text("member", "Service", func(m incidentMember) string { return m.Service }),
		text("signals", "Signals, in order", func(m incidentMember) string {
			var names []string
			for _, s := range m.Signals {
				names = append(names, string(s))
			}
			return strings.Join(names, ", ")
		}),
		text("because", "Because of", func(m incidentMember) string { return m.Because }),
		column(rows, "before", "Before", "", func(m incidentMember) *float64 { return nullable(m.Before) }),
		column(rows, "now", "Worst", "", func(m incidentMember) *float64 { return nullable(m.Now) }),
		column(rows, "deviation", "Standard deviations", "", func(m incidentMember) *float64 { return nullable(m.Deviation) }),
	}
	return frame
}

func incidentEvents(a engine.IncidentsAnswer) (events []event) {
	for _, i := range a.Incidents {
		end := a.Time(i.End)
		tags := []string{"incident", string(i.State)}
		if i.Deepest != "" {
			tags = append(tags, "service_name:"+i.Deepest)
		}
		lines := []string{i.Cause.Text}
		for _, e := range i.Cause.Evidence {
			sign := "+ "
			if !e.For {
				sign = "− "
			}
			lines = append(lines, sign+e.Text)
		}
		lines = append(lines, "Went wrong, in order: "+orderText(i))
		events = append(events, event{
			start: a.Time(i.Start), end: end, tags: tags, text: strings.Join(lines, "\n"),
			title: fmt.Sprintf("Incident %s: %d services", i.ID, len(i.Members)), identity: i.ID,
		})
	}
	return events
}

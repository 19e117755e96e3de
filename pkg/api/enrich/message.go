package enrich

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/cause"
	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

// message is the content for receivers, before it is written in the format of one.
type message struct {
	notification notification
	id, group    string
	title        string
	severity     string // critical, error, warning or info
	service      string // the one that most alerts are about; may be empty
	since        time.Time
	alerts       []string // a line for each that is listed
	leftOut      string   // what is not
	findings     []cause.Finding
	links        []link
	image        string // the address of a picture that Grafana took
	course       *cause.Course
	chart        []byte // a PNG; empty for none
}

type link struct{ title, url string }

const (
	// maxListed is how many alerts a message lists, and maxLine how long a line is, in
	// bytes.
	maxListed, maxLine = 10, 300
	maxTitle           = 140
	maxLinks           = 8
	// maxEvidence is how many reasons stand for and against a suspect, of each finding.
	maxEvidence = 3
)

func messageOf(n notification) message {
	m := message{notification: n, id: n.id(), group: n.group(), since: n.began(), severity: severityOf(n)}
	firing := n.firing()
	shown := firing
	if len(firing) == 0 {
		shown = n.alerts
	}
	if services := servicesOf(shown); len(services) > 0 {
		m.service = services[0].name
	}
	m.title = titleOf(n, shown)
	for _, one := range shown[:min(maxListed, len(shown))] {
		line := one.summary()
		if service := serviceOf(one); service != "" && !strings.Contains(line, service) {
			line = service + ": " + line
		}
		m.alerts = append(m.alerts, shorten.Bytes(line, maxLine))
	}
	m.leftOut = leftOut(n, shown)
	for _, one := range shown {
		if m.image == "" {
			m.image = address(one.ImageURL)
		}
	}
	return m
}

func titleOf(n notification, shown []alert) string {
	state := fmt.Sprintf("[FIRING:%d]", len(n.firing()))
	if len(n.firing()) == 0 {
		state = fmt.Sprintf("[RESOLVED:%d]", len(n.alerts))
	}
	what := shown[0].name()
	if len(shown) == 1 {
		what = shown[0].summary()
	} else if services := servicesOf(shown); len(services) > 0 {
		what += " of " + services[0].name
		if more := len(services) - 1; more > 0 {
			what += fmt.Sprintf(" and %d more services", more)
		}
	}
	return shorten.Bytes(state+" "+oneLine(what), maxTitle)
}

// leftOut tells which alerts the message does not list.
func leftOut(n notification, shown []alert) string {
	var parts []string
	if more := len(shown) - maxListed; more > 0 {
		text := fmt.Sprintf("%d more alerts are not listed", more)
		var counts []string
		services := servicesOf(shown)
		for _, one := range services[:min(5, len(services))] {
			counts = append(counts, fmt.Sprintf("%s %d", shorten.Bytes(one.name, 60), one.alerts))
		}
		if len(counts) > 0 {
			text += " (by service, of all: " + strings.Join(counts, ", ")
			if rest := len(services) - 5; rest > 0 {
				text += fmt.Sprintf(" and %d more services", rest)
			}
			text += ")"
		}
		parts = append(parts, text)
	}
	if resolved := len(n.alerts) - len(n.firing()); resolved > 0 && len(n.firing()) > 0 {
		parts = append(parts, fmt.Sprintf("%d alerts of the group are resolved", resolved))
	}
	if n.TruncatedAlerts > 0 {
		parts = append(parts, fmt.Sprintf("%d alerts were left out by the sender", n.TruncatedAlerts))
	}
	if n.unreadable > 0 {
		parts = append(parts, fmt.Sprintf("%d alerts cannot be read", n.unreadable))
	}
	return strings.Join(parts, "; ")
}

// count is a service with its alerts.
type count struct {
	name   string
	alerts int
}

// servicesOf are the services of alerts, those with the most first.
func servicesOf(alerts []alert) (all []count) {
	index := map[string]int{}
	for _, one := range alerts {
		name := serviceOf(one)
		if name == "" {
			continue
		}
		if _, known := index[name]; !known {
			index[name] = len(all)
			all = append(all, count{name: name})
		}
		all[index[name]].alerts++
	}
	slices.SortStableFunc(all, func(a, b count) int { return b.alerts - a.alerts })
	return all
}

func serviceOf(a alert) string { return cause.Alert{Labels: texts(a.Labels)}.Service() }

// severityOf is the most urgent severity of the alerts that fire, in the words of
// PagerDuty; "error" where none has a label that is known.
func severityOf(n notification) string {
	rank := map[string]int{"info": 1, "information": 1, "none": 1, "warning": 2, "warn": 2, "error": 3, "page": 4, "critical": 4, "emergency": 4}
	most := 0
	for _, one := range n.firing() {
		most = max(most, rank[strings.ToLower(string(one.Labels["severity"]))])
	}
	return []string{"error", "info", "warning", "error", "critical"}[most]
}

func (m message) resolved() bool { return len(m.notification.firing()) == 0 }

// color is that of the state.
func (m message) color() int {
	switch {
	case m.resolved():
		return 0x2EB67D
	case m.severity == "critical" || m.severity == "error":
		return 0xE01E5A
	}
	return 0xECB22E
}

// statement is what was found, in a sentence for each service; empty for nothing.
func (m message) statement() string {
	var lines []string
	for _, f := range m.findings {
		if f.Statement != "" && !slices.Contains(lines, f.Statement) {
			lines = append(lines, f.Statement)
		}
	}
	return strings.Join(lines, "\n")
}

// evidence is a line for each reason and each change.
func (m message) evidence() (lines []string) {
	add := func(line string) {
		if line = shorten.Bytes(oneLine(line), maxLine); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, f := range m.findings {
		if s := f.Suspect; s != nil {
			for _, text := range s.For[:min(maxEvidence, len(s.For))] {
				add("+ " + text)
			}
			for _, text := range s.Against[:min(maxEvidence, len(s.Against))] {
				add("− " + text)
			}
		}
		for _, c := range f.Changes[:min(maxEvidence, len(f.Changes))] {
			add(fmt.Sprintf("%s %s: %s", c.At.UTC().Format("15:04 UTC"), c.Kind, c.Text))
		}
	}
	return lines
}

// facts are names and values, for receivers that set them in columns.
func (m message) facts() (all [][2]string) {
	add := func(name, value string) {
		if value = shorten.Bytes(oneLine(value), maxLine); value != "" {
			all = append(all, [2]string{name, value})
		}
	}
	if !m.since.IsZero() {
		add("Since", m.since.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	add("Service", m.service)
	add("Severity", string(m.notification.CommonLabels["severity"]))
	for _, f := range m.findings[:min(1, len(m.findings))] {
		if f.Suspect != nil {
			add("Suspect", f.Suspect.Name)
		}
		if len(f.Changes) > 0 {
			add("Change", f.Changes[0].Text)
		}
		if f.Incident != nil {
			add("Incident", fmt.Sprintf("%s, %d services", f.Incident.ID, len(f.Incident.Services)+f.Incident.More))
		}
	}
	return all
}

// reduced is the message with less in it, for a receiver that has no room: first
// without the chart, then without evidence, then without alerts.
func (m message) reduced(level int) message {
	if level > 0 {
		m.chart = nil
	}
	if level > 1 {
		m.findings = slices.Clone(m.findings)
		for i := range m.findings {
			m.findings[i].Changes, m.findings[i].Suspect = nil, nil
		}
	}
	if level > 2 {
		m.leftOut = strings.TrimPrefix(m.leftOut+"; alerts and links are left out: the receiver has no room", "; ")
		m.alerts, m.links, m.course = nil, nil, nil
	}
	return m
}

// fit writes a message as fully as fits.
func fit(m message, most int, write func(message) ([]byte, error)) ([]byte, error) {
	for level := range 4 {
		body, err := write(m.reduced(level))
		if err != nil || len(body) <= most {
			return body, err
		}
	}
	return nil, fmt.Errorf("the message does not fit into %d bytes", most)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

package enrich

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// grafanaIRM writes a message in the format of a formatted webhook of Grafana IRM
// and Grafana OnCall.
func grafanaIRM(m message) ([]byte, error) {
	state := "alerting"
	if m.resolved() {
		state = "ok"
	}
	var parts []string
	for _, part := range []string{m.statement(), strings.Join(m.alerts, "\n"), strings.Join(m.evidence(), "\n"), m.course.Text(), m.leftOut} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	for _, one := range m.links {
		parts = append(parts, one.title+": "+one.url)
	}
	body := map[string]any{"alert_uid": m.group, "title": m.title, "state": state, "message": strings.Join(parts, "\n\n")}
	if len(m.links) > 0 {
		body["link_to_upstream_details"] = m.links[0].url
	}
	if m.image != "" {
		body["image_url"] = m.image
	}
	return json.Marshal(body)
}

// unchanged is the notification as it came, to the byte. What was found is one more
// field of it.
func unchanged(m message) ([]byte, error) {
	if len(m.findings) == 0 {
		return m.notification.raw, nil
	}
	type linked struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	}
	var links []linked
	for _, one := range m.links {
		links = append(links, linked{one.title, one.url})
	}
	found, err := json.Marshal(map[string]any{"statement": m.statement(), "findings": m.findings, "course": m.course.Text(), "links": links})
	if err != nil {
		return nil, fmt.Errorf("what was found cannot be written as JSON: %w", err)
	}
	open := bytes.TrimSuffix(bytes.TrimSpace(m.notification.raw), []byte("}"))
	return fmt.Appendf(bytes.Clone(open), `,"foresight":%s}`, found), nil
}

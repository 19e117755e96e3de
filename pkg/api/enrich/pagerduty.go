package enrich

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

// The limits of PagerDuty's Events API v2: characters of a summary and of a
// dedup_key, and bytes of an event.
const pagerSummary, pagerKey, pagerEvent = 1024, 255, 512 << 10

// pagerDuty writes a message as an event of PagerDuty's Events API v2.
func pagerDuty(m message, routingKey string) ([]byte, error) {
	return fit(m, pagerEvent, func(m message) ([]byte, error) {
		type object = map[string]any
		event := object{"routing_key": routingKey, "event_action": "trigger", "dedup_key": shorten.Bytes(m.group, pagerKey)}
		if m.resolved() {
			event["event_action"] = "resolve"
		}
		details := object{"alerts": m.alerts}
		for name, value := range map[string]string{"statement": m.statement(), "course": m.course.Text(), "left_out": m.leftOut} {
			if value != "" {
				details[name] = value
			}
		}
		if evidence := m.evidence(); len(evidence) > 0 {
			details["evidence"] = evidence
		}
		for _, fact := range m.facts() {
			details[fact[0]] = fact[1]
		}
		labels := m.notification.CommonLabels
		payload := object{
			"summary": shorten.Bytes(m.title, pagerSummary), "source": cmp.Or(m.service, string(labels["alertname"]), "Foresight"), "severity": m.severity,
			"custom_details": details,
		}
		if found := m.statement(); found != "" {
			payload["summary"] = shorten.Bytes(m.title+": "+oneLine(found), pagerSummary)
		}
		if !m.since.IsZero() {
			payload["timestamp"] = m.since.UTC().Format(time.RFC3339)
		}
		for field, label := range map[string]string{"component": m.service, "group": string(labels["namespace"]), "class": string(labels["signal"])} {
			if label != "" {
				payload[field] = label
			}
		}
		event["payload"], event["client"] = payload, "Foresight"
		var links []object
		for _, one := range m.links {
			links = append(links, object{"href": one.url, "text": one.title})
		}
		if len(links) > 0 {
			event["links"], event["client_url"] = links, m.links[0].url
		}
		if m.image != "" {
			event["images"] = []object{{"src": m.image, "alt": "The panel of the alert"}}
		}
		return json.Marshal(event)
	})
}

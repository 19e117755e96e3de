package webhook

import (
	"encoding/json"
	"fmt"
	"time"
)

const (
	// pagerDutyChangesURL and pagerDutyURL are the Events API v2, for accounts outside
	// the European region.
	pagerDutyChangesURL = "https://events.pagerduty.com/v2/change/enqueue"
	pagerDutyURL        = "https://events.pagerduty.com/v2/enqueue"
	routingKeyLength    = 32
	// longestSummary is how many characters PagerDuty takes; it refuses more.
	longestSummary = 1024
)

// change is the event as a change event of PagerDuty's Events API v2: it stands
// beside the incidents of its service, and notifies nobody. PagerDuty knows no
// ids of change events, so a repeated one appears twice.
func (e Event) change(routingKey string) ([]byte, error) {
	summary := e.Summary
	if characters := []rune(summary); len(characters) > longestSummary {
		summary = string(characters[:longestSummary-1]) + "…"
	}
	body, err := json.Marshal(map[string]any{
		"routing_key": routingKey,
		"payload": map[string]any{
			"summary": summary, "source": e.Source, "timestamp": e.Time.UTC().Format(time.RFC3339), "custom_details": e.Data,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("the event cannot be written as JSON: %w", err)
	}
	return body, nil
}

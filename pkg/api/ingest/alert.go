package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// maxAlerts bounds what is kept of one notification.
const maxAlerts = 100

// notification is what Grafana ("1") and Alertmanager ("4") send to webhooks.
type notification struct {
	Version string
	Alerts  []alert
}

type alert struct {
	Status              string // firing or resolved
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
	Fingerprint         string
}

// Alert takes in notifications of alerts, so that what fired, and for how long,
// stands beside what was predicted.
func (a *API) Alert(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	if secret := a.WebhookSecret; secret != "" {
		if err := verify(secret, r.Header, raw, a.Now()); err != nil {
			respond.Error(w, http.StatusForbidden, err.Error())
			return
		}
	}
	notes, err := readAlerts(raw)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	a.save(w, r, notes...)
}

func readAlerts(raw []byte) ([]upstream.Note, error) {
	var n notification
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, fmt.Errorf("the body is no notification of Grafana or Alertmanager: %w", err)
	}
	if n.Version != "1" && n.Version != "4" {
		return nil, fmt.Errorf("version %.20q of the notification is not known: Grafana's is 1, Alertmanager's is 4", n.Version)
	}
	if len(n.Alerts) > maxAlerts {
		return nil, fmt.Errorf("the notification has %d alerts; at most %d are taken: set the contact point's maxAlerts", len(n.Alerts), maxAlerts)
	}
	var notes []upstream.Note
	for i, one := range n.Alerts {
		note, err := one.note()
		if err != nil {
			return nil, fmt.Errorf("alert %d: %w", i+1, err)
		}
		notes = append(notes, note)
	}
	return notes, nil
}

func (a alert) note() (upstream.Note, error) {
	switch {
	case a.StartsAt.IsZero():
		return upstream.Note{}, errors.New("startsAt is missing")
	case a.Fingerprint == "":
		return upstream.Note{}, errors.New("the fingerprint is missing")
	case a.Status != "firing" && a.Status != "resolved":
		return upstream.Note{}, fmt.Errorf("the status is %.20q, neither firing nor resolved", a.Status)
	}
	title := cmp.Or(a.Labels["alertname"], "an alert")
	note := upstream.Note{
		ID: annotation.ID("alert", a.Fingerprint, a.StartsAt.Unix()), Start: a.StartsAt,
		Text: cmp.Or(a.Annotations["summary"], title), Tags: []string{"alert", "alertname:" + annotation.Value(title)},
	}
	// A notification that fires has an end too, at which it would be forgotten.
	if a.Status == "resolved" && a.EndsAt.After(a.StartsAt) {
		note.End = a.EndsAt
	}
	for _, label := range []string{"service_name", "service", "severity", "signal"} {
		if value := a.Labels[label]; value != "" {
			tag := strings.TrimSuffix(label, "_name") + ":" + annotation.Value(value)
			if !slices.Contains(note.Tags, tag) {
				note.Tags = append(note.Tags, tag)
			}
		}
	}
	return note, nil
}

package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// mostAlerts bounds what is kept of one notification.
const mostAlerts = 100

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

// alerts takes notifications of alerts in, so that what fired, and for how long,
// stands beside what was foretold.
func (h *Hooks) alerts(w http.ResponseWriter, r *http.Request) {
	raw, status, err := body(w, r)
	if err != nil {
		plainFailure(w, status, err.Error())
		return
	}
	if secret := h.settings.WebhookSecret; secret != "" {
		if err := verify(secret, r.Header, raw, h.engine.Now()); err != nil {
			plainFailure(w, http.StatusForbidden, err.Error())
			return
		}
	}
	notes, err := readAlerts(raw)
	if err != nil {
		plainFailure(w, http.StatusBadRequest, err.Error())
		return
	}
	h.keep(w, r, notes...)
}

func readAlerts(raw []byte) ([]upstream.Note, error) {
	var told notification
	if err := json.Unmarshal(raw, &told); err != nil {
		return nil, fmt.Errorf("the body is no notification of Grafana or Alertmanager: %w", err)
	}
	if told.Version != "1" && told.Version != "4" {
		return nil, fmt.Errorf("version %.20q of the notification is not known: Grafana's is 1, Alertmanager's is 4", told.Version)
	}
	if len(told.Alerts) > mostAlerts {
		return nil, fmt.Errorf("the notification has %d alerts; at most %d are taken: set the contact point's maxAlerts", len(told.Alerts), mostAlerts)
	}
	var notes []upstream.Note
	for i, one := range told.Alerts {
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
		ID: identity("alert", a.Fingerprint, a.StartsAt.Unix()), Start: a.StartsAt,
		Text: cmp.Or(a.Annotations["summary"], title), Tags: []string{"alert", "alertname:" + name(title)},
	}
	// A notification that fires has an end too, at which it would be forgotten.
	if a.Status == "resolved" && a.EndsAt.After(a.StartsAt) {
		note.End = a.EndsAt
	}
	for _, label := range []string{"service_name", "service", "severity", "signal"} {
		if value := a.Labels[label]; value != "" {
			tag := strings.TrimSuffix(label, "_name") + ":" + name(value)
			if !slices.Contains(note.Tags, tag) {
				note.Tags = append(note.Tags, tag)
			}
		}
	}
	return note, nil
}

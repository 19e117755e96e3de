package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
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
	alerts, err := readAlerts(raw)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	a.save(w, r, alerts...)
}

func readAlerts(raw []byte) ([]annotation.Annotation, error) {
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
	var all []annotation.Annotation
	for i, one := range n.Alerts {
		a, err := one.annotation()
		if err != nil {
			return nil, fmt.Errorf("alert %d: %w", i+1, err)
		}
		all = append(all, a)
	}
	return all, nil
}

func (a alert) annotation() (annotation.Annotation, error) {
	switch {
	case a.StartsAt.IsZero():
		return annotation.Annotation{}, errors.New("startsAt is missing")
	case a.Fingerprint == "":
		return annotation.Annotation{}, errors.New("the fingerprint is missing")
	case a.Status != "firing" && a.Status != "resolved":
		return annotation.Annotation{}, fmt.Errorf("the status is %.20q, neither firing nor resolved", a.Status)
	}
	name := cmp.Or(a.Labels["alertname"], "an alert")
	one := annotation.Annotation{
		ID: annotation.ID("alert", a.Fingerprint, a.StartsAt.Unix()), Start: a.StartsAt, Text: cmp.Or(a.Annotations["summary"], name),
		Tags: annotation.Alert{
			Name: name, Service: cmp.Or(a.Labels["service_name"], a.Labels["service"]), Severity: a.Labels["severity"], Signal: a.Labels["signal"],
		}.Tags(),
	}
	// A notification that fires has an end too, at which it would be forgotten.
	if a.Status == "resolved" && a.EndsAt.After(a.StartsAt) {
		one.End = a.EndsAt
	}
	return one, nil
}

package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// maxAlerts bounds what is kept of one notification.
const maxAlerts = 100

// notification is what Grafana ("1") and Alertmanager ("4") send to webhooks.
type notification struct {
	Version lenient.Text
	Alerts  []json.RawMessage
}

type alert struct {
	Status              lenient.Text // firing or resolved
	Labels, Annotations map[string]lenient.Text
	StartsAt, EndsAt    lenient.Time
	Fingerprint         lenient.Text
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
		if err := Verify(secret, r.Header, raw, a.Now()); err != nil {
			respond.Error(w, http.StatusForbidden, err.Error())
			return
		}
	}
	alerts, problems, err := readAlerts(raw)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	a.save(w, r, problems, alerts...)
}

// readAlerts reads a notification. One alert that cannot be read leaves the
// others; problems name it.
func readAlerts(raw []byte) (all []annotation.Annotation, problems []string, err error) {
	var n notification
	if err := lenient.Unmarshal(raw, &n); err != nil {
		return nil, nil, fmt.Errorf("the body is no notification of Grafana or Alertmanager: %w", err)
	}
	if n.Version != "1" && n.Version != "4" {
		return nil, nil, fmt.Errorf("version %.20q of the notification is unknown: Grafana's is 1, Alertmanager's is 4", n.Version)
	}
	if more := len(n.Alerts) - maxAlerts; more > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d alerts were left out: set the contact point's max alerts (Alertmanager's max_alerts) to %d", more, len(n.Alerts), maxAlerts))
		n.Alerts = n.Alerts[:maxAlerts]
	}
	for i, raw := range n.Alerts {
		var one alert
		err := lenient.Unmarshal(raw, &one)
		var a annotation.Annotation
		if err == nil {
			a, err = one.annotation()
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("alert %d: %v", i+1, err))
			continue
		}
		all = append(all, a)
	}
	if len(all) == 0 && len(problems) > 0 {
		return nil, nil, errors.New(strings.Join(problems, "; "))
	}
	return all, problems, nil
}

func (a alert) annotation() (annotation.Annotation, error) {
	switch {
	case a.StartsAt.IsZero():
		return annotation.Annotation{}, errors.New("startsAt is missing")
	case a.Status != "firing" && a.Status != "resolved":
		return annotation.Annotation{}, fmt.Errorf("the status is %.20q, neither firing nor resolved", a.Status)
	}
	if a.Fingerprint == "" { // an alert is known by its labels all the same
		labels, _ := json.Marshal(a.Labels) // sorted by name
		a.Fingerprint = lenient.Text(labels)
	}
	name := cmp.Or(a.Labels["alertname"], "an alert")
	one := annotation.Annotation{
		ID: annotation.ID("alert", string(a.Fingerprint), a.StartsAt.Unix()), Start: a.StartsAt.Time, Text: string(cmp.Or(a.Annotations["summary"], name)),
		Tags: annotation.Alert{
			Name: string(name), Service: string(cmp.Or(a.Labels["service_name"], a.Labels["service"])),
			Severity: string(a.Labels["severity"]), Signal: string(a.Labels["signal"]),
		}.Tags(),
	}
	// A notification that fires has an end too, at which it would be forgotten.
	if a.Status == "resolved" && a.EndsAt.After(a.StartsAt.Time) {
		one.End = a.EndsAt.Time
	}
	return one, nil
}

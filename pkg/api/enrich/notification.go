package enrich

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// notification is what Grafana (version 1) or Alertmanager (version 4) sends to a
// webhook.
type notification struct {
	Version, GroupKey, Status, Title lenient.Text
	ExternalURL                      lenient.Text
	CommonLabels, CommonAnnotations  map[string]lenient.Text
	TruncatedAlerts                  int
	Alerts                           []json.RawMessage

	raw    []byte
	alerts []alert
	// unreadable is how many alerts are in no form that is known.
	unreadable int
}

// alert is one alert of a notification.
type alert struct {
	Status              lenient.Text // firing or resolved
	Labels, Annotations map[string]lenient.Text
	StartsAt, EndsAt    lenient.Time
	Fingerprint         lenient.Text
	GeneratorURL        lenient.Text

	// Of Grafana's alone.

	DashboardURL, PanelURL, SilenceURL, ImageURL lenient.Text
}

func (a alert) firing() bool { return a.Status != "resolved" }

func (a alert) name() string { return string(cmp.Or(a.Labels["alertname"], "an alert")) }

// summary is what the alert says of itself.
func (a alert) summary() string {
	return string(cmp.Or(a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"], lenient.Text(a.name())))
}

func texts(of map[string]lenient.Text) map[string]string {
	all := make(map[string]string, len(of))
	for name, value := range of {
		all[name] = string(value)
	}
	return all
}

// read reads a notification. An alert that cannot be read leaves the others.
func read(raw []byte) (notification, error) {
	n := notification{raw: raw}
	if err := lenient.Unmarshal(raw, &n); err != nil {
		return n, fmt.Errorf("the body is no notification of Grafana or Alertmanager: %w", err)
	}
	if n.Version != "1" && n.Version != "4" {
		return n, fmt.Errorf("version %.20q of the notification is unknown: Grafana's is 1, Alertmanager's is 4. Leave the contact point's payload as it is", n.Version)
	}
	for _, one := range n.Alerts {
		var a alert
		if err := lenient.Unmarshal(one, &a); err != nil {
			n.unreadable++
			continue
		}
		n.alerts = append(n.alerts, a)
	}
	if len(n.alerts) == 0 {
		return n, errors.New("the notification has no alerts that can be read")
	}
	return n, nil
}

func (n notification) firing() (found []alert) {
	for _, one := range n.alerts {
		if one.firing() {
			found = append(found, one)
		}
	}
	return found
}

// began is the earliest begin of the alerts that fire, or of all.
func (n notification) began() (first time.Time) {
	of := n.firing()
	if len(of) == 0 {
		of = n.alerts
	}
	for _, one := range of {
		if at := one.StartsAt.Time; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// group is the same for all notifications of a group of alerts.
func (n notification) group() string {
	if n.GroupKey != "" {
		return digest("group", string(n.GroupKey))
	}
	var parts []string
	for _, one := range n.alerts {
		parts = append(parts, string(one.Fingerprint))
	}
	slices.Sort(parts)
	return digest(append([]string{"alerts"}, parts...)...)
}

// id is the same when the same is sent again: the same alerts of a group, in the
// same states. What fires has an end too, at which it would be forgotten; it moves
// from one try to the next.
func (n notification) id() string {
	parts := []string{string(n.GroupKey)}
	for _, one := range n.alerts {
		identity := fmt.Sprintf("%s %s %d", one.Status, cmp.Or(one.Fingerprint, lenient.Text(one.name())), one.StartsAt.Unix())
		if !one.firing() {
			identity += fmt.Sprintf(" %d", one.EndsAt.Unix())
		}
		parts = append(parts, identity)
	}
	slices.Sort(parts[1:])
	return digest(parts...)
}

func digest(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// address is a link that a receiver may show; empty for anything but http(s).
func address[T ~string](text T) string {
	parsed, err := url.Parse(string(text))
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return ""
	}
	if written := parsed.String(); len(written) <= maxURL {
		return written
	}
	return ""
}

// maxURL bounds a link, in bytes.
const maxURL = 2000

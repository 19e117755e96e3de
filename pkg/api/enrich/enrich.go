// Package enrich passes notifications of alerts on, with their cause: what is
// wrong, since when, the suspect and its evidence, and what changed. A cause that
// is not known in time holds nothing up.
package enrich

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/cause"
	"github.com/foresight-observability/foresight/pkg/api/ingest"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
)

// Engine knows causes.
type Engine interface {
	cause.Engine
	cause.Metrics
}

// Config is what an API is made of.
type Config struct {
	Engine Engine
	Sender *webhook.Sender // nil where no webhooks are configured
	// Deadline bounds the lookup of causes.
	Deadline time.Duration
	// WebhookSecret signs notifications; empty for unsigned ones.
	WebhookSecret string
	// Annotations is where deliveries are written down, and Notified where they are
	// read; nil for memory alone.
	Annotations annotation.Writer
	Notified    annotation.Source[annotation.Annotation]
	// GrafanaURL is where people open Grafana; empty where it is not known.
	GrafanaURL string
	Traces     TraceSource
	Now        func() time.Time
}

// API serves the route of notifications.
type API struct {
	Config
	ledger *ledger
}

// New makes the route of one data source.
func New(config Config) *API {
	return &API{Config: config, ledger: &ledger{writer: config.Annotations, reader: config.Notified, now: config.Now, known: map[string]delivery{}}}
}

const (
	// maxBody is how much of a notification is read, in bytes: Grafana passes on
	// little more.
	maxBody = 3 << 20
	// maxLookups is how many services causes are looked up for, those with the most
	// alerts.
	maxLookups = 3
	// sendTime is for all attempts to deliver to one target. With the longest
	// deadline it stays below the 30 s after which Grafana gives up.
	sendTime = 14 * time.Second
)

// reply is the answer to the sender.
type reply struct {
	Sent   []string          `json:"sent"`  // names of targets
	Known  []string          `json:"known"` // that have it already
	Failed map[string]string `json:"failed,omitempty"`
	// Enriched tells whether a cause was known in time.
	Enriched bool     `json:"enriched"`
	Notices  []string `json:"notices,omitempty"`
}

// Notify takes in a notification and passes it on.
func (a *API) Notify(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.BodyUpTo(w, r, maxBody)
	if err != nil {
		respond.Error(w, status, err.Error()+": set the contact point's max alerts (Alertmanager's max_alerts)")
		return
	}
	if a.WebhookSecret != "" {
		if err := ingest.Verify(a.WebhookSecret, r.Header, raw, a.Now()); err != nil {
			respond.Error(w, http.StatusForbidden, err.Error())
			return
		}
	}
	n, err := read(raw)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	targets, status, err := a.targets(r.URL.Query()["to"])
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	// What was begun is ended, also when the sender does not wait for it.
	answer := a.pass(context.WithoutCancel(r.Context()), n, targets)
	logger := backend.Logger.FromContext(r.Context())
	logger.Info("A notification was passed on", "id", n.id(), "alerts", len(n.alerts), "sent", answer.Sent, "known", answer.Known, "failed", answer.Failed, "enriched", answer.Enriched)
	status = http.StatusOK
	if len(answer.Failed) > 0 { // senders try again after it; targets that have it do not get it twice
		w.Header().Set("Retry-After", "15")
		status = http.StatusServiceUnavailable
	}
	respond.JSON(w, status, answer)
}

// targets are those that are named, or all that take notifications.
func (a *API) targets(named []string) (found []webhook.Target, status int, err error) {
	all := a.Sender.Targets()
	if len(all) == 0 {
		return nil, http.StatusNotImplemented, fmt.Errorf("no receivers of notifications are configured: see webhooks in docs/engines.md")
	}
	if len(named) == 0 {
		return all, 0, nil
	}
	for _, name := range named {
		i := slices.IndexFunc(all, func(t webhook.Target) bool { return t.Name == name })
		if i < 0 {
			return nil, http.StatusBadRequest, fmt.Errorf("there is no webhook %.60q that takes notifications in the data source's settings (webhooks)", name)
		}
		if !slices.ContainsFunc(found, func(t webhook.Target) bool { return t.Name == name }) {
			found = append(found, all[i])
		}
	}
	return found, 0, nil
}

// pass claims the deliveries, looks up the cause, and delivers.
func (a *API) pass(ctx context.Context, n notification, targets []webhook.Target) reply {
	m := messageOf(n)
	answer := reply{Sent: []string{}, Known: []string{}, Failed: map[string]string{}}
	var open []webhook.Target
	var lock sync.Mutex
	notice := func(text string) {
		if text != "" && !slices.Contains(answer.Notices, text) {
			answer.Notices = append(answer.Notices, text)
		}
	}
	var claims parallel.Group
	for _, target := range targets {
		claims.Go(func() error {
			before, text := a.ledger.begin(ctx, target.Name, m.id, m.title)
			lock.Lock()
			defer lock.Unlock()
			notice(text)
			switch before {
			case unsent:
				open = append(open, target)
			case sent:
				answer.Known = append(answer.Known, target.Name)
			case sending:
				answer.Failed[target.Name] = "another request or replica is sending it: " + respond.SendAgain
			}
			return nil
		})
	}
	if err := claims.Wait(); err != nil {
		notice(err.Error())
	}
	if len(open) == 0 {
		slices.Sort(answer.Known)
		return answer
	}
	a.explain(ctx, &m, open)
	answer.Enriched = len(m.findings) > 0
	var deliveries parallel.Group
	for _, target := range open {
		deliveries.Go(func() error {
			err := parallel.Safely(func() error { return a.deliver(ctx, target, m) })
			text := a.ledger.done(ctx, target.Name, m.id, err == nil)
			lock.Lock()
			defer lock.Unlock()
			notice(text)
			if err != nil {
				answer.Failed[target.Name] = err.Error()
			} else {
				answer.Sent = append(answer.Sent, target.Name)
			}
			return nil
		})
	}
	if err := deliveries.Wait(); err != nil {
		notice(err.Error())
	}
	slices.Sort(answer.Sent)
	slices.Sort(answer.Known)
	return answer
}

// explain adds the cause, as far as it is found before the deadline. A notification that
// something is over goes on at once.
func (a *API) explain(ctx context.Context, m *message, targets []webhook.Target) {
	firing := m.notification.firing()
	if len(firing) > 0 && a.Engine != nil {
		ctx, cancel := context.WithTimeout(ctx, a.Deadline)
		defer cancel()
		alerts := lookups(firing, a.Now())
		findings := make([]cause.Finding, len(alerts))
		var group parallel.Group
		for i, one := range alerts {
			group.Go(func() error { findings[i] = cause.Look(ctx, a.Engine, one); return nil })
		}
		_ = group.Wait() // a lookup that fails finds nothing
		for _, f := range findings {
			if f.Known() {
				m.findings = append(m.findings, f)
			}
		}
		if len(m.findings) > 0 {
			m.course = a.course(ctx, alerts[0], findings[0])
		}
	}
	m.links = a.linksOf(m.notification, m.findings)
	draws := func(t webhook.Target) bool { return t.Kind == webhook.Teams || t.Kind == webhook.Discord }
	if m.course != nil && slices.ContainsFunc(targets, draws) {
		err := parallel.Safely(func() (err error) { m.chart, err = chartOf(m.course); return err })
		if err != nil {
			backend.Logger.FromContext(ctx).Warn("A chart was not drawn", "error", err)
		}
	}
}

// course is that of the abnormal signal, in what is left of the deadline.
func (a *API) course(ctx context.Context, one cause.Alert, f cause.Finding) (course *cause.Course) {
	if f.Service == "" {
		return nil
	}
	signal := f.Signal
	if signal == "" {
		signal = "latency"
	}
	answer := make(chan *cause.Course, 1)
	parallel.Go(func() {
		var found *cause.Course
		_ = parallel.Safely(func() (err error) { found, err = cause.CourseOf(ctx, a.Engine, f.Service, signal, one); return err })
		answer <- found
	})
	select {
	case course = <-answer:
	case <-ctx.Done():
	}
	return course
}

// lookups are the alerts to explain: the first of each of the services with the
// most alerts, or the first of all where none names a service.
func lookups(firing []alert, now time.Time) (all []cause.Alert) {
	of := func(one alert) cause.Alert {
		at := one.StartsAt.Time
		if at.IsZero() || at.After(now) {
			at = now
		}
		until := at.Add(maxUntil)
		if until.After(now) {
			until = now
		}
		return cause.Alert{Labels: texts(one.Labels), At: at, Until: until}
	}
	services := servicesOf(firing)
	for _, service := range services[:min(maxLookups, len(services))] {
		i := slices.IndexFunc(firing, func(one alert) bool { return serviceOf(one) == service.name })
		all = append(all, of(firing[i]))
	}
	if len(all) == 0 {
		all = append(all, of(firing[0]))
	}
	return all
}

// maxUntil is how much of the time after the begin of an alert is looked at: one
// that is repeated for days is explained by how it began.
const maxUntil = 30 * time.Minute

// deliver writes the message as the target wants it, and sends it.
func (a *API) deliver(ctx context.Context, target webhook.Target, m message) error {
	var body webhook.Body
	var err error
	switch target.Kind {
	case webhook.Slack:
		body.Content, err = slack(m)
	case webhook.Teams:
		body.Content, err = teams(m)
	case webhook.PagerDuty:
		body.Content, err = pagerDuty(m, a.Sender.RoutingKey())
	case webhook.Discord:
		body, err = discord(m)
	case webhook.GrafanaIRM:
		body.Content, err = grafanaIRM(m)
	default:
		body.Content, err = unchanged(m)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return a.Sender.Notify(ctx, target.Name, "msg_"+strings.ToLower(m.id), body)
}

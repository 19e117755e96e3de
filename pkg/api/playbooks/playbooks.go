// Package playbooks plans what may be done about a regression, and sends what is
// ready to automation.
package playbooks

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/playbook"
)

// Settings are an administrator's limits on playbooks.
type Settings struct {
	playbook.Config
	// Webhook is the target to which automatic actions are sent.
	Webhook string
	// Window is how far back evidence is looked for.
	Window time.Duration
}

// Engine gathers what is known of a service.
type Engine interface {
	Facts(ctx context.Context, service string, window engine.Window) (engine.FactsAnswer, error)
}

// Config is what an API is made of.
type Config struct {
	Engine   Engine
	Settings Settings
	// Annotations is where the audit trail is written, and AuditTrail where it is
	// read; nil for nowhere.
	Annotations annotation.Writer
	AuditTrail  annotation.Source[annotation.Annotation]
	Sender      *webhook.Sender // nil where no webhooks are configured
	Source      string          // names this data source in events
	Now         func() time.Time
	// Timeout bounds one answer of the engine.
	Timeout time.Duration
}

// API serves the routes of playbooks.
type API struct {
	Config
	acting sync.Mutex // held while playbooks plan and send
}

// New makes the routes of one data source.
func New(config Config) *API {
	config.Settings.Window = cmp.Or(config.Settings.Window, time.Hour)
	return &API{Config: config}
}

const (
	// maxServices bounds what one request looks at.
	maxServices = 5
	// planTimeouts is how many times as long as one answer a plan may take: it
	// queries the same traces several times over.
	planTimeouts = 2
	// actsLookBack holds every budget.
	actsLookBack = 25 * time.Hour
	// recordLookBack is for how long outcomes count.
	recordLookBack = 90 * 24 * time.Hour
)

// planned is the answer of the playbooks route.
type planned struct {
	playbook.Plan
	// Sent are the ids of the recommendations that were sent, NotSent says of
	// others why not.
	Sent    []string          `json:"sent"`
	NotSent map[string]string `json:"notSent"`
	// NotKept says why a recommendation, or what came of an act, was not written
	// down, by id. Whoever asks again has it written down.
	NotKept map[string]string `json:"notKept"`
	Notices []string          `json:"notices"`
	Mode    playbook.Mode     `json:"mode"`
}

// Plan answers with the plan for the services that are named, and does nothing
// else.
func (a *API) Plan(w http.ResponseWriter, r *http.Request) {
	result, _, ok := a.plan(w, r, r.URL.Query()["service"])
	if ok {
		respond.JSON(w, http.StatusOK, result)
	}
}

// Act plans for the services that are named, or that alerts of a notification
// are about, and sends what is ready. One after the other, so that what one
// request did counts for the next.
func (a *API) Act(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	named, err := servicesOf(raw)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	a.acting.Lock()
	defer a.acting.Unlock()
	result, now, ok := a.plan(w, r, named)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.Timeout)
	defer cancel()
	for _, past := range result.Outcomes {
		if err := a.settle(ctx, past, now); err != nil {
			result.NotKept[past.ID] = err.Error()
		}
	}
	for _, one := range result.Recommendations {
		err := a.carryOut(ctx, one, now)
		switch {
		case err != nil && one.State == playbook.Proposed:
			result.NotKept[one.ID] = err.Error()
		case err != nil:
			result.NotSent[one.ID] = err.Error()
		case one.State == playbook.Ready:
			result.Sent = append(result.Sent, one.ID)
		}
	}
	status = http.StatusOK
	if len(result.NotSent)+len(result.NotKept) > 0 {
		status = http.StatusBadGateway
	}
	respond.JSON(w, status, result)
}

// servicesOf reads {"service": "cart"}, {"services": [...]} or a notification of
// Grafana or Alertmanager.
func servicesOf(raw []byte) (named []string, err error) {
	var request struct {
		Service  string
		Services []string
		Alerts   []struct {
			Status string
			Labels map[string]string
		}
	}
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, fmt.Errorf(`write {"service": "cart"}: %w`, err)
	}
	if request.Service != "" {
		named = append(named, request.Service)
	}
	named = append(named, request.Services...)
	for _, one := range request.Alerts {
		service := one.Labels["service_name"]
		if service == "" {
			service = one.Labels["service"]
		}
		if one.Status == "firing" && service != "" {
			named = append(named, service)
		}
	}
	return named, nil
}

// plan gathers the situation of the services and plans. It answers by itself
// where it cannot.
func (a *API) plan(w http.ResponseWriter, r *http.Request, named []string) (planned, time.Time, bool) {
	slices.Sort(named)
	named = slices.Compact(named)
	result := planned{Sent: []string{}, NotSent: map[string]string{}, NotKept: map[string]string{}, Notices: []string{}, Mode: a.Settings.Mode}
	if len(named) == 0 || len(named) > maxServices {
		respond.Error(w, http.StatusBadRequest, fmt.Sprintf("%d services are named: name one to %d, each by its service.name", len(named), maxServices))
		return result, time.Time{}, false
	}
	for _, service := range named {
		if err := playbook.CheckTarget(service); err != nil {
			respond.Error(w, http.StatusBadRequest, err.Error())
			return result, time.Time{}, false
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), planTimeouts*a.Timeout)
	defer cancel()
	now := a.Now().UTC()
	situation, notices, err := a.situation(ctx, named, now)
	if err != nil {
		respond.Failure(w, err)
		return result, now, false
	}
	result.Plan, result.Notices = playbook.Make(a.Settings.Config, situation), append(result.Notices, notices...)
	return result, now, true
}

func (a *API) situation(ctx context.Context, named []string, now time.Time) (playbook.Situation, []string, error) {
	s := playbook.Situation{Now: now}
	var missing, notices []string
	for i, service := range named {
		found, err := a.Engine.Facts(ctx, service, engine.Window{From: now.Add(-a.Settings.Window), To: now})
		if err != nil {
			return s, nil, err
		}
		s.Facts = append(s.Facts, found.Facts...)
		notices = append(notices, found.Notices...)
		if found.Missing != "" {
			missing = append(missing, found.Missing)
		}
		if i == 0 {
			s.Known, s.Unusual = found.Known, found.Unusual
		}
	}
	past, err := a.past(ctx, now)
	if err != nil {
		missing = append(missing, err.Error())
	}
	if a.Settings.MinRight > 0 {
		if s.Record, err = a.record(ctx, now); err != nil {
			s.RecordMissing = err.Error()
		}
	}
	s.Past, s.Missing = past, strings.Join(missing, "; ")
	if s.Missing != "" {
		notices = append(notices, "Evidence is missing: "+s.Missing)
	}
	return s, notices, nil
}

// past is what was sent before, by any replica, as Grafana's annotations hold
// it. Without them there are no budgets, and nothing may be sent.
func (a *API) past(ctx context.Context, now time.Time) (past []playbook.Past, err error) {
	if a.AuditTrail == nil || a.Annotations == nil {
		return nil, fmt.Errorf("past actions are unknown: set grafana.url, and grafanaToken of a service account with the role Editor")
	}
	trail, warnings, err := a.AuditTrail.Read(ctx, now.Add(-actsLookBack), now.Add(time.Minute))
	if err != nil {
		return nil, fmt.Errorf("past actions are unknown: %w", err)
	}
	if len(warnings) > 0 {
		return nil, fmt.Errorf("not all past actions are known: %s", strings.Join(warnings, " "))
	}
	outcomes := map[string]playbook.Outcome{}
	for _, one := range trail {
		if o, ok := annotation.ReadOutcome(one); ok {
			outcomes[o.ID] = playbook.Outcome(o.Outcome)
		}
	}
	for _, one := range trail {
		if act, ok := annotation.ReadAct(one); ok && act.Playbook != "" {
			past = append(past, playbook.Past{
				ID: act.ID, Pattern: playbook.Pattern(act.Playbook), Service: act.Service, At: act.At, Outcome: outcomes[act.ID]})
		}
	}
	return past, nil
}

// record is what came of recommendations, as far back as it counts.
func (a *API) record(ctx context.Context, now time.Time) (record []playbook.Past, err error) {
	if a.AuditTrail == nil {
		return nil, fmt.Errorf("outcomes are unknown: set grafana.url and grafanaToken")
	}
	trail, warnings, err := a.AuditTrail.Read(ctx, now.Add(-recordLookBack), now.Add(time.Minute))
	if err != nil {
		return nil, fmt.Errorf("outcomes are unknown: %w", err)
	}
	if len(warnings) > 0 {
		return nil, fmt.Errorf("not all outcomes are known: %s", strings.Join(warnings, " "))
	}
	for _, one := range trail {
		if o, ok := annotation.ReadOutcome(one); ok {
			record = append(record, playbook.Past{ID: o.ID, Pattern: playbook.Pattern(o.Playbook), Service: o.Service, At: one.Start, Outcome: playbook.Outcome(o.Outcome)})
		}
	}
	return record, nil
}

// audit writes a line of the log: what, about whom, on whose request.
func audit(ctx context.Context, message string, r playbook.Recommendation, more ...any) {
	actor := ""
	if user := backend.UserFromContext(ctx); user != nil {
		actor = user.Login
	}
	backend.Logger.FromContext(ctx).Info(message, append([]any{
		"id", r.ID, "playbook", r.Pattern, "action", r.Action, "service", r.Target.Service, "version", r.Target.Version,
		"state", r.State, "held", r.Held, "confidence", r.Confidence, "actor", actor}, more...)...)
}

// record is a recommendation in the audit trail.
func record(r playbook.Recommendation, now time.Time, verb string) annotation.Annotation {
	subject := r.Target.Service
	if r.Target.Version != "" {
		subject += " " + r.Target.Version
	}
	evidence := make([]string, len(r.Evidence))
	for i, fact := range r.Evidence {
		evidence[i] = fact.Text
	}
	act := annotation.Act{
		ID: r.ID, Playbook: string(r.Pattern), Action: string(r.Action), Service: r.Target.Service, Proposed: r.State == playbook.Proposed,
	}
	tags := act.Tags()
	return annotation.Annotation{
		ID: annotation.ID(tags[0], r.ID), Start: now, Tags: tags,
		Text: fmt.Sprintf("%s %s of %s: %s", verb, r.Action, subject, strings.Join(evidence, " ")),
	}
}

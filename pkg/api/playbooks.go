package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// PlaybookSettings are an administrator's limits on playbooks.
type PlaybookSettings struct {
	playbook.Config
	// Webhook is the target to which automatic actions are sent.
	Webhook string
	// Window is how far back evidence is looked for.
	Window time.Duration
}

const (
	// mostPlaybookServices bounds what one request looks at.
	mostPlaybookServices = 5
	// planTimeouts is how many times as long as one answer a plan may take: it
	// asks of the same traces several times over.
	planTimeouts = 2
	// actsLookBack holds every budget.
	actsLookBack = 25 * time.Hour
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

// plans answers with the plan for the services that are named, and
// does nothing else.
func (h *Hooks) plans(w http.ResponseWriter, r *http.Request) {
	answered, _, ok := h.plan(w, r, r.URL.Query()["service"])
	if ok {
		reply(w, http.StatusOK, answered)
	}
}

// act plans for the services that are named, or that alerts of a notification
// are about, and sends what is ready. One after the other, so that what one
// request did counts for the next.
func (h *Hooks) act(w http.ResponseWriter, r *http.Request) {
	raw, status, err := body(w, r)
	if err != nil {
		plainFailure(w, status, err.Error())
		return
	}
	named, err := servicesOf(raw)
	if err != nil {
		plainFailure(w, http.StatusBadRequest, err.Error())
		return
	}
	h.acting.Lock()
	defer h.acting.Unlock()
	answered, now, ok := h.plan(w, r, named)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.settings.Timeout)
	defer cancel()
	for _, past := range answered.Outcomes {
		if err := h.settle(ctx, past, now); err != nil {
			answered.NotKept[past.ID] = err.Error()
		}
	}
	for _, one := range answered.Recommendations {
		err := h.carryOut(ctx, one, now)
		switch {
		case err != nil && one.State == playbook.Proposed:
			answered.NotKept[one.ID] = err.Error()
		case err != nil:
			answered.NotSent[one.ID] = err.Error()
		case one.State == playbook.Ready:
			answered.Sent = append(answered.Sent, one.ID)
		}
	}
	status = http.StatusOK
	if len(answered.NotSent)+len(answered.NotKept) > 0 {
		status = http.StatusBadGateway
	}
	reply(w, status, answered)
}

// servicesOf reads {"service": "cart"}, {"services": [...]} or a notification of
// Grafana or Alertmanager.
func servicesOf(raw []byte) (named []string, err error) {
	var asked struct {
		Service  string
		Services []string
		Alerts   []alert
	}
	if err := json.Unmarshal(raw, &asked); err != nil {
		return nil, fmt.Errorf(`write {"service": "cart"}: %w`, err)
	}
	if asked.Service != "" {
		named = append(named, asked.Service)
	}
	named = append(named, asked.Services...)
	for _, one := range asked.Alerts {
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
func (h *Hooks) plan(w http.ResponseWriter, r *http.Request, named []string) (planned, time.Time, bool) {
	slices.Sort(named)
	named = slices.Compact(named)
	config := h.settings.Playbooks
	answered := planned{Sent: []string{}, NotSent: map[string]string{}, NotKept: map[string]string{}, Notices: []string{}, Mode: config.Mode}
	if len(named) == 0 || len(named) > mostPlaybookServices {
		plainFailure(w, http.StatusBadRequest, fmt.Sprintf("%d services are named: name one to %d, each by its service.name", len(named), mostPlaybookServices))
		return answered, time.Time{}, false
	}
	for _, service := range named {
		if err := playbook.CheckTarget(service); err != nil {
			plainFailure(w, http.StatusBadRequest, err.Error())
			return answered, time.Time{}, false
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), planTimeouts*h.settings.Timeout)
	defer cancel()
	now := h.engine.Now().UTC()
	situation, notices, err := h.situation(ctx, named, now)
	if err != nil {
		status, reason := refusal(err)
		plainFailure(w, status, reason)
		return answered, now, false
	}
	answered.Plan, answered.Notices = playbook.Make(config.Config, situation), append(answered.Notices, notices...)
	return answered, now, true
}

func (h *Hooks) situation(ctx context.Context, named []string, now time.Time) (playbook.Situation, []string, error) {
	s := playbook.Situation{Now: now}
	var missing, notices []string
	for i, service := range named {
		found, err := h.engine.Facts(ctx, service, engine.Window{From: now.Add(-h.settings.Playbooks.Window), To: now})
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
	past, err := h.past(ctx, now)
	if err != nil {
		missing = append(missing, err.Error())
	}
	s.Past, s.Missing = past, strings.Join(missing, "; ")
	if s.Missing != "" {
		notices = append(notices, "Evidence is missing: "+s.Missing)
	}
	return s, notices, nil
}

// The tags of the audit trail in Grafana.
const (
	actedTag    = "foresight:acted"
	outcomeTag  = "foresight:outcome"
	proposedTag = "foresight:proposed"
)

// past is what was sent before, by any replica, as Grafana's annotations hold
// it. Without them there are no budgets, and nothing may be sent.
func (h *Hooks) past(ctx context.Context, now time.Time) (past []playbook.Past, err error) {
	if h.settings.Acts == nil || h.settings.Journal == nil {
		return nil, fmt.Errorf("what was done before is not known: set grafana.url, and grafanaToken of a service account with the role Editor")
	}
	markers, warnings, err := h.settings.Acts.Markers(ctx, now.Add(-actsLookBack), now.Add(time.Minute))
	if err != nil {
		return nil, fmt.Errorf("what was done before is not known: %w", err)
	}
	if len(warnings) > 0 {
		return nil, fmt.Errorf("not all that was done before is known: %s", strings.Join(warnings, " "))
	}
	outcomes := map[string]playbook.Outcome{}
	for _, m := range markers {
		if m.Verdict == "outcome" {
			outcomes[m.Keys["of"]] = playbook.Outcome(m.Keys["outcome"])
		}
	}
	for _, m := range markers {
		if m.Verdict == "acted" && m.Keys["playbook"] != "" {
			past = append(past, playbook.Past{
				ID: m.Keys["of"], Pattern: playbook.Pattern(m.Keys["playbook"]), Service: m.Service, At: m.At, Outcome: outcomes[m.Keys["of"]]})
		}
	}
	return past, nil
}

// audit writes a line of the log: what, about whom, on whose request.
func audit(ctx context.Context, message string, r playbook.Recommendation, more ...any) {
	actor := ""
	if user := httpadapter.UserFromContext(ctx); user != nil {
		actor = user.Login
	}
	backend.Logger.FromContext(ctx).Info(message, append([]any{
		"id", r.ID, "playbook", r.Pattern, "action", r.Action, "service", r.Target.Service, "version", r.Target.Version,
		"state", r.State, "held", r.Held, "confidence", r.Confidence, "actor", actor}, more...)...)
}

// note is a recommendation in the audit trail.
func note(r playbook.Recommendation, now time.Time, tag, verb string) upstream.Note {
	subject := r.Target.Service
	if r.Target.Version != "" {
		subject += " " + r.Target.Version
	}
	said := make([]string, len(r.Evidence))
	for i, fact := range r.Evidence {
		said[i] = fact.Text
	}
	return upstream.Note{
		ID: identity(tag, r.ID), Start: now, Text: fmt.Sprintf("%s %s of %s: %s", verb, r.Action, subject, strings.Join(said, " ")),
		Tags: []string{tag, "playbook:" + string(r.Pattern), "action:" + string(r.Action), "service:" + name(r.Target.Service), "of:" + r.ID},
	}
}

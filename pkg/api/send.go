package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// A number that no engine may act on is neither sent nor written down.

// send answers a query and sends the number to one of the webhooks of the
// settings: so an alert, a pipeline or a person hands a number with its basis
// to automation.
func (h *Hooks) send(w http.ResponseWriter, r *http.Request) {
	raw, status, err := body(w, r)
	if err != nil {
		plainFailure(w, status, err.Error())
		return
	}
	var asked struct{ Webhook, Query string }
	if err := json.Unmarshal(raw, &asked); err != nil || asked.Webhook == "" || asked.Query == "" {
		plainFailure(w, http.StatusBadRequest, `write {"webhook": "<name>", "query": "foresight_predicted_demand{service=\"cart\"}"}`)
		return
	}
	if h.settings.Sender == nil {
		plainFailure(w, http.StatusNotImplemented, "no webhooks are configured: see webhooks and signingSecret in docs/engines.md")
		return
	}
	event, _, err := h.event(r, asked.Query)
	if err != nil {
		unanswered(w, err)
		return
	}
	id, err := h.settings.Sender.Send(r.Context(), asked.Webhook, event)
	var unknown *webhook.UnknownTargetError
	logger := backend.Logger.FromContext(r.Context())
	switch {
	case errors.As(err, &unknown):
		plainFailure(w, http.StatusBadRequest, err.Error())
	case err != nil:
		logger.Warn("A webhook was not delivered", "webhook", asked.Webhook, "id", id, "type", event.Type, "subject", event.Subject, "error", err)
		plainFailure(w, http.StatusBadGateway, err.Error())
	default:
		logger.Info("A webhook was delivered", "webhook", asked.Webhook, "id", id, "type", event.Type, "subject", event.Subject)
		reply(w, http.StatusOK, map[string]string{"id": id})
	}
}

// unanswered says why there is no number to pass on. That a server failed is no
// reason to give up, as a number that nobody may act on is: with a status of 500
// or above callers try again.
func unanswered(w http.ResponseWriter, err error) {
	status, reason := refusal(err)
	var failed *upstream.Error
	if errors.As(err, &failed) {
		status = failed.HTTPStatus()
	}
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		reason += ". " + sendAgain
	}
	plainFailure(w, status, reason)
}

// event is the number of now as an event, whose type is that of the metric, and
// the tags by which it is found.
func (h *Hooks) event(r *http.Request, expr string) (event webhook.Event, tags []string, err error) {
	now := h.engine.Now().Truncate(finestStep).UTC()
	parsed, err := h.promQL.parser.ParseExpr(expr)
	if err != nil {
		return event, nil, err
	}
	selectors := parser.ExtractSelectors(parsed)
	if len(selectors) == 0 {
		return event, nil, noTrust("the query has no foresight_* series: there is nothing to tell")
	}
	metric, err := metricOf(selectors[0])
	if err != nil {
		return event, nil, err
	}
	query, err := h.promQL.engine.NewInstantQuery(r.Context(), h.promQL.source, promql.NewPrometheusQueryOpts(false, 0), expr, now)
	if err != nil {
		return event, nil, err
	}
	defer query.Close()
	result := query.Exec(r.Context())
	if result.Err == nil {
		result.Err = actionable(result.Value)
	}
	if result.Err != nil {
		return event, nil, result.Err
	}
	sample := result.Value.(promql.Vector)[0]
	label, subject := subjectOf(sample.Metric, selectors[0])
	kind := strings.TrimPrefix(metric.name, "foresight_")
	tags = []string{"foresight", kind}
	if subject != "" {
		tags = append(tags, label+":"+name(subject))
	}
	warnings, _ := warningsOf(result, expr)
	return webhook.Event{
		Source: h.source(), Type: "foresight." + kind + ".v1", Subject: subject, Time: now,
		Summary: fmt.Sprintf("%s of %s: %.6g%s", strings.ReplaceAll(kind, "_", " "), cmp.Or(subject, "all"), sample.F, inBrackets(warnings)),
		Data:    map[string]any{"query": expr, "value": sample.F, "labels": unnamed(sample.Metric), "warnings": warnings},
	}, tags, nil
}

// source is by whom an event is told.
func (h *Hooks) source() string { return "/foresight/" + h.settings.UID }

// inBrackets says what a number rests on, without the selectors.
func inBrackets(warnings []string) string {
	if len(warnings) == 0 {
		return ""
	}
	var bare []string
	for _, warning := range warnings {
		_, basis, found := strings.Cut(warning, "}: ")
		if !found {
			basis = warning
		}
		bare = append(bare, basis)
	}
	return " (" + strings.Join(bare, "; ") + ")"
}

// unnamed are labels without the metric's name.
func unnamed(found labels.Labels) map[string]string {
	named := found.Map()
	delete(named, labels.MetricName)
	return named
}

// subjectOf is the service, or the named series, that an event is about, and
// the label that says so.
func subjectOf(found labels.Labels, selector []*labels.Matcher) (label, value string) {
	for _, label := range []string{"service", "series"} {
		if value := found.Get(label); value != "" {
			return label, value
		}
		for _, m := range selector {
			if m.Type == labels.MatchEqual && m.Name == label && m.Value != "" {
				return label, m.Value
			}
		}
	}
	return "", ""
}

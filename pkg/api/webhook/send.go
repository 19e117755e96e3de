package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
)

// Numbers evaluate expressions over the derived metrics.
type Numbers interface {
	Evaluate(ctx context.Context, expr string) (promapi.Number, error)
}

// API serves the route that sends events on request.
type API struct {
	Sender  *Sender // nil where no webhooks are configured
	Numbers Numbers
	Source  string // names this data source in events
}

// Send evaluates a query and sends the number to one of the webhooks of the
// settings: so an alert, a pipeline or a person hands a number with its basis
// to automation. A number that no engine may act on is not sent.
func (a *API) Send(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	var request struct{ Webhook, Query string }
	if err := json.Unmarshal(raw, &request); err != nil || request.Webhook == "" || request.Query == "" {
		respond.Error(w, http.StatusBadRequest, `write {"webhook": "<name>", "query": "foresight_predicted_demand{service=\"cart\"}"}`)
		return
	}
	if a.Sender == nil {
		respond.Error(w, http.StatusNotImplemented, "no webhooks are configured: see webhooks and signingSecret in docs/engines.md")
		return
	}
	n, err := a.Numbers.Evaluate(r.Context(), request.Query)
	if err != nil {
		respond.SenderFailure(w, err)
		return
	}
	event := Event{
		Source: a.Source, Type: "foresight." + n.Kind() + ".v1", Subject: n.Subject, Time: n.Time, Summary: n.Summary(),
		Data: map[string]any{"query": request.Query, "value": n.Value, "labels": n.Labels, "warnings": n.Warnings},
	}
	id, err := a.Sender.Send(r.Context(), request.Webhook, event)
	var unknown *UnknownTargetError
	logger := backend.Logger.FromContext(r.Context())
	switch {
	case errors.As(err, &unknown):
		respond.Error(w, http.StatusBadRequest, err.Error())
	case err != nil:
		logger.Warn("A webhook was not delivered", "webhook", request.Webhook, "id", id, "type", event.Type, "subject", event.Subject, "error", err)
		respond.Error(w, http.StatusBadGateway, err.Error())
	default:
		logger.Info("A webhook was delivered", "webhook", request.Webhook, "id", id, "type", event.Type, "subject", event.Subject)
		respond.JSON(w, http.StatusOK, map[string]string{"id": id})
	}
}

// Package ingest takes in deploys, alerts and feedback, and keeps them in Grafana
// as annotations: Foresight itself keeps nothing, and every replica reads the
// same.
package ingest

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
)

// Numbers evaluate expressions over the derived metrics.
type Numbers interface {
	Evaluate(ctx context.Context, expr string) (promapi.Number, error)
}

// Announcer tells other systems of a new deploy.
type Announcer interface {
	Announce(ctx context.Context, event webhook.Event)
}

// API serves the routes of senders.
type API struct {
	// Annotations is where they are saved; nil for nowhere.
	Annotations annotation.Writer
	Numbers     Numbers
	Announcer   Announcer
	// DeployTag marks the annotations of deploys, as the data source reads them.
	DeployTag string
	// WebhookSecret signs notifications of alerts; empty for unsigned ones.
	WebhookSecret string
	// Source names this data source in events.
	Source string
	Now    func() time.Time
	// Timeout bounds the work for one request.
	Timeout time.Duration
}

// saved is the answer to a sender.
type saved struct {
	Kept  int `json:"kept"`  // new ones
	Known int `json:"known"` // that were kept already
	// Problems are the elements of a batch that cannot be read.
	Problems []string `json:"problems,omitempty"`
}

// save writes annotations, answers with how many were new, and returns which.
// problems are the elements of the batch that could not be read.
func (a *API) save(w http.ResponseWriter, r *http.Request, problems []string, all ...annotation.Annotation) (isNew []bool) {
	isNew = make([]bool, len(all))
	if a.Annotations == nil {
		respond.Error(w, http.StatusNotImplemented, "this cannot be saved: set grafana.url, and grafanaToken of a service account with the role Editor")
		return isNew
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.Timeout)
	defer cancel()
	written, known := 0, 0
	var failure error
	for i, one := range all { // one that is refused keeps no other out
		created, err := a.Annotations.Upsert(ctx, one)
		switch {
		case err != nil:
			backend.Logger.FromContext(ctx).Warn("An annotation was not saved", "id", one.ID, "error", err)
			failure = cmp.Or(failure, err)
		case created:
			written++
			isNew[i] = true
		default:
			known++
		}
	}
	if failure != nil {
		respond.Error(w, http.StatusBadGateway, fmt.Sprintf("%d of %d were saved: %v. %s", written+known, len(all), failure, respond.SendAgain))
		return isNew
	}
	respond.JSON(w, http.StatusOK, saved{written, known, problems})
	return isNew
}

package ingest

import (
	"cmp"
	"net/http"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// Annotate evaluates a query and writes the number down in Grafana, with what it
// rests on, where every dashboard can show it: a verdict beside the deploy, a
// forecast beside what came of it.
func (a *API) Annotate(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	// The id is that of the request, the same when it is sent again.
	var request struct{ Query, ID lenient.Text }
	if err := lenient.Unmarshal(raw, &request); err != nil || request.Query == "" {
		respond.Error(w, http.StatusBadRequest, `write {"query": "foresight_predicted_demand{service=\"cart\"}"}`)
		return
	}
	n, err := a.Numbers.Evaluate(r.Context(), string(request.Query))
	if err != nil {
		respond.SenderFailure(w, err)
		return
	}
	id := annotation.ID("annotate", string(request.Query), cmp.Or(string(request.ID), n.Time.Format(time.RFC3339)))
	a.save(w, r, nil, annotation.Annotation{
		ID: id, Start: n.Time, Text: n.Summary(),
		Tags: annotation.Number{Kind: n.Kind(), SubjectLabel: n.SubjectLabel, Subject: n.Subject}.Tags(),
	})
}

package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// annotate answers a query and writes the number down in Grafana, with what it
// rests on, where every dashboard can show it: a verdict beside the deploy, a
// forecast beside what came of it.
func (h *Hooks) annotate(w http.ResponseWriter, r *http.Request) {
	raw, status, err := body(w, r)
	if err != nil {
		plainFailure(w, status, err.Error())
		return
	}
	// The id is that of the request, the same when it is sent again.
	var asked struct{ Query, ID string }
	if err := json.Unmarshal(raw, &asked); err != nil || asked.Query == "" {
		plainFailure(w, http.StatusBadRequest, `write {"query": "foresight_predicted_demand{service=\"cart\"}"}`)
		return
	}
	event, tags, err := h.event(r, asked.Query)
	if err != nil {
		unanswered(w, err)
		return
	}
	id := identity("annotate", asked.Query, cmp.Or(asked.ID, event.Time.Format(time.RFC3339)))
	h.keep(w, r, upstream.Note{ID: id, Start: event.Time, Text: event.Summary, Tags: tags})
}

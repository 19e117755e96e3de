package ingest

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// Feedback takes in what a person, or an incident tool, says of a past event:
// whether it was real. Anomaly queries rank new events by it.
func (a *API) Feedback(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	var label struct {
		Time    lenient.Time
		Real    *bool
		Service lenient.Text
		Text    lenient.Text
	}
	if err := lenient.Unmarshal(raw, &label); err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	if label.Time.IsZero() || label.Real == nil || label.Time.After(a.Now()) {
		respond.Error(w, http.StatusBadRequest, `write {"time": "2026-01-31T12:00:00Z", "real": false, "service": "cart"}: a time in the past, and whether the event was real`)
		return
	}
	text := "An event that was real." // without a text Grafana takes nothing
	if !*label.Real {
		text = "No event: it was as it should be."
	}
	a.save(w, r, nil, annotation.Annotation{
		ID:    annotation.ID("feedback", string(label.Service), label.Time.Unix(), strconv.FormatBool(*label.Real)),
		Start: label.Time.Time, Text: cmp.Or(string(label.Text), text), Tags: annotation.Feedback{Service: string(label.Service), Real: *label.Real}.Tags(),
	})
}

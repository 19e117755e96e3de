package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// Feedback takes in what a person, or an incident tool, says of a past event:
// whether it was real: one label, or a list. Anomaly queries rank new events by it.
func (a *API) Feedback(w http.ResponseWriter, r *http.Request) {
	raw, status, err := respond.Body(w, r)
	if err != nil {
		respond.Error(w, status, err.Error())
		return
	}
	batch, err := elements(raw)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	var all []annotation.Annotation
	var problems []string
	for i, one := range batch[:min(len(batch), maxBatch)] {
		label, err := a.readFeedback(one)
		if err != nil {
			problems = append(problems, fmt.Sprintf("element %d: %v", i+1, err))
			continue
		}
		all = append(all, label)
	}
	if more := len(batch) - maxBatch; more > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d elements were left out: send at most %d at once", more, len(batch), maxBatch))
	}
	if len(all) == 0 {
		respond.Error(w, http.StatusBadRequest, strings.TrimPrefix(strings.Join(problems, "; "), "element 1: "))
		return
	}
	a.save(w, r, problems, all...)
}

func (a *API) readFeedback(raw []byte) (annotation.Annotation, error) {
	var label struct {
		Time    lenient.Time
		Real    *lenient.Bool
		Service lenient.Text
		Text    lenient.Text
	}
	if err := lenient.Unmarshal(raw, &label); err != nil {
		return annotation.Annotation{}, err
	}
	if label.Time.IsZero() || label.Real == nil || label.Time.After(a.Now()) {
		return annotation.Annotation{}, errors.New(`write {"time": "2026-01-31T12:00:00Z", "real": false, "service": "cart"}: a time in the past, and whether the event was real`)
	}
	isReal := bool(*label.Real)
	text := "An event that was real." // without a text Grafana takes nothing
	if !isReal {
		text = "No event: it was as it should be."
	}
	return annotation.Annotation{
		ID:    annotation.ID("feedback", string(label.Service), label.Time.Unix(), strconv.FormatBool(isReal)),
		Start: label.Time.Time, Text: cmp.Or(string(label.Text), text), Tags: annotation.Feedback{Service: string(label.Service), Real: isReal}.Tags(),
	}, nil
}

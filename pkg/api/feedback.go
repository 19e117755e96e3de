package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// feedback takes in what a person, or an incident tool, says of a past event:
// whether it was real. Anomaly queries rank new events by it.
func (h *Hooks) feedback(w http.ResponseWriter, r *http.Request) {
	raw, status, err := body(w, r)
	if err != nil {
		plainFailure(w, status, err.Error())
		return
	}
	var said struct {
		Time    time.Time
		Real    *bool
		Service string
		Text    string
	}
	if err := json.Unmarshal(raw, &said); err != nil || said.Time.IsZero() || said.Real == nil || said.Time.After(h.engine.Now()) {
		plainFailure(w, http.StatusBadRequest, `write {"time": "2026-01-31T12:00:00Z", "real": false, "service": "cart"}: a time in the past, and whether the event was real`)
		return
	}
	verdict := strconv.FormatBool(*said.Real)
	judged := "An event that was real." // without a text Grafana takes nothing
	if !*said.Real {
		judged = "No event: it was as it should be."
	}
	note := upstream.Note{
		ID: identity("feedback", said.Service, said.Time.Unix(), verdict), Start: said.Time, Text: cmp.Or(said.Text, judged), Tags: []string{"foresight:" + verdict},
	}
	if said.Service != "" {
		note.Tags = append(note.Tags, "service:"+name(said.Service))
	}
	h.keep(w, r, note)
}

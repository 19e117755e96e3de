package api

import (
	"net/http"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// keda answers KEDA's metrics-api scaler with the predicted demand, as one JSON
// number at "value": of the settings' series of that name, else of the service.
// KEDA takes any status but 200 for an error, at which it holds the replicas.
func (h *Hooks) keda(w http.ResponseWriter, r *http.Request) {
	subject := "service"
	if slices.ContainsFunc(h.settings.Series, func(s NamedSeries) bool { return s.Name == r.PathValue("name") }) {
		subject = "series"
	}
	asked := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, subject, r.PathValue("name"))}
	for _, parameter := range []string{"lead", "quantile"} {
		if value := r.URL.Query().Get(parameter); value != "" {
			asked = append(asked, labels.MustNewMatcher(labels.MatchEqual, parameter, value))
		}
	}
	demand, _ := derivedNamed("foresight_predicted_demand")
	number, err := h.one(r, demand, asked)
	if err != nil {
		status, reason := refusal(err)
		plainFailure(w, status, reason)
		return
	}
	reply(w, http.StatusOK, number)
}

// action is a number that an engine acts on, with what it rests on.
type action struct {
	Value    float64           `json:"value"`
	Metric   string            `json:"metric"`
	Labels   map[string]string `json:"labels"`
	Warnings []string          `json:"warnings"`
}

// one is the number of now of the one series that is asked for.
func (h *Hooks) one(r *http.Request, d derived, asked []*labels.Matcher) (action, error) {
	questions, err := d.questions(asked)
	if err != nil {
		return action{}, err
	}
	now := h.engine.Now().Truncate(finestStep).UTC()
	rows, err := h.ask(r.Context(), questions[0], span{from: now, to: now, every: finestStep})
	if err != nil {
		return action{}, err
	}
	if len(rows) != 1 || len(rows[0].points) == 0 {
		return action{}, noTrust("there are %d series, where one is needed: aggregate the expression behind it", len(rows))
	}
	return action{rows[0].points[0].value, d.name, questions[0].labels, rows[0].warnings}, nil
}

package engines

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/foresight-observability/foresight/pkg/api/respond"
)

// demand is a number that an autoscaler acts on, with what it rests on.
type demand struct {
	Value    float64           `json:"value"`
	Metric   string            `json:"metric"`
	Labels   map[string]string `json:"labels"`
	Warnings []string          `json:"warnings"`
}

// KEDA answers KEDA's metrics-api scaler with the predicted demand, as one JSON
// number at "value": of the settings' series of that name, else of the service.
// KEDA takes any status but 200 for an error, at which it holds the replicas.
func (a *API) KEDA(w http.ResponseWriter, r *http.Request) {
	labels := map[string]string{}
	name := r.PathValue("name")
	if name == "" { // also as a parameter
		name = cmp.Or(r.URL.Query().Get("series"), r.URL.Query().Get("service"))
	}
	if slices.Contains(a.Series, name) {
		labels["series"] = name
	} else {
		labels["service"] = name
	}
	for _, parameter := range []string{"lead", "quantile"} {
		if value := r.URL.Query().Get(parameter); value != "" {
			labels[parameter] = value
		}
	}
	n, err := a.Numbers.Value(r.Context(), "foresight_predicted_demand", labels)
	if err != nil {
		respond.Failure(w, err)
		return
	}
	respond.JSON(w, http.StatusOK, demand{n.Value, n.Metric, n.Labels, n.Warnings})
}

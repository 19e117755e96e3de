package engines

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/sizing/mesh"
)

// breakerResource is what one mesh reads.
type breakerResource struct {
	Mesh    string     `json:"mesh"`
	Apply   string     `json:"apply,omitempty"`
	Revert  string     `json:"revert,omitempty"`
	Expires *time.Time `json:"expires"`
	Notes   []string   `json:"notes,omitempty"`
	Problem string     `json:"problem,omitempty"`
}

// Breakers answers the circuit breakers of a service as complete resources of
// meshes. The parameters are service, namespace, port, and the version of each
// mesh under its name. Where there is none at all it is refused.
func (a *API) Breakers(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	q := query.Sizing{Service: values.Get("service")}.WithDefaults()
	if err := q.Validate(); err != nil {
		respond.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	target := mesh.Target{Service: q.Service, Namespace: values.Get("namespace"), Versions: map[string]string{}}
	for _, name := range mesh.Names() {
		target.Versions[name] = values.Get(name)
	}
	if text := values.Get("port"); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			respond.Error(w, http.StatusBadRequest, fmt.Sprintf("port is %.40q: write a number from 1 to 65535", text))
			return
		}
		target.Port = port
	}
	answered, err := a.Engine.Sizing(r.Context(), q, promapi.RuleWindow(a.Now()))
	if err != nil {
		respond.Failure(w, err)
		return
	}
	target.At = answered.At
	var resources []breakerResource
	var problems []string
	for _, one := range mesh.Render(target, answered.Recommendations) {
		resource := breakerResource{Mesh: one.Mesh, Apply: one.Apply, Revert: one.Revert, Notes: one.Notes, Problem: one.Problem}
		if one.Problem == "" {
			resource.Expires = new(one.Expires)
		} else {
			problems = append(problems, one.Mesh+": "+one.Problem)
		}
		resources = append(resources, resource)
	}
	if len(problems) == len(resources) {
		respond.Error(w, http.StatusUnprocessableEntity, strings.Join(append(problems, answered.Notices...), "; "))
		return
	}
	respond.JSON(w, http.StatusOK, map[string]any{
		"service": q.Service, "at": target.At, "resources": resources, "warnings": append([]string{}, answered.Notices...),
	})
}

package preview

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

const administrator = "Admin"

// sources are the configured data sources, by uid.
type sources struct {
	plugin *harness.Plugin
	mutex  sync.Mutex
	byUID  map[string]*backend.DataSourceInstanceSettings
}

func newSources(plugin *harness.Plugin) *sources {
	return &sources{plugin: plugin, byUID: map[string]*backend.DataSourceInstanceSettings{}}
}

func (s *sources) add(uid, name string, settings map[string]any) {
	source := harness.PluginContext(settings, nil).DataSourceInstanceSettings
	source.UID, source.Name = uid, name
	s.byUID[uid] = source
}

// all are the data sources as the plugin is told of them.
func (s *sources) all() map[string]harness.DataSource {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	all := map[string]harness.DataSource{}
	for uid, settings := range s.byUID {
		reported := *settings
		all[uid] = harness.DataSource{Plugin: s.plugin, Context: backend.PluginContext{
			OrgID: 1, PluginID: harness.PluginID, DataSourceInstanceSettings: &reported,
			User: &backend.User{Login: "admin", Role: administrator},
		}}
	}
	return all
}

// find is one data source; it refuses the request where there is none.
func (s *sources) find(w http.ResponseWriter, uid string) (harness.DataSource, bool) {
	source, known := s.all()[uid]
	if !known {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no data source with the uid %q", uid))
	}
	return source, known
}

// edited is what the settings page saves.
type edited struct {
	JSONData       json.RawMessage   `json:"jsonData"`
	SecureJSONData map[string]string `json:"secureJsonData"`
}

// change saves settings; a secret that is not given stays.
func (s *sources) change(uid string, to edited) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	changed := *s.byUID[uid]
	secrets := maps.Clone(changed.DecryptedSecureJSONData)
	if secrets == nil {
		secrets = map[string]string{}
	}
	maps.Copy(secrets, to.SecureJSONData)
	changed.JSONData, changed.DecryptedSecureJSONData, changed.Updated = to.JSONData, secrets, time.Now()
	s.byUID[uid] = &changed
}

// saved is what the browser may know of a data source.
type saved struct {
	ID               int64           `json:"id"`
	UID              string          `json:"uid"`
	Type             string          `json:"type"`
	Name             string          `json:"name"`
	JSONData         json.RawMessage `json:"jsonData"`
	SecureJSONFields map[string]bool `json:"secureJsonFields"`
}

// list names the data sources, and the servers that a Grafana would know.
func (h *Host) list(w http.ResponseWriter, _ *http.Request) {
	all := []saved{
		{ID: -1, UID: "prometheus", Type: "prometheus", Name: "Prometheus", JSONData: json.RawMessage("{}"), SecureJSONFields: map[string]bool{}},
		{ID: -2, UID: "tempo", Type: "tempo", Name: "Tempo", JSONData: json.RawMessage("{}"), SecureJSONFields: map[string]bool{}},
	}
	for _, source := range h.sources.all() {
		settings := source.Context.DataSourceInstanceSettings
		secrets := map[string]bool{}
		for name, secret := range settings.DecryptedSecureJSONData {
			secrets[name] = secret != ""
		}
		all = append(all, saved{settings.ID, settings.UID, settings.Type, settings.Name, settings.JSONData, secrets})
	}
	answer(w, http.StatusOK, all)
}

func (h *Host) save(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if _, known := h.sources.find(w, uid); !known {
		return
	}
	var to edited
	if err := json.NewDecoder(r.Body).Decode(&to); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	h.sources.change(uid, to)
	answer(w, http.StatusOK, map[string]string{"message": "Datasource updated"})
}

func (h *Host) health(w http.ResponseWriter, r *http.Request) {
	source, known := h.sources.find(w, r.PathValue("uid"))
	if !known {
		return
	}
	found, err := source.Plugin.Health(r.Context(), source.Context)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	status := http.StatusOK
	if found.Status != backend.HealthStatusOk {
		status = http.StatusBadRequest
	}
	details := json.RawMessage(found.JSONDetails)
	if len(details) == 0 {
		details = json.RawMessage("null")
	}
	answer(w, status, map[string]any{"status": found.Status.String(), "message": found.Message, "details": details})
}

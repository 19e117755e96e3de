package harness

import (
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// instances numbers the data sources: the plugin keeps one instance for each id.
var instances atomic.Int64

// PluginContext is a new Foresight data source as Grafana would describe it to
// the plugin.
func PluginContext(settings map[string]any, secrets map[string]string) backend.PluginContext {
	raw, err := json.Marshal(settings)
	if err != nil {
		panic(err) // a settings literal in a test
	}
	return backend.PluginContext{
		OrgID:    1,
		PluginID: PluginID,
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{
			ID: instances.Add(1), UID: "foresight", Type: PluginID, Name: "Foresight",
			JSONData:                raw,
			DecryptedSecureJSONData: secrets,
			Updated:                 time.Unix(1, 0),
		},
	}
}

// Query is one query as a panel or a rule sends it.
func Query(refID string, from, to time.Time, model map[string]any) backend.DataQuery {
	raw, err := json.Marshal(model)
	if err != nil {
		panic(err) // a query literal in a test
	}
	queryType, _ := model["queryType"].(string)
	return backend.DataQuery{
		RefID: refID, QueryType: queryType, JSON: raw,
		TimeRange: backend.TimeRange{From: from, To: to},
		Interval:  15 * time.Second, MaxDataPoints: 1000,
	}
}

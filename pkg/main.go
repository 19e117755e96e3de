// The Foresight data source, as Grafana starts it.
package main

import (
	"os"
	_ "time/tzdata" // a server or container may have no time zones of its own

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/foresight-observability/foresight/pkg/plugin"
)

func main() {
	if err := datasource.Manage(plugin.ID, plugin.New, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("Foresight ended", "error", err)
		os.Exit(1)
	}
}

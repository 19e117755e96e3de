// The Foresight data source, as Grafana starts it.
package main

import (
	"os"
	_ "time/tzdata" // a server or container may have no time zones of its own

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/plugin"
)

// maxMessage is the size of a request: an HTTP body of 1 MiB, or the queries of a
// panel, and room to spare.
const maxMessage = 4 << 20

func main() {
	budget.LimitMemory()
	options := datasource.ManageOpts{GRPCSettings: backend.GRPCSettings{MaxReceiveMsgSize: maxMessage}}
	if err := datasource.Manage(plugin.ID, plugin.New, options); err != nil {
		log.DefaultLogger.Error("Foresight ended", "error", err)
		os.Exit(1)
	}
}

package frames_test

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/incident"
)

func someIncidents() engine.IncidentsAnswer {
	return engine.IncidentsAnswer{
		Provenance: engine.Provenance{
			Queries:    []string{"sum by (service) (increase(traces_spanmetrics_calls_total[60s]))"},
			Notices:    []string{"1 of 5 services have too little data to judge: new."},
			Parameters: map[string]any{"services": 5, "queries": "1 of at most 18"},
		},
		At: noon, Step: time.Minute, Services: 5,
		Incidents: []incident.Incident{
			{
				ID: "payment", State: incident.Active, Start: 10, Reported: 14, End: 31, Deepest: "payment", Affected: 120,
				Members: []incident.Member{
					{Service: "payment", Signals: []incident.Signal{incident.Failures}, Start: 10, Deviation: 40, Before: 0.001, Now: 0.2},
					{Service: "web", Signals: []incident.Signal{incident.Failures, incident.Latency}, Start: 11, Because: "payment", Deviation: 30, Before: 0.002, Now: 0.15},
				},
				Cause: incident.Cause{Kind: incident.CauseChange, Name: "payment", Text: "version 2 of payment arrived", Evidence: []incident.Evidence{
					{For: true, Text: "version 2 of payment arrived, 1 steps before it went wrong"}, {For: false, Text: "db, which it calls, is abnormal too"},
				}},
			},
			{
				ID: "search", State: incident.Developing, Start: 28, Reported: -1, End: 31, Deepest: "search",
				Members: []incident.Member{{Service: "search", Signals: []incident.Signal{incident.Silence}, Start: 28, Before: 600}},
				Cause:   incident.Cause{Kind: incident.CauseTelemetry, Name: "search", Text: "its metrics are missing"},
			},
			{
				ID: "db", State: incident.Resolved, Start: 2, Reported: 6, End: 8, Deepest: "db", Affected: 3,
				Members: []incident.Member{{Service: "cart", Signals: []incident.Signal{incident.Latency}, Start: 2, Because: "db", Before: 0.1, Now: 0.4}},
				Cause:   incident.Cause{Kind: incident.CauseDependency, Name: "db", Text: "what its callers have in common"},
			},
		},
	}
}

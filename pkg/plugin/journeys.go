package plugin

import (
	"fmt"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// maxJourneys bounds the journeys in the settings.
const maxJourneys = 50

// journeySettings are the journeys of users in the settings, and their sections.
func journeySettings(root fields) (journeys []engine.JourneySetting, sections []fields) {
	known := map[string]bool{}
	for i, one := range root.objects("journeys") {
		journey := engine.JourneySetting{Name: one.text("name", "")}
		sections = append(sections, one)
		for _, step := range one.objects("steps") {
			journey.Steps = append(journey.Steps, query.JourneyStep{
				Name: step.text("name", ""), Service: step.text("service", ""), Operation: step.text("operation", ""), TraceQL: step.text("traceQL", ""),
			})
			sections = append(sections, step)
		}
		switch err := query.CheckSteps(journey.Steps); {
		case journey.Name == "":
			one.problem("name", "is missing")
		case known[journey.Name]:
			one.problem("name", "%q is that of an earlier journey", journey.Name)
		case len(journey.Steps) == 0:
			one.problem("steps", "are missing: name the service and operation of each")
		case err != nil:
			*one.problems = append(*one.problems, fmt.Sprintf("%s%v", one.path, err))
		}
		if known[journey.Name] = true; i == maxJourneys {
			root.problem("journeys", "are more than %d", maxJourneys)
		}
		journeys = append(journeys, journey)
	}
	return journeys, sections
}

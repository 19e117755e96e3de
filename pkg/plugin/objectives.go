package plugin

import (
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// maxObjectives bounds the objectives in the settings.
const maxObjectives = 200

// objectiveSettings are the objectives in the settings: those described there and
// those in its YAML of OpenSLO and Grafana SLO, whose objects that cannot be used are
// notices.
func objectiveSettings(root fields) (all []engine.ObjectiveSetting, sections []fields, notices []string) {
	for _, one := range root.objects("objectives") {
		s := engine.ObjectiveSetting{
			Name: one.text("name", ""), Service: one.text("service", ""), Target: one.share("target", 0),
			Window: one.duration("window", time.Duration(query.DefaultObjectiveWindow), time.Hour, 90*24*time.Hour),
			Errors: one.text("errors", ""), Good: one.text("good", ""), Total: one.text("total", ""), Source: "settings",
		}
		sections = append(sections, one)
		if err := query.CheckIndicator(s.Errors, s.Good, s.Total); err != nil {
			one.problem("", "%v", err)
		} else if s.Errors == "" && s.Good == "" {
			one.problem("errors", "is missing: write PromQL of the bad requests, or good for the good ones")
		}
		all = append(all, s)
	}
	described, notices, err := engine.ReadObjectives(root.text("objectivesYaml", ""))
	if err != nil {
		root.problem("objectivesYaml", "cannot be read: %v", err)
	}
	all = slices.Concat(all, described)
	if len(all) > maxObjectives {
		root.problem("objectives", "are more than %d", maxObjectives)
	} else if err := engine.CheckObjectives(all); err != nil {
		root.problem("objectives", "cannot be used: %v", err)
	}
	return all, sections, notices
}

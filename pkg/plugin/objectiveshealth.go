package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
)

// objectivesHealth is which objectives were found, by where they are described.
type objectivesHealth struct {
	Found   map[string]int `json:"found,omitempty"`
	Message string         `json:"message,omitempty"`
}

// checkObjectives counts the objectives that are found. Without any there is nothing
// to say: they are no part of most installations.
func (d *DataSource) checkObjectives(ctx context.Context) (health objectivesHealth) {
	if d.engine.Metrics == nil {
		return health
	}
	now := time.Now()
	found, err := d.engine.FoundObjectives(ctx, engine.Window{From: now.Add(-time.Hour), To: now})
	if err != nil {
		// The server's own line says what is wrong with it.
		return health
	}
	health.Found = map[string]int{}
	for _, one := range found {
		health.Found[one.Source]++
	}
	var parts []string
	for _, source := range slices.Sorted(maps.Keys(health.Found)) {
		parts = append(parts, fmt.Sprintf("%d from %s", health.Found[source], source))
	}
	if len(parts) > 0 {
		health.Message = "Objectives: " + strings.Join(parts, ", ")
	}
	return health
}

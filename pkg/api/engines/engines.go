// Package engines answers engines that have an API of their own: KEDA, Argo
// Rollouts, Flagger, and pipelines that read JSON.
package engines

import (
	"context"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/verdict"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Engine computes sizes and reports.
type Engine interface {
	Sizing(ctx context.Context, q query.Sizing, window engine.Window) (engine.SizingAnswer, error)
	Impact(ctx context.Context, q query.Impact, window engine.Window) (engine.ImpactAnswer, error)
	Rollout(ctx context.Context, q query.Rollout, window engine.Window) (engine.RolloutAnswer, error)
}

// Numbers are the derived metrics.
type Numbers interface {
	Value(ctx context.Context, metric string, labels map[string]string) (promapi.Number, error)
}

// Decider decides over canaries.
type Decider interface {
	Decide(ctx context.Context, r verdict.Request) (engine.VerdictAnswer, error)
}

// API serves the routes of engines.
type API struct {
	Engine  Engine
	Numbers Numbers
	Decider Decider
	// Series are the names of the settings' series.
	Series []string
	Now    func() time.Time
}

// finite is a number, or null where it is not finite.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

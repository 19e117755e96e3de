package ops

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/playbook"
)

// What will be used up is a fact of its kind; what does not grow is none, nor what no
// action helps.
func TestResourcesThatEndAreFacts(t *testing.T) {
	noon := enginetest.Noon
	rising := func(name string, slope float64) enginetest.Scraped {
		return enginetest.Scraped{
			Labels: enginetest.Named(name, "service_name", "orders", "instance", "a"), From: noon.Add(-50 * time.Hour), To: noon, Every: time.Minute,
			Value: func(at time.Time) float64 {
				minute, left := float64(at.Unix()/60), noon.Sub(at).Minutes()
				return 200 + 10*(math.Sin(minute*1.7)+math.Sin(minute*2.9+math.Sin(minute))) + math.Max(0, 120-left)*slope
			},
		}
	}
	most := func(name string) enginetest.Scraped {
		one := rising(name, 0)
		one.Value = func(time.Time) float64 { return 1000 }
		return one
	}
	facts := func(busy, fds float64) []playbook.Fact {
		server := enginetest.NewPromServer(rising("go_sql_in_use_connections", busy), most("go_sql_max_open_connections"),
			rising("process_open_fds", fds), most("process_max_fds"))
		sources := core.Sources{Metrics: server, Now: func() time.Time { return noon }}
		advisor := Advisor{Sources: sources, Evaluator: metrics.Evaluator{Sources: sources, Signals: signals.Finder{Sources: sources}}}
		found, err := advisor.endingResources(t.Context(), "orders", core.Window{From: noon.Add(-time.Hour), To: noon})
		require.NoError(t, err)
		return found
	}
	found := facts(5.5, 5.5)
	require.Len(t, found, 1, "nothing helps against file descriptors")
	require.Equal(t, playbook.PoolEnds, found[0].Kind)
	require.Contains(t, found[0].Text, "The limit of connections will be reached")
	plan := playbook.Make(playbook.Config{Mode: playbook.Recommend}, playbook.Situation{Now: noon, Facts: found})
	require.Len(t, plan.Recommendations, 1)
	require.Equal(t, playbook.GrowPool, plan.Recommendations[0].Action)
	require.Empty(t, facts(0, 5.5))
}

package metrics_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
)

// resourcesOfOrders has descriptors that leak in the last two hours, and threads that
// vary as always.
func resourcesOfOrders() *enginetest.PromServer {
	noon := enginetest.Noon
	one := func(name string, value func(minute, left float64) float64) enginetest.Scraped {
		return enginetest.Scraped{
			Labels: enginetest.Named(name, "service_name", "orders", "instance", "a"), From: noon.Add(-50 * time.Hour), To: noon, Every: time.Minute,
			Value: func(at time.Time) float64 { return value(float64(at.Unix()/60), noon.Sub(at).Minutes()) },
		}
	}
	steady := func(minute float64) float64 { return math.Sin(minute*1.7) + math.Sin(minute*2.9+math.Sin(minute)) }
	return enginetest.NewPromServer(
		one("process_max_fds", func(float64, float64) float64 { return 1000 }),
		one("process_open_fds", func(minute, left float64) float64 { return 200 + 10*steady(minute) + math.Max(0, 120-left)*5 }),
		one("tomcat_threads_config_max_threads", func(float64, float64) float64 { return 200 }),
		one("tomcat_threads_busy_threads", func(minute, _ float64) float64 { return 60 + 3*steady(minute) }),
	)
}

func TestResourcesOfServiceAreWatched(t *testing.T) {
	noon := enginetest.Noon
	e := &engine.Engine{Metrics: resourcesOfOrders(), Now: func() time.Time { return noon }}
	ask := func(resources ...string) (engine.BreachAnswer, error) {
		q := query.Breach{Service: "orders", Resources: resources, History: query.Duration(48 * time.Hour), Step: query.Duration(time.Minute)}.WithDefaults()
		require.NoError(t, q.Validate())
		return e.Breach(t.Context(), q, core.Window{From: noon.Add(-30 * time.Minute), To: noon})
	}
	found, err := ask()
	require.NoError(t, err)
	require.Len(t, found.Series, 2)
	require.InDelta(t, 1, found.Threshold, 0)
	firing := map[string]float64{}
	for _, one := range found.Series {
		require.Empty(t, one.Problem)
		firing[one.Labels["resource"]] = one.Result.Firing()
	}
	require.Equal(t, map[string]float64{"file descriptors": 1, "threads": 0}, firing)

	found, err = ask("threads")
	require.NoError(t, err)
	require.Len(t, found.Series, 1)
	_, err = ask("memory")
	require.ErrorContains(t, err, "no resource of service \"orders\" has a well-known metric of its use and its limit")
	_, err = ask("memori")
	require.ErrorContains(t, err, "memory")
}

func TestBreachOfServiceIsChecked(t *testing.T) {
	limit := 0.5
	for want, q := range map[string]query.Breach{
		"expr and service exclude":         {Service: "orders", Expr: "up"},
		"direction is below":               {Service: "orders", Direction: "below"},
		"name the service, or leave":       {Expr: "up", Threshold: &limit, Resources: []string{"memory"}},
		"threshold is missing: write the ": {Expr: "up"},
	} {
		require.ErrorContains(t, q.WithDefaults().Validate(), want)
	}
	require.NoError(t, query.Breach{Service: "orders", Threshold: &limit}.WithDefaults().Validate())
}

package incident_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/incident"
)

// demanded is the shop, with what web counts of its calls to orders: all but those
// of a caller that counts nothing.
func demanded() []incident.Service {
	services, _ := shop()
	orders := &services[1]
	for _, n := range orders.Requests {
		orders.Sent = append(orders.Sent, 0.8*n)
		orders.SentFailed = append(orders.SentFailed, 0.001)
	}
	return services
}

func TestLostDemand(t *testing.T) {
	_, calls := shop()
	for name, part := range map[string]float64{"most": 0.1, "a third": 0.66} {
		services := demanded()
		for i := begin; i < steps; i++ {
			services[1].Requests[i] *= part
			services[1].SentFailed[i] = 1 - part
		}
		found := find(services, calls)
		require.Len(t, found, 1, name)
		require.Equal(t, "orders", found[0].Deepest)
		require.Equal(t, incident.CauseDemand, found[0].Cause.Kind, "%+v", found[0].Cause)
		require.Contains(t, found[0].Members[0].Signals, incident.Lost)
		require.InDelta(t, 600*(1-part), found[0].Affected, 60, name)
		require.Equal(t, begin, found[0].Start)
	}
}

func TestLostDemandFailsItsCallers(t *testing.T) {
	services := demanded()
	_, calls := shop()
	for i := begin; i < steps; i++ {
		services[1].Requests[i] *= 0.3
		services[1].SentFailed[i] = 0.7
		services[2].Requests[i] *= 0.2 // starved
	}
	fails(&services[0], begin, 0.4)
	found := find(services, calls)
	require.Len(t, found, 1)
	require.Equal(t, "orders", found[0].Deepest)
	require.Equal(t, incident.CauseDemand, found[0].Cause.Kind)
	require.Len(t, found[0].Members, 3)
}

func TestLessDemandIsNotLost(t *testing.T) {
	services := demanded()
	_, calls := shop()
	for i := begin; i < steps; i++ {
		services[1].Requests[i] *= 0.4
		services[1].Sent[i] *= 0.4
	}
	require.Empty(t, find(services, calls))
}

// What arrives and is not counted does not fail for the callers.
func TestUncountedRequestsAreNotLost(t *testing.T) {
	services := demanded()
	_, calls := shop()
	for i := begin; i < steps; i++ {
		services[1].Requests[i] = math.NaN()
	}
	found := find(services, calls)
	require.Len(t, found, 1)
	require.Equal(t, incident.CauseTelemetry, found[0].Cause.Kind)
	require.NotContains(t, found[0].Members[0].Signals, incident.Lost)
	require.Contains(t, found[0].Cause.Evidence[0].Text, "is not counted")

	services = demanded()
	for i := begin; i < steps; i++ {
		services[1].Requests[i] *= 0.5 // half of the pods are not scraped
	}
	require.Empty(t, find(services, calls))
}

// A service whose callers count nothing is judged as before.
func TestCallersThatDoNotCount(t *testing.T) {
	services := demanded()
	_, calls := shop()
	services[1].Sent, services[1].SentFailed = make([]float64, steps), nil
	require.Empty(t, find(services, calls))
	services[1].Sent = services[1].Sent[:3]
	require.Empty(t, find(services, calls))
}

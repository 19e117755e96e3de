package incident_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

const steps, begin = 200, 170

// quiet is a service with a little noise.
func quiet(name string, seed uint64) incident.Service {
	random := rand.New(rand.NewPCG(seed, 1))
	s := incident.Service{Name: name}
	for range steps {
		s.Requests = append(s.Requests, 600+20*random.NormFloat64())
		s.Latency = append(s.Latency, 0.1*(1+0.04*random.NormFloat64()))
		s.Failed = append(s.Failed, 0.001*random.Float64())
	}
	return s
}

// shop is web → orders → payment, web → cart, and search alone.
func shop() (services []incident.Service, calls []propagation.Call) {
	for i, name := range []string{"web", "orders", "payment", "cart", "search"} {
		services = append(services, quiet(name, uint64(i)))
	}
	return services, []propagation.Call{{Caller: "web", Callee: "orders"}, {Caller: "orders", Callee: "payment"}, {Caller: "web", Callee: "cart"}}
}

func fails(s *incident.Service, from int, share float64) {
	for i := from; i < steps; i++ {
		s.Failed[i] = share
	}
}

func slows(s *incident.Service, from int, seconds float64) {
	for i := from; i < steps; i++ {
		s.Latency[i] += seconds
	}
}

func find(services []incident.Service, calls []propagation.Call, changes ...incident.Change) []incident.Incident {
	return incident.Find(incident.Record{Services: services, Calls: calls, Changes: changes, From: steps - 60}).Incidents
}

func TestNothingWrong(t *testing.T) {
	services, calls := shop()
	require.Empty(t, find(services, calls))
}

func TestOneIncidentForOneCause(t *testing.T) {
	services, calls := shop()
	fails(&services[2], begin, 0.3)
	fails(&services[1], begin, 0.3)
	fails(&services[0], begin+1, 0.25)
	found := find(services, calls, incident.Change{Service: "payment", Step: begin - 2, Text: "payment 2.0 was deployed"})
	require.Len(t, found, 1)
	one := found[0]
	require.Equal(t, "payment", one.Deepest)
	require.Equal(t, incident.Active, one.State)
	require.Equal(t, begin, one.Start)
	require.Equal(t, incident.CauseChange, one.Cause.Kind)
	var order []string
	for _, m := range one.Members {
		order = append(order, m.Service)
	}
	require.Equal(t, []string{"payment", "orders", "web"}, order)
	require.Equal(t, "orders", one.Members[2].Because)
	require.InDelta(t, 150, one.Affected, 20, "a quarter of web's 600 requests")
}

func TestSeparateIncidentsAreKeptApart(t *testing.T) {
	services, calls := shop()
	slows(&services[2], begin, 0.3)
	slows(&services[1], begin, 0.3)
	fails(&services[4], begin+2, 0.5)
	found := find(services, calls)
	require.Len(t, found, 2)
	require.Equal(t, "payment", found[0].Deepest)
	require.Equal(t, "search", found[1].Deepest)
}

func TestUnmeasuredDependency(t *testing.T) {
	services, calls := shop()
	calls = append(calls, propagation.Call{Caller: "payment", Callee: "db"}, propagation.Call{Caller: "cart", Callee: "db"}, propagation.Call{Caller: "search", Callee: "db"})
	for _, i := range []int{2, 3, 4} {
		slows(&services[i], begin, 0.4)
	}
	found := find(services, calls)
	require.Len(t, found, 1)
	require.Equal(t, "db", found[0].Deepest)
	require.Equal(t, incident.CauseDependency, found[0].Cause.Kind)
}

// TestADatabaseThatANewVersionSlows: only orders measures its database, and its
// new version asks for something slow. That is one incident, and the version's.
func TestADatabaseThatANewVersionSlows(t *testing.T) {
	deployed := incident.Change{Service: "orders", Step: begin - 2, Text: "orders 2.0 was deployed"}
	for name, slow := range map[string][2]float64{"the database explains it": {0.1, 0.1}, "the database explains too little": {0.6, 0.1}} {
		t.Run(name, func(t *testing.T) {
			services, calls := shop()
			database := quiet("orders-db", 9)
			database.Peer = true
			services, calls = append(services, database), append(calls, propagation.Call{Caller: "orders", Callee: "orders-db"})
			slows(&services[1], begin, slow[0])
			slows(&services[5], begin, slow[1])
			found := find(services, calls, deployed)
			require.Len(t, found, 1)
			require.Equal(t, "orders", found[0].Deepest)
			require.Equal(t, incident.CauseChange, found[0].Cause.Kind)

			// Without the deploy, or long after it, the database is suspected.
			for _, otherwise := range [][]incident.Change{nil, {{Service: "orders", Step: begin - 40}}} {
				var deepest []string
				for _, one := range find(services, calls, otherwise...) {
					deepest = append(deepest, one.Deepest)
				}
				require.Contains(t, deepest, "orders-db")
			}
		})
	}

	services, calls := shop()
	database := quiet("orders-db", 9)
	database.Peer = true
	services = append(services, database)
	calls = append(calls, propagation.Call{Caller: "orders", Callee: "orders-db"}, propagation.Call{Caller: "search", Callee: "orders-db"})
	for _, i := range []int{1, 4, 5} {
		slows(&services[i], begin, 0.2)
	}
	found := find(services, calls, deployed)
	require.Len(t, found, 1)
	require.Equal(t, "orders-db", found[0].Deepest, "another caller is slow, too")
}

func TestMissingTelemetryIsNoOutage(t *testing.T) {
	services, calls := shop()
	for i := begin; i < steps; i++ {
		services[2].Requests[i], services[2].Latency[i], services[2].Failed[i] = math.NaN(), math.NaN(), math.NaN()
	}
	found := find(services, calls)
	require.Len(t, found, 1)
	require.Equal(t, incident.CauseTelemetry, found[0].Cause.Kind)

	// With failing callers it is an outage.
	fails(&services[1], begin, 0.9)
	found = find(services, calls)
	require.Len(t, found, 1)
	require.NotEqual(t, incident.CauseTelemetry, found[0].Cause.Kind)
	require.Equal(t, "payment", found[0].Deepest)
}

func TestZone(t *testing.T) {
	var services []incident.Service
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		s := quiet(name, uint64(i))
		fails(&s, begin, 0.3)
		for z, zone := range []string{"east", "west"} {
			place := quiet(zone, uint64(10*i+z))
			if zone == "east" {
				fails(&place, begin, 0.6)
			}
			s.Places = append(s.Places, incident.Place{Kind: "zone", Name: zone, Requests: place.Requests, Failed: place.Failed})
		}
		services = append(services, s)
	}
	found := find(services, nil)
	require.Len(t, found, 1)
	require.Equal(t, incident.CausePlace, found[0].Cause.Kind)
	require.Equal(t, "east", found[0].Cause.Name)
}

// An incident keeps its identity from step to step, and a short pause does not end
// it.
func TestIdentityAndHysteresis(t *testing.T) {
	services, calls := shop()
	fails(&services[2], begin-20, 0.3)
	fails(&services[1], begin-18, 0.3)
	for _, i := range []int{begin, begin + 1, begin + 2, begin + 3} {
		services[2].Failed[i], services[1].Failed[i] = 0, 0
	}
	pages, active := 0, ""
	for n := begin - 25; n <= steps; n++ {
		cut := make([]incident.Service, len(services))
		for i, s := range services {
			cut[i] = incident.Service{Name: s.Name, Requests: s.Requests[:n], Latency: s.Latency[:n], Failed: s.Failed[:n]}
		}
		now := ""
		for _, one := range incident.Find(incident.Record{Services: cut, Calls: calls}).Incidents {
			if one.State == incident.Active {
				now = one.ID
			}
		}
		if now != active && now != "" {
			pages++
		}
		active = now
	}
	require.Equal(t, 1, pages)
	require.Equal(t, "payment", active)
}

func TestResolved(t *testing.T) {
	services, calls := shop()
	fails(&services[2], begin-50, 0.3)
	for i := begin - 20; i < steps; i++ {
		services[2].Failed[i] = 0.0005
	}
	found := find(services, calls)
	require.Len(t, found, 1)
	require.Equal(t, incident.Resolved, found[0].State)
	require.Equal(t, begin-20, found[0].End)
}

func TestCycleOfCallsEnds(t *testing.T) {
	services, calls := shop()
	calls = append(calls, propagation.Call{Caller: "payment", Callee: "web"}, propagation.Call{Caller: "web", Callee: "web"})
	fails(&services[2], begin-2, 0.3)
	fails(&services[1], begin, 0.3)
	fails(&services[0], begin, 0.3)
	found := find(services, calls)
	require.Len(t, found, 1)
	require.Equal(t, "payment", found[0].Deepest)
}

func TestTooLittleDataIsSaid(t *testing.T) {
	services, calls := shop()
	for i := range begin {
		services[4].Requests[i], services[4].Latency[i], services[4].Failed[i] = math.NaN(), math.NaN(), math.NaN()
	}
	r := incident.Find(incident.Record{Services: services, Calls: calls})
	require.Equal(t, []string{"search"}, r.Unjudged)
	require.Empty(t, incident.Find(incident.Record{}).Incidents)
}

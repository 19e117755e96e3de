package propagation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

const (
	past, recent, abnormal = 120, 10, 6
	steps                  = past + recent + abnormal
)

// system is a shop: web calls orders and catalog, orders calls payment and the
// database, catalog calls the database too.
type system struct {
	random *rand.Rand
	slow   map[string]float64 // own seconds added in the abnormal time
	fail   map[string]float64 // own share of failed requests in it
	calls  map[string]map[string]float64
}

func newSystem(seed uint64) *system {
	return &system{
		random: rand.New(rand.NewPCG(seed, 3)), slow: map[string]float64{}, fail: map[string]float64{},
		calls: map[string]map[string]float64{
			"web":     {"orders": 0.4, "catalog": 0.6},
			"orders":  {"payment": 0.5, "database": 2},
			"catalog": {"database": 1},
		},
	}
}

// measure simulates the metrics: a service's latency is its own work and that of
// its callees; a failed call fails the request.
func (s *system) measure() (services []propagation.Service, calls []propagation.Call) {
	own := map[string]float64{"web": 0.01, "orders": 0.02, "catalog": 0.01, "payment": 0.05, "database": 0.004}
	order := []string{"database", "payment", "catalog", "orders", "web"}
	byName := map[string]*propagation.Service{}
	for _, name := range order {
		byName[name] = &propagation.Service{Name: name, Requests: make([]float64, steps), Latency: make([]float64, steps), Failed: make([]float64, steps)}
	}
	for step := range steps {
		requests := map[string]float64{"web": 900 + math.Round(200*s.random.Float64())}
		for _, name := range slices.Backward(order) {
			for callee, per := range s.calls[name] {
				requests[callee] += per * requests[name]
			}
		}
		for _, name := range order {
			latency, sound := own[name]*(1+0.1*s.random.NormFloat64()), 1-0.0005
			if step >= past+recent {
				latency += s.slow[name]
				sound -= s.fail[name]
			}
			for _, callee := range order {
				if per := s.calls[name][callee]; per > 0 {
					latency += per * byName[callee].Latency[step]
					sound *= math.Pow(1-byName[callee].Failed[step], per)
				}
			}
			n := math.Round(requests[name])
			failed := math.Round(n*(1-sound) + math.Sqrt(n*(1-sound))*s.random.NormFloat64())
			byName[name].Requests[step], byName[name].Latency[step], byName[name].Failed[step] = n, latency, max(0, failed)/n
		}
	}
	for _, name := range order {
		services = append(services, *byName[name])
		for _, callee := range order {
			if s.calls[name][callee] > 0 {
				calls = append(calls, propagation.Call{Caller: name, Callee: callee})
			}
		}
	}
	return services, calls
}

func question(signal propagation.Signal) propagation.Question {
	return propagation.Question{Service: "web", Signal: signal, Recent: past, From: past + recent}
}

// TestTheCauseIsFoundWhereverItLies: own work or failures of any service, with
// the callers as victims.
func TestTheCauseIsFoundWhereverItLies(t *testing.T) {
	for seed := range uint64(10) {
		for name, added := range map[string]float64{"web": 0.05, "orders": 0.1, "catalog": 0.05, "payment": 0.2, "database": 0.03} {
			s := newSystem(seed)
			s.slow[name] = added
			services, calls := s.measure()
			r := propagation.Explain(services, calls, question(propagation.Latency))
			require.Equal(t, propagation.Abnormal, r.Verdict, name)
			require.Equal(t, name, r.Suspects[0].Service, "%+v", r)
			require.Greater(t, r.Suspects[0].Share, 0.6, name)
			require.Equal(t, "web", r.Suspects[0].Path[0])
			require.Equal(t, name, r.Suspects[0].Path[len(r.Suspects[0].Path)-1])

			s = newSystem(seed)
			s.fail[name] = 0.06
			services, calls = s.measure()
			r = propagation.Explain(services, calls, question(propagation.Failures))
			require.Equal(t, propagation.Abnormal, r.Verdict, name)
			require.Equal(t, name, r.Suspects[0].Service, "%+v", r)
		}
	}
}

func TestVictimsAreNamed(t *testing.T) {
	s := newSystem(1)
	s.slow["payment"] = 0.3
	services, calls := s.measure()
	r := propagation.Explain(services, calls, question(propagation.Latency))
	require.Equal(t, []string{"payment"}, []string{r.Suspects[0].Service})
	require.Equal(t, []string{"web", "orders", "payment"}, r.Suspects[0].Path)
	require.ElementsMatch(t, []string{"web", "orders"}, r.Victims)
	require.Equal(t, past+recent, r.Suspects[0].Onset)
	require.InDelta(t, 0.35, r.Suspects[0].Now, 0.03)
	require.InDelta(t, 0.05, r.Suspects[0].Before, 0.01)
}

// TestQuietTimesHaveNoCause: at most one in twenty.
func TestQuietTimesHaveNoCause(t *testing.T) {
	named := 0
	const runs = 100
	for seed := range uint64(runs) {
		services, calls := newSystem(1000 + seed).measure()
		for _, signal := range []propagation.Signal{propagation.Latency, propagation.Failures} {
			if propagation.Explain(services, calls, question(signal)).Verdict == propagation.Abnormal {
				named++
			}
		}
	}
	require.LessOrEqual(t, named, 2*runs/20)
}

// TestANewCallIsTheCallersDoing: what is called for the first time cannot have
// become worse.
func TestANewCallIsTheCallersDoing(t *testing.T) {
	s := newSystem(4)
	s.fail["orders"] = 0.2
	services, calls := s.measure()
	broken := propagation.Service{Name: "invalid-table", Requests: make([]float64, steps), Latency: make([]float64, steps), Failed: make([]float64, steps)}
	for i := range steps {
		if i >= past+recent {
			broken.Requests[i], broken.Failed[i], broken.Latency[i] = 80, 1, 0.01
		}
	}
	services, calls = append(services, broken), append(calls, propagation.Call{Caller: "orders", Callee: "invalid-table"})
	r := propagation.Explain(services, calls, question(propagation.Failures))
	require.Equal(t, "orders", r.Suspects[0].Service)
	require.Equal(t, []string{"invalid-table"}, r.Suspects[0].NewCalls)
	require.NotContains(t, fmt.Sprint(r.Suspects[1:]), "invalid-table")
}

func TestSharesSumToOneAtMost(t *testing.T) {
	for seed := range uint64(20) {
		s := newSystem(seed)
		s.slow["payment"], s.slow["database"], s.slow["catalog"] = 0.1, 0.01, 0.02
		services, calls := s.measure()
		sum := 0.0
		for _, one := range propagation.Explain(services, calls, question(propagation.Latency)).Suspects {
			require.Positive(t, one.Share)
			sum += one.Share
		}
		require.LessOrEqual(t, sum, 1+1e-9)
		require.Greater(t, sum, 0.9)
	}
}

// TestNotEnoughData: nothing is made up.
func TestNotEnoughData(t *testing.T) {
	services, calls := newSystem(1).measure()
	q := question(propagation.Latency)
	q.Service = "unknown"
	require.Equal(t, propagation.Insufficient, propagation.Explain(services, calls, q).Verdict)
	q = question(propagation.Latency)
	q.From = steps
	require.Equal(t, propagation.Insufficient, propagation.Explain(services, calls, q).Verdict)
	require.Equal(t, propagation.Insufficient, propagation.Explain([]propagation.Service{{Name: "web"}}, nil, question(propagation.Latency)).Verdict)
	require.Equal(t, propagation.Insufficient, propagation.Explain(nil, nil, propagation.Question{}).Verdict)
	for _, bad := range []float64{math.NaN(), math.Inf(1), -1} {
		hostile, _ := newSystem(1).measure()
		for i := range hostile {
			for j := range hostile[i].Latency {
				if (i+j)%2 == 0 {
					hostile[i].Latency[j], hostile[i].Requests[j] = bad, bad
				}
			}
		}
		for _, one := range propagation.Explain(hostile, calls, question(propagation.Latency)).Suspects {
			require.False(t, math.IsNaN(one.Share), "%+v", one)
		}
	}
}

// TestMetricsMayAppearInTheMiddle, be shorter than others, or be given twice.
func TestMetricsMayAppearInTheMiddle(t *testing.T) {
	s := newSystem(2)
	s.slow["payment"] = 0.2
	services, calls := s.measure()
	for i := range services {
		for j := range past - 5 {
			services[i].Latency[j], services[i].Requests[j] = math.NaN(), math.NaN()
		}
	}
	services[0].Latency = services[0].Latency[:past]
	services = append(services, services[3])
	r := propagation.Explain(services, append(calls, calls...), question(propagation.Latency))
	require.Equal(t, "payment", r.Suspects[0].Service)
}

// TestCyclesAndAMillionCalls end, in bounded time, and always the same way.
func TestCyclesAndAMillionCalls(t *testing.T) {
	s := newSystem(3)
	s.slow["payment"] = 0.2
	services, calls := s.measure()
	for _, a := range services {
		for _, b := range services {
			calls = append(calls, propagation.Call{Caller: a.Name, Callee: b.Name})
		}
	}
	once := propagation.Explain(services, calls, question(propagation.Latency))
	require.NotEmpty(t, once.Suspects)
	for range 5 {
		require.Equal(t, once, propagation.Explain(services, calls, question(propagation.Latency)))
	}

	services = nil
	for i := range 1000 {
		one := propagation.Service{Name: strconv.Itoa(i), Requests: make([]float64, 40), Latency: make([]float64, 40)}
		for j := range 40 {
			one.Requests[j], one.Latency[j] = 100, 1+0.001*float64((i+j)%7)
			if j > 35 {
				one.Latency[j] = 3
			}
		}
		services = append(services, one)
	}
	calls = nil
	for i := range services {
		for j := range services {
			calls = append(calls, propagation.Call{Caller: services[i].Name, Callee: services[j].Name})
		}
	}
	begun := time.Now()
	r := propagation.Explain(services, calls, propagation.Question{Service: "0", Signal: propagation.Latency, Recent: 20, From: 36})
	require.NotEqual(t, propagation.Insufficient, r.Verdict)
	require.Less(t, time.Since(begun), 30*time.Second)
}

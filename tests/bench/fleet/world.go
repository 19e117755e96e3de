// Package fleet measures what watches many services at once: incidents on a
// simulated fleet, and what one rule over all services costs.
package fleet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// world is a simulated fleet. Requests flow down the calls, and durations and
// failures back up; what a service itself does is disturbed by noise and faults.
// Nothing of it is shared with what finds incidents.
type world struct {
	random  *rand.Rand
	nodes   []*service
	order   []int // callers before callees
	byName  map[string]int
	counted bool // whether calls are counted, and not only known
	phase   float64
	faults  []fault
	traffic float64 // slow noise of all traffic
}

type service struct {
	name       string
	store      bool // a database or cache
	unmeasured bool
	entry      float64 // requests per step from outside
	calls      []call
	own        float64 // seconds
	failing    float64 // own share of failures
	capacity   float64 // requests per step
	cv         float64
	retries    bool
	drift      float64 // slow noise of the own time
	wander     float64 // of the share of failures
	busy       float64 // usual requests
	normal     float64 // usual duration

	rate, duration, failed float64 // in the step
	zone                   [3]float64
}

type call struct {
	to       int
	weight   float64 // per request
	critical float64 // part of the callee's failures that fail the request
	back     bool    // against the order: of the step before
}

const teams = 12

func newWorld(seed uint64, services int) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 18)), byName: map[string]int{}}
	w.counted = w.random.Float64() < 0.5
	w.phase = w.random.Float64() * 2 * math.Pi
	stores := services / 8
	for i := range services + stores {
		n := &service{
			name: fmt.Sprintf("svc-%03d", i), own: 0.002 * math.Exp(w.random.NormFloat64()*0.8+1), failing: math.Exp(w.random.NormFloat64() - 7.5),
			cv: 0.5 + 1.5*w.random.Float64(), retries: w.random.Float64() < 0.3,
		}
		if i >= services {
			n.name, n.store, n.unmeasured = fmt.Sprintf("db-%02d", i-services), true, w.random.Float64() < 0.5
			n.failing, n.own = 1e-5, 0.001*math.Exp(w.random.NormFloat64()*0.6+0.5)
		}
		w.byName[n.name] = i
		w.nodes = append(w.nodes, n)
		w.order = append(w.order, i)
	}
	w.wire(services)
	for range 50 {
		w.flow(1, nil)
	}
	for _, n := range w.nodes {
		n.busy = max(n.rate, 1)
		n.capacity = n.busy / (0.2 + 0.25*w.random.Float64())
	}
	for range 5 {
		w.flow(1, nil)
		w.back(nil)
	}
	for _, n := range w.nodes {
		n.normal = n.duration
	}
	return w
}

// wire lets services call others further down, mostly of their own team.
func (w *world) wire(services int) {
	entries := services / 40
	team := func(i int) int { return (i*7 + i/3) % teams }
	called := make([]bool, len(w.nodes))
	link := func(from, to int, weight float64) {
		n := w.nodes[from]
		if from == to || slices.ContainsFunc(n.calls, func(c call) bool { return c.to == to }) {
			return
		}
		n.calls = append(n.calls, call{to: to, weight: weight, critical: 0.3 + 0.7*w.random.Float64(), back: to < from})
		called[to] = true
	}
	for i := range services {
		if i < entries {
			w.nodes[i].entry = 1500 * math.Exp(w.random.NormFloat64()*0.7)
		}
		if i >= services*9/10 {
			continue
		}
		wanted := 1 + w.random.IntN(3)
		if i < entries {
			wanted = 5
		}
		for tries := 0; wanted > 0 && tries < 200; tries++ {
			to := i + 1 + w.random.IntN(min(services-i-1, services/2))
			if i >= entries && team(i) != team(to) && w.random.Float64() < 0.8 {
				continue
			}
			link(i, to, 0.2+0.9*w.random.Float64())
			wanted--
		}
		if w.random.Float64() < 0.02 && i > entries+10 {
			link(i, entries+w.random.IntN(i-entries), 0.02)
		}
	}
	for i := entries; i < services; i++ {
		if !called[i] {
			link(w.random.IntN(min(i, services/2)), i, 0.3+0.5*w.random.Float64())
		}
	}
	// Each store belongs to some services of one part of the fleet.
	for i := services; i < len(w.nodes); i++ {
		clients := 1 + w.random.IntN(9)
		start := entries + w.random.IntN(services-entries-30)
		for range clients {
			link(start+w.random.IntN(30), i, 0.5+2*w.random.Float64())
		}
	}
}

// flow sends requests down.
func (w *world) flow(factor float64, now []fault) {
	next := make([]float64, len(w.nodes))
	for i, n := range w.nodes {
		next[i] = n.entry * factor
		for _, f := range now {
			next[i] *= f.traffic(i)
		}
	}
	for _, i := range w.order {
		n := w.nodes[i]
		for _, c := range n.calls {
			if c.back {
				next[c.to] += c.weight * n.rate
			}
		}
	}
	for _, i := range w.order {
		n := w.nodes[i]
		n.rate = next[i]
		own := 0.0
		for _, f := range now {
			own = max(own, f.failing(i))
		}
		for _, c := range n.calls {
			if c.back {
				continue
			}
			sent := c.weight * n.rate * (1 - 0.8*own)
			if n.retries {
				sent *= 1 + min(1.5, w.nodes[c.to].failed)
			}
			next[c.to] += sent
		}
	}
}

// back answers the requests, the deepest first.
func (w *world) back(now []fault) {
	for k := len(w.order) - 1; k >= 0; k-- {
		i := w.order[k]
		n := w.nodes[i]
		load := 0.0
		if n.capacity > 0 {
			load = min(0.97, n.rate/n.capacity)
		}
		n.duration = n.own * math.Exp(n.drift) / (1 - load)
		well := 1 - min(1, n.failing*math.Exp(n.wander))
		if overload := n.rate/max(n.capacity, 1e-9) - 1; overload > 0 && n.capacity > 0 {
			well *= 1 - min(0.6, overload/2)
		}
		own, zoned := 0.0, [3]float64{}
		for _, f := range now {
			n.duration *= f.slower(i)
			own = max(own, f.failing(i))
			for z := range zoned {
				zoned[z] = max(zoned[z], f.zone(i, z))
			}
		}
		well *= 1 - own
		for _, c := range n.calls {
			to := w.nodes[c.to]
			n.duration += min(c.weight, 3) * to.duration
			failed := to.failed
			if to.normal > 0 && to.duration > 8*to.normal && to.duration > 0.05 {
				failed = max(failed, 0.4) // timeouts
			}
			well *= 1 - min(1, c.weight)*c.critical*failed
		}
		n.failed = 0
		for z, extra := range zoned {
			n.zone[z] = 1 - well*(1-extra)
			n.failed += n.zone[z] / 3
		}
	}
}

// record is what the metrics of a fleet show over some steps.
type record struct {
	services []incident.Service
	calls    []propagation.Call
	changes  []incident.Change
}

// run simulates steps of a minute; places says whether metrics tell zones apart.
func (w *world) run(steps int, places bool) record {
	var r record
	for _, n := range w.nodes {
		s := incident.Service{Name: n.name}
		if !n.unmeasured {
			s.Requests, s.Latency, s.Failed = make([]float64, steps), make([]float64, steps), make([]float64, steps)
			if places && !n.store {
				for _, zone := range []string{"a", "b", "c"} {
					s.Places = append(s.Places, incident.Place{Kind: "zone", Name: zone, Requests: make([]float64, steps), Failed: make([]float64, steps)})
				}
			}
		}
		r.services = append(r.services, s)
		for _, c := range n.calls {
			one := propagation.Call{Caller: n.name, Callee: w.nodes[c.to].name}
			if w.counted {
				one.Requests = make([]float64, steps)
			}
			r.calls = append(r.calls, one)
		}
	}
	for t := range steps {
		w.step(t, &r)
	}
	return r
}

// step simulates one minute.
func (w *world) step(t int, r *record) {
	var now []fault
	for _, f := range w.faults {
		if f.acts(t) {
			now = append(now, f.at(t))
		}
	}
	w.traffic = 0.97*w.traffic + 0.01*w.random.NormFloat64()
	factor := season(t, w.phase) * math.Exp(w.traffic)
	for _, n := range w.nodes {
		n.drift = 0.9*n.drift + 0.02*w.random.NormFloat64()
		n.wander = 0.9*n.wander + 0.15*w.random.NormFloat64()
	}
	w.flow(factor, now)
	w.back(now)
	k := 0
	for i, n := range w.nodes {
		first := k
		k += len(n.calls)
		if w.counted {
			for j, c := range n.calls {
				sent := c.weight * n.rate
				for _, f := range now {
					sent *= 1 - 0.8*f.failing(i)
				}
				r.calls[first+j].Requests[t] = w.count(sent)
			}
		}
		if !n.unmeasured {
			w.observe(i, t, now, &r.services[i])
		}
	}
	for i, n := range w.nodes {
		if n.store || w.random.Float64() > 1.0/4000 {
			continue
		}
		r.changes = append(r.changes, incident.Change{Service: w.nodes[i].name, Step: t, Text: n.name + " was deployed"})
		n.drift += 0.25 * w.random.Float64()
	}
	for _, f := range w.faults {
		if f.deploys && t == f.begin {
			r.changes = append(r.changes, incident.Change{Service: w.nodes[f.where[0]].name, Step: t, Text: "a bad version"})
		}
	}
}

// season is the traffic at a minute of the day, 1 on average.
func season(t int, phase float64) float64 {
	day := 2*math.Pi*float64(t)/1440 + phase
	return 1 + 0.45*math.Sin(day) + 0.1*math.Sin(2*day)
}

// observe writes down what is measured of a service.
func (w *world) observe(i, t int, now []fault, s *incident.Service) {
	n := w.nodes[i]
	requests := w.count(n.rate)
	failed := 0.0
	for z := range n.zone {
		count := w.count(n.rate / 3)
		bad := w.binomial(count, n.zone[z])
		if s.Places != nil {
			s.Places[z].Requests[t], s.Places[z].Failed[t] = count, math.NaN()
			if count > 0 {
				s.Places[z].Failed[t] = bad / count
			}
		}
	}
	failed = w.binomial(requests, n.failed)
	spike := 1.0
	if w.random.Float64() < 0.003 {
		spike = 1.3 + 3*w.random.Float64()
	}
	s.Requests[t], s.Latency[t], s.Failed[t] = requests, math.NaN(), math.NaN()
	if requests > 0 {
		noise := n.cv / math.Sqrt(requests) * w.random.NormFloat64()
		s.Latency[t], s.Failed[t] = n.duration*spike*max(0.2, 1+noise), failed/requests
	}
	lost := w.random.Float64() < 0.0005
	for _, f := range now {
		lost = lost || f.hides(i)
	}
	if lost {
		s.Requests[t], s.Latency[t], s.Failed[t] = math.NaN(), math.NaN(), math.NaN()
		for z := range s.Places {
			s.Places[z].Requests[t], s.Places[z].Failed[t] = math.NaN(), math.NaN()
		}
	}
}

// count is a number of events with a mean.
func (w *world) count(mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*w.random.NormFloat64()))
	}
	n, p, limit := 0.0, 1.0, math.Exp(-mean)
	for {
		p *= w.random.Float64()
		if p <= limit {
			return n
		}
		n++
	}
}

func (w *world) binomial(n, p float64) float64 {
	if n*p > 30 && n*(1-p) > 30 {
		return min(n, max(0, math.Round(n*p+math.Sqrt(n*p*(1-p))*w.random.NormFloat64())))
	}
	if n*(1-p) <= 30 {
		return n - min(n, w.count(n*(1-p)))
	}
	return min(n, w.count(n*p))
}

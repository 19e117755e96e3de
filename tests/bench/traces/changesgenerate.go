package traces

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

const changesMinutes = 60

// generateChanges makes a case: ten services that call each other downwards, two
// to four of them released within half an hour, pod by pod or all at once; one
// release fails or slows its own work, which its callers see with both of their
// versions. Pods drift, new pods start cold, and now and then a service that
// nobody released has trouble of its own.
func generateChanges(seed, index uint64) changesCase {
	g := changesGenerator{random: rand.New(rand.NewPCG(seed, index))}
	g.topology()
	g.release()
	for minute := range changesMinutes {
		g.step(minute)
	}
	return g.finish()
}

type changesService struct {
	name             string
	callees          []int // always later in the list
	requests         float64
	errors, latency  float64 // own
	released         int     // minute; 0 for never
	atOnce           bool
	addedErrors      float64 // by the new version
	slower           float64
	trouble          [2]int // minutes of its own
	pods             []*changesPodState
	edges            map[[2]int]*changesEdge // callee and version
	failing, waiting float64                 // as its callers see it
}

type changesPodState struct {
	changesPod
	from, to int
	drift    float64
}

type changesGenerator struct {
	random   *rand.Rand
	services []*changesService
	guilty   int
}

func (g *changesGenerator) topology() {
	const count = 10
	for i := range count {
		s := &changesService{name: fmt.Sprintf("service-%d", i), errors: 0.001 * math.Exp(g.random.NormFloat64()),
			latency: 5 * math.Exp(g.random.NormFloat64()), slower: 1, edges: map[[2]int]*changesEdge{}}
		for callee := i + 1; callee < count; callee++ {
			if g.random.Float64() < 0.35 {
				s.callees = append(s.callees, callee)
			}
		}
		g.services = append(g.services, s)
	}
	g.services[0].requests = 1000 + 5000*g.random.Float64()
	for _, s := range g.services {
		if s.requests == 0 { // nobody calls it: an entry of its own
			s.requests = 500
		}
		for _, callee := range s.callees {
			g.services[callee].requests += s.requests
		}
	}
}

func (g *changesGenerator) release() {
	chosen := g.random.Perm(len(g.services))[:2+g.random.IntN(3)]
	begin := 15
	for _, i := range chosen {
		s := g.services[i]
		s.released, s.atOnce = begin+g.random.IntN(15), g.random.Float64() < 0.3
		s.slower = math.Exp(0.03 * g.random.NormFloat64()) // harmless versions differ a little, too
	}
	g.guilty = chosen[0]
	if s := g.services[g.guilty]; g.random.Float64() < 0.5 {
		s.addedErrors = 0.02 + 0.15*g.random.Float64()
	} else {
		s.slower = 1.5 + 1.5*g.random.Float64()
	}
	if other := g.random.IntN(len(g.services)); g.random.Float64() < 0.3 && g.services[other].released == 0 {
		start := 15 + g.random.IntN(20)
		g.services[other].trouble = [2]int{start, start + 10 + g.random.IntN(20)}
	}
	for _, s := range g.services {
		pods := 2 + g.random.IntN(5)
		for k := range pods {
			left := changesMinutes
			if s.released > 0 {
				replaced := s.released + k*(2+g.random.IntN(4)) + 4
				if s.atOnce {
					replaced = s.released
				}
				left = min(left, replaced)
				g.addPod(s, "new", pods+k, left-min(4, left-s.released), changesMinutes)
			}
			g.addPod(s, "old", k, 0, left)
		}
	}
}

func (g *changesGenerator) addPod(s *changesService, version string, number, from, to int) {
	pod := &changesPodState{from: from, to: to, drift: 0.05 * g.random.NormFloat64()}
	pod.Service, pod.Pod, pod.Version = s.name, fmt.Sprintf("%s-%d", s.name, number), version
	s.pods = append(s.pods, pod)
}

// step plays a minute, from the last callee up.
func (g *changesGenerator) step(minute int) {
	load := 1 + 0.2*math.Sin(float64(minute)/15) + 0.05*g.random.NormFloat64()
	for i := len(g.services) - 1; i >= 0; i-- {
		s := g.services[i]
		serving := 0.0
		for _, p := range s.pods {
			if minute >= p.from && minute < p.to {
				serving++
			}
		}
		var failed, waited, all float64
		for _, p := range s.pods {
			requests, errors, latency := 0.0, 0.0, 0.0
			if minute >= p.from && minute < p.to {
				requests = math.Round(s.requests * load / serving)
				share, own := s.errors, s.latency
				if p.Version == "new" {
					share, own = share+s.addedErrors, own*s.slower
					if minute < p.from+1 { // cold
						share, own = share+0.01, own*1.5
					}
				}
				if minute >= s.trouble[0] && minute < s.trouble[1] {
					share, own = share+0.05, own*1.5
				}
				p.drift = 0.9*p.drift + 0.02*g.random.NormFloat64()
				own *= math.Exp(p.drift)
				for _, callee := range s.callees {
					seen := g.services[callee]
					share += seen.failing * 0.8 // some failures are caught
					own += seen.waiting
					g.call(s, p.Version, callee, requests, seen, minute)
				}
				errors = distuv.Binomial{N: requests, P: math.Min(share, 1), Src: g.random}.Rand()
				latency = own
			}
			p.Requests, p.Errors, p.Latency = append(p.Requests, requests), append(p.Errors, errors), append(p.Latency, math.Round(100*latency)/100)
			failed, waited, all = failed+errors, waited+requests*latency, all+requests
		}
		if all > 0 {
			s.failing, s.waiting = failed/all, waited/all
		}
	}
}

func (g *changesGenerator) call(s *changesService, version string, callee int, requests float64, seen *changesService, minute int) {
	key := [2]int{callee, 0}
	if version == "new" {
		key[1] = 1
	}
	edge := s.edges[key]
	if edge == nil {
		edge = &changesEdge{From: s.name, FromVersion: version, To: seen.name}
		edge.Requests, edge.Errors, edge.Latency = make([]float64, changesMinutes), make([]float64, changesMinutes), make([]float64, changesMinutes)
		s.edges[key] = edge
	}
	edge.Requests[minute] += requests
	edge.Errors[minute] += math.Round(requests * seen.failing)
	edge.Latency[minute] = math.Round(100*seen.waiting) / 100
}

func (g *changesGenerator) finish() (c changesCase) {
	for i, s := range g.services {
		if s.released > 0 {
			c.Releases = append(c.Releases, changesRelease{s.name, s.released})
		}
		for _, p := range s.pods {
			c.Pods = append(c.Pods, p.changesPod)
		}
		for _, callee := range s.callees {
			for version := range 2 {
				if edge := s.edges[[2]int{callee, version}]; edge != nil {
					c.Edges = append(c.Edges, *edge)
				}
			}
		}
		if i == g.guilty {
			c.Guilty = s.name
		}
	}
	return c
}

package canary

import (
	"math"
	"math/rand/v2"
	"sort"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/canary"
)

const (
	canaryRate     = 200.0 // requests per second, of both versions
	canaryErrors   = 0.002
	canaryPods     = 10
	canaryPast     = 360 // minutes of the baseline before
	latencySpread  = 0.5
	slowEndpoint   = 5.0 // times slower
	slowBaseline   = 0.1 // share of its requests
	slowAcceptable = 0.5 // as pkg/engine has it
)

// slowShares are those of the baseline beyond slowLimits, its quantiles 0.5, 0.9
// and 0.99.
var slowShares = []float64{0.5, 0.1, 0.01}

var slowLimits = func() (limits []float64) {
	for _, share := range slowShares {
		limits = append(limits, math.Exp(float64(sort.Search(8000, func(i int) bool {
			at := float64(i)/1000 - 2
			return 1-(1-slowBaseline)*beyond(at, 0)-slowBaseline*beyond(at, math.Log(slowEndpoint)) >= 1-share
		}))/1000-2))
	}
	return limits
}()

func beyond(logLimit, logMean float64) float64 {
	return distuv.UnitNormal.Survival((logLimit - logMean) / latencySpread)
}

// simPod is a pod with its states.
type simPod struct {
	candidate                bool
	zone, name               string
	errors, latency, lasting float64 // logarithms
	slowness                 float64
	age                      int // steps
	unscraped                canary.Tally
	burstLeft, spikeLeft     float64
	neighbourLeft            float64
	requests                 float64 // per second
	counts                   []canary.Tally
	slow                     [][2][]canary.Tally // by limit and endpoint
}

// simulation runs one canary of a world.
type simulation struct {
	canaryWorld
	random *rand.Rand
	pods   []*simPod
	step   float64 // minutes
	t      int
	// outages of everything or a zone, and of a dependency, in steps
	outageFrom, outageTo         int
	dependencyFrom, dependencyTo int
}

func newSimulation(w canaryWorld, seed uint64, share, step float64) *simulation {
	s := &simulation{canaryWorld: w, random: rand.New(rand.NewPCG(seed, 77)), step: step}
	s.setPods(share)
	return s
}

func (s *simulation) setPods(share float64) {
	of := 0
	if share > 0 {
		of = max(1, int(math.Round(share*s.size())))
	}
	for i := range of {
		s.pods = append(s.pods, s.newPod(true, i, 0, share*canaryRate/float64(of)))
	}
	rest := max(1, int(s.size()/2), int(s.size())-of)
	for i := range rest {
		s.pods = append(s.pods, s.newPod(false, i, 1000, (1-share)*canaryRate/float64(rest)))
	}
	if s.outage || s.zoneOutage {
		s.outageFrom = int(float64(s.random.IntN(12)) / s.step)
		s.outageTo = s.outageFrom + int(2/s.step)
	}
	if s.dependency {
		s.dependencyFrom = int(float64(s.random.IntN(40)) / s.step)
		s.dependencyTo = s.dependencyFrom + int(10/s.step)
	}
}

func (s *simulation) newPod(candidate bool, i, age int, requests float64) *simPod {
	p := &simPod{candidate: candidate, name: strconv.Itoa(i), age: age, requests: requests, slow: make([][2][]canary.Tally, len(slowLimits))}
	p.zone = strconv.Itoa(i % 3)
	if candidate {
		p.zone = "0"
	}
	p.errors = s.drift * s.random.NormFloat64()
	p.latency = s.latencyDrift * s.random.NormFloat64()
	if s.staticLatency > 0 {
		p.slowness = s.staticLatency * s.random.NormFloat64()
	}
	p.lasting = s.static * s.random.NormFloat64()
	return p
}

// share sets the canary's part of the traffic.
func (s *simulation) share(share float64) {
	counts := map[bool]float64{}
	for _, p := range s.pods {
		counts[p.candidate]++
	}
	for _, p := range s.pods {
		p.requests = canaryRate * map[bool]float64{true: share, false: 1 - share}[p.candidate] / counts[p.candidate]
	}
}

func (s *simulation) ar(state *float64, deviation float64) {
	if deviation == 0 {
		return
	}
	rho := math.Pow(map[bool]float64{true: s.persistence, false: 0.95}[s.persistence > 0], s.step)
	*state = rho**state + math.Sqrt(1-rho*rho)*deviation*s.random.NormFloat64()
}

// advance lets a step pass.
func (s *simulation) advance() {
	out := s.t >= s.outageFrom && s.t < s.outageTo && (s.outage || s.zoneOutage)
	all := s.step * 60 * (1 + 0.1*s.random.NormFloat64())
	if s.traffic > 0 {
		all *= s.traffic
	}
	if s.ramp > 0 {
		all *= 1 + (s.ramp-1)*math.Min(1, float64(s.t)*s.step/30)
	}
	cluster := s.cluster
	if out && s.retries {
		all, cluster = 3*all, 5
	}
	// Errors that a version has in common in this step.
	scale := map[bool]float64{true: 1, false: 1}
	if s.dispersed > 1 {
		for _, candidate := range []bool{true, false} {
			var expected float64
			for _, p := range s.pods {
				if p.candidate == candidate {
					expected += p.requests * s.step * 60 * s.usualErrors()
				}
			}
			if expected > 0 {
				shape := expected / (s.dispersed - 1)
				scale[candidate] = distuv.Gamma{Alpha: shape, Beta: shape, Src: s.random}.Rand()
			}
		}
	}
	s.disturb()
	for _, p := range s.pods {
		s.ar(&p.errors, s.drift)
		s.ar(&p.latency, s.latencyDrift)
		n := math.Round(p.requests * all * (1 + 0.03*s.random.NormFloat64()))
		cold := s.coldness(float64(p.age) * s.step)
		rate := s.usualErrors() * s.released() * scale[p.candidate] * math.Exp(p.errors+p.lasting) * (1 + s.rhythm*math.Sin(float64(s.t)*s.step/120))
		if s.simpson && s.t < 10 {
			rate *= 50
		}
		if p.candidate {
			rate *= math.Max(1, s.errors)
			rate += s.failing
		}
		if s.beside(p) {
			rate *= s.neighbour
		}
		rate += cold * s.coldErrors
		if s.crashes && !p.candidate && p.name == "0" && int(float64(s.t)*s.step)%5 == 0 {
			rate += 0.05
		}
		if s.t >= s.dependencyFrom && s.t < s.dependencyTo {
			rate += 0.5 * s.slowPart(p)
		}
		if out && (s.outage || p.zone == "0") {
			rate += map[bool]float64{true: 0.3, false: 1}[s.outage]
		}
		if s.errorBursts > 0 {
			if p.burstLeft -= s.step; p.burstLeft <= 0 && s.random.Float64() < s.errorBursts*s.step/60 {
				p.burstLeft = math.Max(1, s.burstMinutes)
			}
			if p.burstLeft > 0 {
				rate += s.errorBurst
			}
		}
		rate = math.Min(rate, 1)
		var bad float64
		switch {
		case s.coldCluster > 1 && cold > 0:
			bad = s.coldCluster * s.draw(n, rate/s.coldCluster)
		case cluster > 1:
			bad = float64(cluster) * s.draw(n, rate/float64(cluster))
		case s.doubled:
			bad = 2 * s.draw(n, rate/2)
		default:
			bad = s.draw(n, rate)
		}
		p.counts = append(p.counts, s.scraped(p, canary.Tally{Bad: math.Min(bad, n), Requests: n}))
		if s.latencies {
			s.time(p, n, cold)
		}
		p.age++
	}
	s.t++
}

// coldness is how much is left of a pod's start, 0–1.
func (s *simulation) coldness(minutes float64) float64 {
	switch {
	case s.coldDecay > 0:
		return math.Exp(-minutes / s.coldDecay)
	case minutes < math.Max(s.coldMinutes, 1):
		return 1
	}
	return 0
}

// beside tells whether a pod has a noisy neighbour in this step.
func (s *simulation) beside(p *simPod) bool {
	if s.besideCanary > 0 && p.candidate && p.name == "0" {
		if at := float64(s.t) * s.step; at >= s.besideCanary && at < s.besideCanary+20 {
			p.neighbourLeft = s.step
			return true
		}
		p.neighbourLeft = 0
	}
	if s.neighbours == 0 {
		return false
	}
	if p.neighbourLeft -= s.step; p.neighbourLeft <= 0 && s.random.Float64() < s.neighbours*s.step/60 {
		p.neighbourLeft = 20
	}
	return p.neighbourLeft > 0
}

// slowPart is the share of a pod's requests to the endpoint that is slow.
func (s *simulation) slowPart(p *simPod) float64 {
	share := slowBaseline
	if p.candidate && s.slowShare > 0 {
		share = s.slowShare
	}
	return share * (1 + s.mixRhythm*math.Sin(float64(s.t)*s.step/10))
}

func (s *simulation) time(p *simPod, n, cold float64) {
	factor := p.latency + p.slowness
	if s.spikes > 0 {
		if p.spikeLeft -= s.step; p.spikeLeft <= 0 && s.random.Float64() < s.spikes*s.step/60 {
			p.spikeLeft = 1
		}
		if p.spikeLeft > 0 {
			factor += math.Log(s.spike)
		}
	}
	if s.coldLatency > 0 {
		factor += math.Log(1 + cold*(s.coldLatency-1))
	}
	if p.neighbourLeft > 0 {
		factor += math.Log(s.neighbour)
	}
	if s.together && p.burstLeft > 0 {
		factor += math.Log(s.spike)
	}
	paused := 0.0
	if s.pauses > 0 && s.random.Float64() < s.pauses*s.step/60 {
		paused = s.draw(n, math.Min(1, 2/(60*s.step)))
	}
	main := factor
	if p.candidate && s.latency > 0 {
		main += math.Log(s.latency)
	}
	slow := s.draw(n-paused, s.slowPart(p))
	for endpoint, one := range []struct{ requests, mean float64 }{{n - paused - slow, main}, {slow, factor + math.Log(slowEndpoint)}} {
		left, before := one.requests, 1.0 // those over the limit before
		for i, limit := range slowLimits {
			over := beyond(math.Log(limit), one.mean)
			left = s.draw(left, math.Min(1, over/math.Max(before, 1e-12)))
			before = over
			counts := canary.Tally{Bad: left, Requests: one.requests}
			if endpoint == 0 {
				counts = canary.Tally{Bad: left + paused, Requests: one.requests + paused}
			}
			p.slow[i][endpoint] = append(p.slow[i][endpoint], counts)
		}
	}
}

// draw is binomial: by inversion, or rounded from the normal distribution where
// there are many of both.
func (s *simulation) draw(n, p float64) float64 {
	if p > 0.5 {
		return n - s.draw(n, 1-p)
	}
	if n <= 0 || p <= 0 {
		return 0
	}
	if mean := n * p; mean > 30 {
		return math.Min(n, math.Max(0, math.Round(mean+math.Sqrt(mean*(1-p))*s.random.NormFloat64())))
	}
	term, count, u := math.Exp(n*math.Log1p(-p)), 0.0, s.random.Float64()
	for u > term && count < n {
		u -= term
		term *= (n - count) / (count + 1) * p / (1 - p)
		count++
	}
	return count
}

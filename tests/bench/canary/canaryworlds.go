package canary

import (
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/canary"
)

// canaryWorld is what real traffic does to versions that do not differ.
type canaryWorld struct {
	name string
	// Errors: variance of the counts of a version's minute over their mean, size
	// of clusters, error counted twice with probability one half.
	dispersed float64
	cluster   int
	doubled   bool
	// Outages of two minutes: of everything, or of one of three zones, in which
	// the canary is.
	outage, zoneOutage bool
	// The logarithm of a pod's error rate is AR(1) per minute, or differs for good.
	drift, persistence, static float64
	// Share of errors that a pod has in its first coldMinutes.
	coldErrors, coldMinutes float64
	// A pod has minutes with so many errors, so often an hour.
	errorBurst, errorBursts float64
	// Latency: logarithm of a pod's factor is AR(1) with this deviation; minutes
	// in which it is longer, so often an hour; its factor in the first minutes;
	// the candidate's share of requests to an endpoint that is slow.
	latencyDrift, spike, spikes, coldLatency, slowShare float64
	// The rate of all errors follows a rhythm.
	rhythm float64
	// What is worse about the candidate: errors and latency of the main endpoint,
	// a share that fails besides, of incidents at the start too.
	errors, latency, failing float64
	simpson                  bool
	latencies                bool // requests are timed
}

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

// slowLimits hold the quantiles 0.5, 0.9 and 0.99 of the baseline.
var slowLimits = func() (limits []float64) {
	for _, q := range []float64{0.5, 0.9, 0.99} {
		limits = append(limits, math.Exp(float64(sort.Search(8000, func(i int) bool {
			at := float64(i)/1000 - 2
			return 1-(1-slowBaseline)*beyond(at, 0)-slowBaseline*beyond(at, math.Log(slowEndpoint)) >= q
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
	age                      int     // steps
	burstLeft, spikeLeft     float64
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
	// outage of the steps from..to
	outageFrom, outageTo int
}

func newSimulation(w canaryWorld, seed uint64, share, step float64) *simulation {
	s := &simulation{canaryWorld: w, random: rand.New(rand.NewPCG(seed, 77)), step: step}
	s.setPods(share)
	return s
}

func (s *simulation) setPods(share float64) {
	of := 0
	if share > 0 {
		of = max(1, int(math.Round(share*canaryPods)))
	}
	for i := range of {
		s.pods = append(s.pods, s.newPod(true, i, 0, share*canaryRate/float64(of)))
	}
	rest := max(canaryPods/2, canaryPods-of)
	for i := range rest {
		s.pods = append(s.pods, s.newPod(false, i, 1000, (1-share)*canaryRate/float64(rest)))
	}
	if s.outage || s.zoneOutage {
		s.outageFrom = int(float64(s.random.IntN(12)) / s.step)
		s.outageTo = s.outageFrom + int(2/s.step)
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
	// Errors that a version has in common in this step.
	scale := map[bool]float64{true: 1, false: 1}
	if s.dispersed > 1 {
		for _, candidate := range []bool{true, false} {
			var expected float64
			for _, p := range s.pods {
				if p.candidate == candidate {
					expected += p.requests * s.step * 60 * canaryErrors
				}
			}
			if expected > 0 {
				shape := expected / (s.dispersed - 1)
				scale[candidate] = distuv.Gamma{Alpha: shape, Beta: shape, Src: s.random}.Rand()
			}
		}
	}
	for _, p := range s.pods {
		s.ar(&p.errors, s.drift)
		s.ar(&p.latency, s.latencyDrift)
		n := math.Round(p.requests * all * (1 + 0.03*s.random.NormFloat64()))
		minutes := float64(p.age) * s.step
		cold := minutes < math.Max(s.coldMinutes, 1)
		rate := canaryErrors * scale[p.candidate] * math.Exp(p.errors+p.lasting) * (1 + s.rhythm*math.Sin(float64(s.t)*s.step/120))
		if s.simpson && s.t < 10 {
			rate *= 50
		}
		if p.candidate {
			rate *= math.Max(1, s.errors)
			rate += s.failing
		}
		if cold && s.coldErrors > 0 {
			rate += s.coldErrors
		}
		if out && (s.outage || p.zone == "0") {
			rate += map[bool]float64{true: 0.3, false: 1}[s.outage]
		}
		if s.errorBursts > 0 {
			if p.burstLeft -= s.step; p.burstLeft <= 0 && s.random.Float64() < s.errorBursts*s.step/60 {
				p.burstLeft = 1
			}
			if p.burstLeft > 0 {
				rate += s.errorBurst
			}
		}
		rate = math.Min(rate, 1)
		var bad float64
		switch {
		case s.cluster > 1:
			bad = float64(s.cluster) * s.draw(n, rate/float64(s.cluster))
		case s.doubled:
			bad = 2 * s.draw(n, rate/2)
		default:
			bad = s.draw(n, rate)
		}
		p.counts = append(p.counts, canary.Tally{Bad: math.Min(bad, n), Requests: n})
		if s.latencies {
			s.time(p, n, cold)
		}
		p.age++
	}
	s.t++
}

func (s *simulation) time(p *simPod, n float64, cold bool) {
	factor := p.latency
	if s.spikes > 0 {
		if p.spikeLeft -= s.step; p.spikeLeft <= 0 && s.random.Float64() < s.spikes*s.step/60 {
			p.spikeLeft = 1
		}
		if p.spikeLeft > 0 {
			factor += math.Log(s.spike)
		}
	}
	if cold && s.coldLatency > 0 {
		factor += math.Log(s.coldLatency)
	}
	part := slowBaseline
	if p.candidate && s.slowShare > 0 {
		part = s.slowShare
	}
	main := factor
	if p.candidate && s.latency > 0 {
		main += math.Log(s.latency)
	}
	slow := s.draw(n, part)
	for endpoint, one := range []struct{ requests, mean float64 }{{n - slow, main}, {slow, factor + math.Log(slowEndpoint)}} {
		left, before := one.requests, 1.0 // those over the limit before
		for i, limit := range slowLimits {
			over := beyond(math.Log(limit), one.mean)
			left = s.draw(left, math.Min(1, over/math.Max(before, 1e-12)))
			before = over
			p.slow[i][endpoint] = append(p.slow[i][endpoint], canary.Tally{Bad: left, Requests: one.requests})
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

// told is what metrics tell apart.
type told int

const (
	bare      told = iota // versions, and nothing of the past
	byVersion             // versions
	byPod                 // pods and endpoints
	byZone                // and zones
)

// groupsOf are the counts of a signal, 0 for errors, else of the limit before;
// cut into minutes back from the end.
func (s *simulation) groupsOf(signal int, by told, steps int) (groups []canary.Group) {
	minute := int(math.Round(1 / s.step))
	add := func(p *simPod, endpoint string, counts []canary.Tally) {
		g := canary.Group{Candidate: p.candidate}
		if by >= byPod {
			g.Pod, g.Endpoint = p.name, endpoint
		}
		if by >= byZone {
			g.Zone = p.zone
		}
		at := -1
		if by <= byVersion {
			for i := range groups {
				if groups[i].Candidate == p.candidate {
					at = i
				}
			}
		}
		if at < 0 {
			at = len(groups)
			g.Periods = make([]canary.Tally, (steps+minute-1)/minute)
			groups = append(groups, g)
		}
		if minute == 1 && by > byVersion {
			groups[at].Periods = counts[:steps]
			return
		}
		for i, t := range counts[:steps] {
			to := &groups[at].Periods[len(groups[at].Periods)-1-(steps-1-i)/minute]
			to.Bad, to.Requests = to.Bad+t.Bad, to.Requests+t.Requests
		}
	}
	for _, p := range s.pods {
		if signal == 0 {
			add(p, "", p.counts)
			continue
		}
		add(p, "main", p.slow[signal-1][0])
		add(p, "slow", p.slow[signal-1][1])
	}
	return groups
}

// past is what the baseline's minutes teach of each signal, all pods of one
// version, by what metrics tell apart.
func past(w canaryWorld, seed uint64) (noise [told(4)][]canary.Noise) {
	w.coldErrors, w.coldLatency, w.errors, w.latency, w.failing, w.simpson = 0, 0, 0, 0, 0, false
	s := newSimulation(w, seed^0x5555, 0, 1)
	if w.outage || w.zoneOutage { // in every second past
		s.outageFrom = s.random.IntN(2 * canaryPast)
		s.outageTo = s.outageFrom + 2
	}
	for range canaryPast {
		s.advance()
	}
	for by := range noise {
		for signal := range w.signals() {
			one := canary.Noise{}
			if told(by) > bare {
				one = canary.Learn(s.groupsOf(signal, told(by), canaryPast))
			}
			noise[by] = append(noise[by], one)
		}
	}
	return noise
}

func (w canaryWorld) signals() int {
	if w.latencies {
		return 1 + len(slowLimits)
	}
	return 1
}

// labels are what metrics may tell apart in a world.
func (w canaryWorld) labels() int {
	if w.zoneOutage {
		return int(byZone) + 1
	}
	return int(byPod) + 1
}

// denseLooks are at every step, later ones at every tenth.
const denseLooks = 120

// failedAt is the step at which the canary fails, 0 for never, after so many, by
// what metrics tell apart; shareAt gives its share of the requests, step by step.
func failedAt(w canaryWorld, seed uint64, noise [told(4)][]canary.Noise, step float64, steps int, shareAt func(t int) float64) (at [told(4)]int) {
	s := newSimulation(w, seed, shareAt(0), step)
	for t := 1; t <= steps; t++ {
		s.share(shareAt(t - 1))
		s.advance()
		if t > denseLooks && t%10 != 0 {
			continue
		}
		for by := range w.labels() {
			if at[by] == 0 && s.judge(told(by), noise[by], t) == canary.Fail {
				at[by] = t
			}
		}
	}
	return at
}

func (s *simulation) judge(by told, noise []canary.Noise, t int) canary.Verdict {
	trial := canary.Canary{Watched: time.Duration(float64(t) * s.step * float64(time.Minute)), Signals: make([]canary.Signal, 1+len(slowLimits))}
	for i := range s.signals() {
		signal := canary.Signal{Critical: true, Margin: 0.001, Groups: s.groupsOf(i, by, t), Noise: noise[i]}
		if i > 0 {
			signal.Margin = math.Max(0.001, slowAcceptable*[]float64{0.5, 0.1, 0.01}[i-1])
			signal.Starting = 0.5
		}
		trial.Signals[i] = signal
	}
	return trial.Judge().Verdict
}

package rollout

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/canary"
)

// stay is a step in periods.
type stay struct {
	weight  float64
	periods int
}

func length(stays []stay) (periods int) {
	for _, s := range stays {
		periods += s.periods
	}
	return periods
}

// outcome is that of one simulated rollout of a bad candidate.
type outcome struct {
	at     int     // the period at whose end it is found; 0 where it is not
	harmed float64 // requests by then, or by the end
	course []float64
}

const (
	// lookGrowth is by what part the time before a simulated verdict grows; where
	// the candidate is found, the verdicts in between are looked at as well.
	lookGrowth = 0.15
	// maxBaselinePods bounds the pods that are simulated of the baseline: more tell
	// next to nothing more of the candidate.
	maxBaselinePods = 5
	// defaultSpread is the deviation between pods that a verdict assumes.
	defaultSpread = 0.1
)

// trial is one simulated rollout.
type trial struct {
	service Service
	ratio   float64
	random  *rand.Rand
	groups  []canary.Group
	factors []float64 // of the groups' pods
	course  []float64 // requests harmed by the end of each period
}

// run simulates a rollout of a candidate whose requests go wrong ratio times as
// often, with a verdict every so many periods. Rollouts of one seed meet the same
// chances.
func (s Service) run(stays []stay, ratio float64, every int, seed uint64) outcome {
	t := newTrial(s, ratio, seed)
	end := length(stays) / every * every
	for before, look := 0, every; before < end; {
		t.serve(stays, look)
		if t.fails(look) {
			for low := before; look-low > every; { // found in (low, look]
				middle := low + (look-low)/every/2*every
				if t.fails(middle) {
					look = middle
				} else {
					low = middle
				}
			}
			return outcome{look, t.course[look-1], t.course[:look]}
		}
		before = look
		look = min(end, look+max(1, int(lookGrowth*float64(look))/every)*every)
	}
	t.serve(stays, length(stays))
	harmed := 0.0
	if n := len(t.course); n > 0 {
		harmed = t.course[n-1]
	}
	return outcome{0, harmed, t.course}
}

func newTrial(s Service, ratio float64, seed uint64) *trial {
	t := &trial{service: s, ratio: ratio, random: rand.New(rand.NewPCG(seed, 0x9E3779B97F4A7C15))}
	for range max(1, min(s.Pods, maxBaselinePods)) {
		t.add(false)
	}
	return t
}

// add adds a pod that begins to serve.
func (t *trial) add(candidate bool) {
	spread := t.service.Signal.Spread
	if !(spread > 0) {
		spread = defaultSpread
	}
	g := canary.Group{Candidate: candidate, Periods: make([]canary.Tally, len(t.course))}
	if t.service.Pods > 0 {
		g.Pod = string(rune('a'+len(t.groups)%26)) + string(rune('a'+len(t.groups)/26))
	}
	t.groups = append(t.groups, g)
	t.factors = append(t.factors, math.Exp(spread*t.random.NormFloat64()))
}

// serve goes on until so many periods are over.
func (t *trial) serve(stays []stay, until int) {
	begin := 0
	for _, s := range stays {
		for period := begin; period < begin+s.periods; period++ {
			if period < len(t.course) {
				continue
			}
			if len(t.course) >= until {
				return
			}
			t.scale(s.weight)
			t.period(s.weight, t.service.requests(period))
		}
		begin += s.periods
	}
}

// scale starts the pods of the candidate that a weight takes.
func (t *trial) scale(weight float64) {
	wanted, there := 1, 0
	if t.service.Pods > 0 {
		wanted = max(1, min(maxBaselinePods, int(math.Round(weight*float64(t.service.Pods)))))
	}
	for _, g := range t.groups {
		if g.Candidate {
			there++
		}
	}
	for ; there < wanted; there++ {
		t.add(true)
	}
}

func (t *trial) period(weight, requests float64) {
	var pods [2]float64
	for _, g := range t.groups {
		pods[side(g.Candidate)]++
	}
	harmed := 0.0
	if n := len(t.course); n > 0 {
		harmed = t.course[n-1]
	}
	for i := range t.groups {
		g := &t.groups[i]
		served, rate := requests*(1-weight)/pods[0], t.service.Bad
		if g.Candidate {
			served, rate = requests*weight/pods[1], math.Min(1, t.service.Bad*t.ratio)
		}
		bad := math.Min(served, t.draw(served*math.Min(1, rate*t.factors[i])))
		if g.Candidate {
			harmed += bad * (1 - t.service.Bad/rate)
		}
		g.Periods = append(g.Periods, canary.Tally{Bad: bad, Requests: served})
	}
	t.course = append(t.course, harmed)
}

func side(candidate bool) int {
	if candidate {
		return 1
	}
	return 0
}

// draw is a count with this mean whose variance is the dispersion times as large:
// negative binomial.
func (t *trial) draw(mean float64) float64 {
	dispersion := t.service.Signal.Noise.Dispersion()
	if !(mean > 0) {
		return 0
	}
	if dispersion > 1 {
		mean = distuv.Gamma{Alpha: mean / (dispersion - 1), Beta: 1 / (dispersion - 1), Src: t.random}.Rand()
	}
	if !(mean > 0) {
		return 0
	}
	return distuv.Poisson{Lambda: mean, Src: t.random}.Rand()
}

// fails asks the verdict after so many periods.
func (t *trial) fails(periods int) bool {
	signal := t.service.Signal
	signal.Critical = true
	signal.Groups = make([]canary.Group, len(t.groups))
	for i, g := range t.groups {
		g.Periods = g.Periods[:min(periods, len(g.Periods))]
		signal.Groups[i] = g
	}
	// The other signals have their part of the error, and no evidence.
	alpha := t.service.alpha() / float64(max(1, t.service.Signals))
	return canary.Canary{Signals: []canary.Signal{signal}, Alpha: alpha, Period: t.service.Period}.Judge().Verdict == canary.Fail
}

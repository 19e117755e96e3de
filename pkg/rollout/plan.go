package rollout

import (
	"math"
	"slices"
	"time"
)

const (
	// searched rollouts choose a schedule, others are simulated to state what it
	// promises.
	searched, stated = 600, 2000
	// caution is by how many standard errors of the search a stay is longer than it
	// must be.
	caution = 1.5
	// severalWorse is how many times worse than the promise a candidate is whose
	// harm is checked, too, beside one whose every request goes wrong.
	severalWorse = 3
	// maxPeriods bounds what one rollout simulates.
	maxPeriods = 400
)

// schedule is one way to roll out, with what it was found to do.
type schedule struct {
	stays []stay
	every int // periods between two verdicts
	found bool
	// inTime and harmed are those of the candidate that is hardest to keep within
	// the promise.
	inTime, harmed float64
}

// Make plans the fastest rollout that keeps a promise: it passes the lower weights
// as quickly as allowed, stays at the highest weight at which the candidate is
// found before it harms too many requests, and passes the rest. Periods are made
// longer where the rollout has too many of them. What it does not find possible it
// says how to relax.
func Make(s Service, p Promise) Plan {
	s = s.coarse(p.MaxDuration)
	if margin := s.Signal.Margin; (p.Ratio-1)*s.Bad <= margin {
		// A rise within the margin is acceptable, and never fails.
		return Plan{Interval: s.Period, Relax: []Relaxation{
			{Margin, margin, (p.Ratio - 1) * s.Bad / 2}, {Ratio, p.Ratio, 1 + 2*margin/s.Bad}}}
	}
	best, tried := s.fastest(p, searched)
	if best == nil {
		return Plan{Interval: s.Period, Relax: s.relax(p, tried)}
	}
	return s.state(p, *best)
}

// MakeEven plans for an engine that stays equally long at every weight and looks
// only when it changes the weight, as Flagger does.
func MakeEven(s Service, p Promise) Plan {
	s = s.coarse(p.MaxDuration)
	weights, pause := p.weights(), s.periods(p.MinPause)
	most := s.periods(p.MaxDuration) / len(weights)
	for ; pause <= most; pause = max(pause+1, pause*5/4) {
		one := schedule{every: pause}
		for _, w := range weights {
			one.stays = append(one.stays, stay{w, pause})
		}
		unknown := schedule{every: pause, stays: one.stays[:known(weights, p.MaxWeight)]}
		if s.try(p, &unknown, searched); unknown.inTime >= p.Probability {
			plan := s.state(p, one)
			plan.Interval = time.Duration(pause) * s.Period
			return plan
		}
	}
	return Plan{Interval: s.Period}
}

// known is the number of weights at which the candidate may be unknown.
func known(weights []float64, most float64) int {
	n := 1
	for n < len(weights) && weights[n] <= most {
		n++
	}
	return n
}

// coarse makes periods so long that a rollout has at most maxPeriods of them.
func (s Service) coarse(longest time.Duration) Service {
	factor := int(math.Ceil(float64(s.periods(longest)) / maxPeriods))
	if factor <= 1 {
		return s
	}
	s.Period *= time.Duration(factor)
	var joined []float64
	for chunk := range slices.Chunk(s.Requests, factor) {
		total := 0.0
		for _, n := range chunk {
			total += n
		}
		joined = append(joined, total*float64(factor)/float64(len(chunk)))
	}
	s.Requests = joined
	return s
}

// fastest is the fastest schedule that keeps the promise, nil for none; tried are
// those that do not.
func (s Service) fastest(p Promise, runs int) (best *schedule, tried []schedule) {
	weights, pass := p.weights(), s.periods(p.MinPause)
	for at := known(weights, p.MaxWeight) - 1; at >= 0; at-- {
		longest := s.periods(p.MaxDuration) - (len(weights)-1)*pass
		if longest < pass {
			return nil, tried
		}
		one := schedule{every: 1}
		for _, w := range weights[:at] {
			one.stays = append(one.stays, stay{w, pass})
		}
		one.stays = append(one.stays, stay{weights[at], longest})
		if s.dwell(p, &one, pass, runs); one.found {
			if s.try(p, &one, runs); one.inTime >= p.Probability {
				for _, w := range weights[at+1:] {
					one.stays = append(one.stays, stay{w, pass})
				}
				return &one, nil
			}
		}
		tried = append(tried, one)
	}
	return nil, tried
}

// dwell shortens the last stay to what it takes to find the bad candidate with the
// promised probability, and caution standard errors more.
func (s Service) dwell(p Promise, one *schedule, shortest, runs int) {
	before := length(one.stays[:len(one.stays)-1])
	wanted := math.Min(1, p.Probability+caution*math.Sqrt(p.Probability*(1-p.Probability)/float64(runs)))
	mayMiss := runs - int(math.Ceil(wanted*float64(runs)))
	var times []int
	for seed := range runs {
		if o := s.run(one.stays, p.Ratio, one.every, uint64(seed)); o.at > 0 {
			times = append(times, o.at)
		} else if seed+1-len(times) > mayMiss {
			one.inTime = float64(len(times)) / float64(seed+1)
			return
		}
	}
	slices.Sort(times)
	needed := times[int(math.Ceil(wanted*float64(runs)))-1]
	one.stays[len(one.stays)-1].periods = max(shortest, needed-before)
	one.found = true
}

// try measures how often a schedule finds candidates of the promised badness and
// worse before they harm too many requests.
func (s Service) try(p Promise, one *schedule, runs int) {
	one.inTime, one.harmed = 1, 0
	for i, ratio := range s.ratios(p) {
		if i > 0 {
			runs = max(100, runs/4) // what is worse varies less
		}
		var harmed []float64
		inTime := 0
		for seed := range runs {
			o := s.run(one.stays, ratio, one.every, uint64(seed))
			if o.at == 0 {
				o.harmed = math.Inf(1)
			}
			if harmed = append(harmed, o.harmed); o.at > 0 && p.allows(o.harmed) {
				inTime++
			}
		}
		slices.Sort(harmed)
		one.harmed = math.Max(one.harmed, harmed[min(runs-1, int(math.Ceil(p.Probability*float64(runs)))-1)])
		one.inTime = math.Min(one.inTime, float64(inTime)/float64(runs))
	}
}

func (p Promise) allows(harmed float64) bool { return !(p.MaxHarmed > 0) || harmed <= p.MaxHarmed }

// ratios are the promised one, a worse one, and that of all requests going wrong.
func (s Service) ratios(p Promise) []float64 {
	all := 1 / s.Bad
	ratios := []float64{math.Min(p.Ratio, all)}
	for _, worse := range []float64{severalWorse * p.Ratio, all} {
		if worse > ratios[len(ratios)-1] && worse <= all {
			ratios = append(ratios, worse)
		}
	}
	return ratios
}

// freshSeeds keeps the rollouts that state a promise apart from those that chose
// the schedule.
const freshSeeds = 1 << 32

// state is the plan of a schedule, with what it promises.
func (s Service) state(p Promise, one schedule) Plan {
	plan := Plan{Interval: time.Duration(one.every) * s.Period}
	ends := make([]int, len(one.stays))
	begin := 0
	for i, stay := range one.stays {
		step := Step{Weight: stay.weight, Pause: time.Duration(stay.periods) * s.Period}
		for period := begin; period < begin+stay.periods; period++ {
			step.Requests += stay.weight * s.requests(period)
		}
		begin += stay.periods
		ends[i] = begin
		plan.Steps = append(plan.Steps, step)
	}
	plan.InTime = 1
	for at, ratio := range s.ratios(p) {
		var inTime float64
		var harmed []float64
		for seed := range uint64(stated) {
			o := s.run(one.stays, ratio, one.every, freshSeeds+seed)
			if o.at > 0 && p.allows(o.harmed) {
				inTime++
			}
			harmed = append(harmed, o.harmed)
			if at > 0 {
				continue
			}
			for i, end := range ends {
				if o.at > 0 && o.at <= end {
					plan.Steps[i].Power++
				}
				plan.Steps[i].Harmed += o.course[min(end, len(o.course))-1]
			}
		}
		slices.Sort(harmed)
		plan.HarmedAtMost = math.Max(plan.HarmedAtMost, harmed[min(stated-1, int(math.Ceil(p.Probability*stated))-1)])
		plan.InTime = math.Min(plan.InTime, inTime/stated)
	}
	for i := range plan.Steps {
		plan.Steps[i].Power, plan.Steps[i].Harmed = plan.Steps[i].Power/stated, plan.Steps[i].Harmed/stated
	}
	plan.Found = plan.Steps[len(plan.Steps)-1].Power
	return plan
}

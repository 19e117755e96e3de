package propagation

import (
	"math"
	"slices"
)

// graph is the services with what is normal of each, and who calls whom.
type graph struct {
	question Question
	services []Service
	normals  []normal
	index    map[string]int
	callees  [][]callee
	steps    int
}

type callee struct {
	service int
	fresh   bool // not called before
}

func newGraph(services []Service, calls []Call, q Question) *graph {
	g := &graph{question: q, index: map[string]int{}}
	for _, s := range services {
		if _, twice := g.index[s.Name]; twice {
			continue
		}
		g.index[s.Name] = len(g.services)
		g.services = append(g.services, s)
		g.normals = append(g.normals, normalOf(s, q))
		g.steps = max(g.steps, len(s.Latency), len(s.Failed))
	}
	g.callees = make([][]callee, len(g.services))
	seen := make(map[[2]int]bool, len(calls))
	for _, c := range calls {
		from, knownFrom := g.index[c.Caller]
		to, knownTo := g.index[c.Callee]
		if !knownFrom || !knownTo || from == to || seen[[2]int{from, to}] {
			continue
		}
		seen[[2]int{from, to}] = true
		requests := c.Requests
		if requests == nil {
			requests = g.services[to].Requests
		}
		g.callees[from] = append(g.callees[from], callee{to, begins(requests, q)})
	}
	return g
}

// begins tells whether requests are made that were not made before. A caller
// that makes new calls is itself the change, whatever became of the calls.
func begins(requests []float64, q Question) bool {
	made := false
	for i, n := range requests {
		if n > 0 {
			if i < q.From {
				return false
			}
			made = true
		}
	}
	return made
}

func (g *graph) measured(service int) bool {
	return !math.IsNaN(g.normals[service].level) && slices.ContainsFunc(between(g.values(service), g.question.From, g.steps), finite)
}

// noise is a deviation, in standard deviations, that may well be chance.
const noise = 2

// excess is what a service lost in a step beyond its level: seconds of all its
// requests, or failed requests.
func (g *graph) excess(service, step int) float64 {
	s, n := g.services[service], g.normals[service]
	value, requests := at(g.values(service), step), at(s.Requests, step)
	if !finite(value) || !(requests > 0) || math.IsNaN(n.level) {
		return 0
	}
	return max(0, requests*(value-n.level))
}

// loss is the excess without what may be chance.
func (g *graph) loss(service, step int) float64 {
	deviation := g.normals[service].deviation(g.services[service], g.question.Signal, step)
	if deviation <= noise {
		return 0
	}
	return g.excess(service, step) * (1 - (noise/deviation)*(noise/deviation))
}

// losses are what all services lost in a step; nil where the one in question lost
// nothing. That one is said to be abnormal: any loss of it counts.
func (g *graph) losses(target, step int) []float64 {
	own := g.excess(target, step)
	if own <= 0 {
		return nil
	}
	losses := make([]float64, len(g.services))
	for i := range losses {
		losses[i] = g.loss(i, step)
	}
	losses[target] = own
	return losses
}

// values are the signal in question of a service.
func (g *graph) values(service int) []float64 {
	if g.question.Signal == Failures {
		return g.services[service].Failed
	}
	return g.services[service].Latency
}

// flow is a part of the anomaly that a service passed on to one that it calls.
type flow struct {
	from, to int
	part     float64
}

const (
	// maxRounds bounds how often parts are passed on; more are only needed around
	// cycles of calls.
	maxRounds = 64
	// minPart is a part too small to follow.
	minPart = 1e-3
)

// spread passes the anomaly of a service on along the calls: kept is what stayed
// with each.
func (g *graph) spread(target, step int, losses []float64) (kept []float64, flows []flow) {
	reached := make([]float64, len(g.services)) // by a callee: what its callers lost, together
	for from, callees := range g.callees {
		for _, c := range callees {
			reached[c.service] += losses[from]
		}
	}
	kept = make([]float64, len(g.services))
	moving := map[int]float64{target: 1}
	for round := 0; len(moving) > 0; round++ {
		next := map[int]float64{}
		for _, at := range sortedKeys(moving) {
			part := moving[at]
			if round >= maxRounds || part < minPart {
				kept[at] += part
				continue
			}
			stays, passes := g.split(at, step, losses, reached)
			kept[at] += part * stays
			for _, p := range passes {
				next[p.to] += part * p.part
				flows = append(flows, flow{at, p.to, part * p.part})
			}
		}
		moving = next
	}
	return kept, flows
}

// split is which part of a service's loss its callees account for, each, and
// which stays. A callee's loss reached its callers as they lost something
// themselves.
func (g *graph) split(service, step int, losses, reached []float64) (stays float64, passes []flow) {
	loss := losses[service]
	if loss <= 0 {
		return 1, nil
	}
	accounted := 0.0
	for _, c := range g.callees[service] {
		if c.fresh || losses[c.service] <= 0 {
			continue
		}
		part := min(loss, losses[c.service]*loss/reached[c.service])
		passes = append(passes, flow{service, c.service, part})
		accounted += part
	}
	if accounted == 0 {
		return 1, nil
	}
	stays = max(0, loss-accounted) * g.beyondChance(service, step, loss-accounted, passes)
	whole := stays + accounted
	for i := range passes {
		passes[i].part /= whole
	}
	return stays / whole, passes
}

// beyondChance is which part of what stays with a caller is more than the figures of
// it and of its callees vary by: requests of a step are not the very same on both
// sides.
func (g *graph) beyondChance(service, step int, rest float64, passes []flow) float64 {
	variance := g.variance(service, step)
	for _, p := range passes {
		variance += min(p.part*p.part, g.variance(p.to, step))
	}
	if rest <= 0 || rest*rest <= variance {
		return 0
	}
	return 1 - variance/(rest*rest)
}

// variance is that of what a service lost in a step: of failed requests their
// number, as Poisson has it; of seconds by the spread of the latency.
func (g *graph) variance(service, step int) float64 {
	requests := at(g.services[service].Requests, step)
	if g.question.Signal == Failures {
		return max(0, requests*at(g.services[service].Failed, step))
	}
	spread := requests * g.normals[service].spread
	return spread * spread
}

func sortedKeys(m map[int]float64) []int {
	keys := make([]int, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// certainty is how sure it is that a service is abnormal in a step, 0–1.
func (g *graph) certainty(service, step int) float64 {
	return min(1, g.normals[service].deviation(g.services[service], g.question.Signal, step)/minDeviation)
}

// deviation is that of the most abnormal step, or of all steps together where
// that is larger.
func (g *graph) deviation(service int, steps []int) float64 {
	s, n := g.services[service], g.normals[service]
	strongest, sum := 0.0, 0.0
	for _, step := range steps {
		d := n.deviation(s, g.question.Signal, step)
		strongest, sum = max(strongest, d), sum+d
	}
	return max(strongest, sum/math.Sqrt(float64(max(1, len(steps)))))
}

// material tells whether a service changed by enough to be worth a word.
func (g *graph) material(service int, steps []int) bool {
	before := g.normals[service].level
	now, _ := g.mean(service, steps)
	if g.question.Signal == Failures {
		return now-before >= minFailures
	}
	return now-before >= minChange*before
}

// mean is a service's signal over some steps, each request counted alike, and its
// requests in a step.
func (g *graph) mean(service int, steps []int) (mean, requests float64) {
	sum, weight := 0.0, 0.0
	for _, step := range steps {
		count, value := at(g.services[service].Requests, step), at(g.values(service), step)
		if count > 0 && finite(value) {
			sum, weight = sum+count*value, weight+count
		}
		requests += max(0, count) / float64(len(steps))
	}
	return sum / weight, requests
}

// suspect describes a service in the abnormal steps.
func (g *graph) suspect(service int, steps []int) Suspect {
	s, n := g.services[service], g.normals[service]
	r := Suspect{Service: s.Name, Before: n.level, Deviation: g.deviation(service, steps), Onset: -1, Requests: math.NaN()}
	now, requests := g.mean(service, steps)
	r.Now = now
	for _, step := range steps {
		if r.Onset < 0 && n.deviation(s, g.question.Signal, step) >= minDeviation {
			r.Onset = step
		}
	}
	if n.requests > 0 {
		r.Requests = requests / n.requests
	}
	for _, c := range g.callees[service] {
		if c.fresh {
			r.NewCalls = append(r.NewCalls, g.services[c.service].Name)
		}
	}
	return r
}

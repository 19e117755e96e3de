package canary

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Noise is how much counts of bad requests vary while nothing changes, as the
// baseline's own past shows. The zero value says that nothing is known; the
// periods of the canary itself then teach what they can.
type Noise struct {
	past       bool    // learned before the canary
	periods    float64 // that it rests on, those without a bad request not counted
	usual      float64 // share of bad requests
	dispersion float64 // variance of the count of a period over its mean
	learned    float64 // the same without what is assumed before much is known
	// spread is the variance of the logarithm of the rate that does not average
	// out within minutes: of a pod where byPod, of the whole baseline elsewhere.
	spread   float64
	byPod    bool
	requests float64 // of the baseline, a period
	// bursts are short rises far beyond the dispersion; exposure is how many
	// periods, of how many pods, were watched for them.
	bursts, burstPeriods, exposure float64
	// worst is the largest burst: a share of a pod's requests where byPod, a
	// number of requests elsewhere.
	worst float64
}

const (
	// minLearned is how many periods with bad requests teach as much as the
	// assumptions below, which hold where nothing was learned.
	minLearned        = 10
	assumedDispersion = 2
	// assumedSpread is of pods that are not told apart, of which a version with
	// all the traffic has fewPods: metrics cannot show that they do not differ.
	assumedSpread = 0.25 * 0.25
	fewPods       = 10
	// burstDeviations makes a period a burst.
	burstDeviations = 6
	// fewFreedoms makes the spread of few pods larger by as much as it may be
	// underestimated.
	fewFreedoms = 4
	// enoughBad is how many bad requests a block holds at least, on average,
	// from which a lasting spread is read.
	enoughBad = 10
)

// Learn reads noise off the counts of one version in which nothing changed, as
// long a past as there is. Groups of one pod are added up.
func Learn(history []Group) Noise {
	total, pods := byPods(history, false)
	noise := learn(total, pods)
	noise.past = noise.periods >= minLearned
	return noise
}

func learn(total []Tally, pods [][]Tally) Noise {
	noise := Noise{usual: usualRate(total), requests: mean(total, func(t Tally) float64 { return t.Requests }), byPod: len(pods) > 1}
	dispersion, pairs := pairedDispersion(total, 1)
	noise.periods = math.Min(pairs, sum(total, func(t Tally) float64 { return t.Bad }))
	units := [][]Tally{total}
	if noise.byPod {
		units = pods
		between, _, _ := dispersionBetween(pods, 1)
		dispersion = math.Max(dispersion, between)
	}
	noise.dispersion = math.Max(1, dispersion)
	if noise.spread = lastingSpread(total, pods, noise.byPod); noise.byPod {
		noise.spread *= 1 + fewFreedoms/float64(len(pods)-1)
	}
	for _, unit := range units {
		noise.learnBursts(unit, total)
	}
	return noise
}

// with adds what the baseline's present periods teach of the dispersion; where
// there is no past, all is learned from them.
func (n Noise) with(total []Tally, pods [][]Tally) Noise {
	if !n.past {
		n = learn(withoutIncidents(total, pods))
	} else if now, pairs := pairedDispersion(total, 1); pairs > 0 {
		weight := math.Min(pairs, sum(total, func(t Tally) float64 { return t.Bad }))
		n.dispersion = (n.dispersion*n.periods + math.Max(1, now)*weight) / (n.periods + weight)
		n.periods += weight
	}
	n.learned = n.dispersion
	n.dispersion = (n.dispersion*n.periods + assumedDispersion*minLearned) / (n.periods + minLearned)
	return n
}

// withoutIncidents leaves out the periods in which a version went wrong far more
// often than usual.
func withoutIncidents(total []Tally, pods [][]Tally) (calm []Tally, calmPods [][]Tally) {
	usual := medianRate(total)
	keep := func(t Tally) bool {
		expected := usual * t.Requests
		return t.Bad-expected <= incidentDeviations*math.Sqrt(assumedDispersion*math.Max(expected, 1))
	}
	for i, t := range total {
		if keep(t) {
			calm = append(calm, t)
			continue
		}
		calm = append(calm, Tally{})
		for _, pod := range pods {
			if i < len(pod) {
				pod[i] = Tally{}
			}
		}
	}
	return calm, pods
}

// byPods adds up the groups of one side: all of them, and those of each pod,
// none where pods are not told apart.
func byPods(groups []Group, candidate bool) (total []Tally, pods [][]Tally) {
	byName := map[string]int{}
	named := true
	for _, g := range groups {
		if g.Candidate != candidate {
			continue
		}
		total = addTo(total, g.Periods)
		if named = named && g.Pod != ""; !named {
			continue
		}
		at, known := byName[g.Pod]
		if !known {
			at = len(pods)
			byName[g.Pod] = at
			pods = append(pods, nil)
		}
		pods[at] = addTo(pods[at], g.Periods)
	}
	if !named {
		pods = nil
	}
	return total, pods
}

func addTo(sums, more []Tally) []Tally {
	for len(sums) < len(more) {
		sums = append(sums, Tally{})
	}
	for i, t := range more {
		if t.usable() {
			sums[i] = sums[i].plus(t)
		}
	}
	return sums
}

// usualRate leaves out the twentieth of the periods in which most went wrong.
func usualRate(periods []Tally) float64 {
	served := slices.DeleteFunc(slices.Clone(periods), func(t Tally) bool { return t.Requests <= 0 })
	slices.SortFunc(served, func(a, b Tally) int { return compare(a.Rate(), b.Rate()) })
	var all Tally
	for _, t := range served[:len(served)-len(served)/20] {
		all = all.plus(t)
	}
	return all.Rate()
}

// pairedDispersion is the variance of counts over their mean, from the
// differences of neighbouring blocks of so many periods (the variance of Allan),
// so that neither a trend nor the rhythm of a day counts; with how many
// differences it rests on. The largest fiftieth is left out: incidents are not
// noise.
func pairedDispersion(periods []Tally, length int) (dispersion, pairs float64) {
	found := differences(periods, length)
	slices.SortFunc(found, func(a, b difference) int { return compare(a.square, b.square) })
	if len(found) >= 20 {
		found = found[:len(found)-max(2, len(found)/50)]
	}
	var squares, variances float64
	for _, d := range found {
		squares, variances = squares+d.square, variances+d.variance
	}
	if variances <= 0 {
		return 1, 0
	}
	return squares / variances, float64(len(found))
}

// typicalDispersion is that of the median difference, which bursts do not touch.
func typicalDispersion(periods []Tally) float64 {
	var ratios []float64
	for _, d := range differences(periods, 1) {
		if d.variance > 0 {
			ratios = append(ratios, d.square/d.variance)
		}
	}
	if len(ratios) == 0 {
		return 1
	}
	const median = 0.455 // of the square of a standard normal number
	return math.Max(1, stats.MedianOf(ratios)/median)
}

// difference is one of neighbouring blocks, with its variance if bad requests
// are independent.
type difference struct{ square, variance float64 }

func differences(periods []Tally, length int) (found []difference) {
	var before Tally
	for i := 0; i+length <= len(periods); i += length {
		block := Tally{}
		for _, t := range periods[i : i+length] {
			block = block.plus(t)
		}
		if block.Requests > 0 && before.Requests > 0 {
			part := block.Requests / (block.Requests + before.Requests)
			both := block.Bad + before.Bad
			apart := block.Bad - part*both
			found = append(found, difference{apart * apart, both * part * (1 - part)})
		}
		before = block
	}
	return found
}

// dispersionBetween is the same between pods that served in the same blocks:
// what happens to all of them at once does not count. bad is how many bad
// requests a pod has in a block on average.
func dispersionBetween(pods [][]Tally, length int) (dispersion, bad, freedoms float64) {
	type spread struct{ squares, freedoms, counts float64 }
	var found []spread
	block := make([]Tally, len(pods))
	for start := 0; start+length <= len(pods[0]); start += length {
		var all Tally
		served := 0.0
		for i, pod := range pods {
			block[i] = Tally{}
			for _, t := range pod[min(start, len(pod)):min(start+length, len(pod))] {
				block[i] = block[i].plus(t)
			}
			if all = all.plus(block[i]); block[i].Requests > 0 {
				served++
			}
		}
		if served < 2 || all.Bad <= 0 {
			continue
		}
		one := spread{freedoms: served - 1, counts: all.Bad / served * (served - 1)}
		for _, b := range block {
			if expected := all.Rate() * b.Requests; expected > 0 {
				one.squares += (b.Bad - expected) * (b.Bad - expected) * served / all.Bad
			}
		}
		found = append(found, one)
	}
	if len(found) >= 10 { // an incident of some pods is no noise
		slices.SortFunc(found, func(a, b spread) int { return compare(a.squares, b.squares) })
		found = found[:len(found)-max(1, len(found)/50)]
	}
	var all spread
	for _, s := range found {
		all = spread{all.squares + s.squares, all.freedoms + s.freedoms, all.counts + s.counts}
	}
	if all.freedoms == 0 {
		return 1, 0, 0
	}
	return all.squares / all.freedoms, all.counts / all.freedoms, all.freedoms
}

// lastingSpread compares the dispersion of long blocks with that of periods:
// noise that averages out has the same in both. What is within one standard
// error of that does not count.
func lastingSpread(total []Tally, pods [][]Tally, byPod bool) (spread float64) {
	at := func(length int) (dispersion, bad, freedoms float64) {
		if byPod {
			return dispersionBetween(pods, length)
		}
		dispersion, pairs := pairedDispersion(total, length)
		return dispersion, float64(length) * mean(total, func(t Tally) float64 { return t.Bad }), pairs
	}
	short, shortBad, _ := at(1)
	short = math.Max(short, 1)
	for length := 4; length <= len(total)/4; length *= 2 {
		long, bad, freedoms := at(length)
		if bad >= enoughBad || length*2 > len(total)/4 {
			usual := short * (1 + math.Sqrt(2/math.Max(freedoms, 1)))
			if more := bad - shortBad; more > 0 {
				spread = math.Max(spread, (long-usual)/more)
			}
		}
	}
	return spread
}

// learnBursts counts the bursts of one unit beside all.
func (n *Noise) learnBursts(unit, total []Tally) {
	running := false
	usual := math.Min(n.dispersion, typicalDispersion(unit))
	for i, t := range unit {
		if t.Requests <= 0 {
			continue
		}
		n.exposure++
		rate := n.usual
		if n.byPod {
			rate = math.Max(rate, total[i].Rate())
		}
		expected := rate * t.Requests
		excess := t.Bad - expected
		burst := excess > burstDeviations*math.Sqrt(usual*math.Max(expected, 1))
		if burst {
			n.burstPeriods++
			if !running {
				n.bursts++
			}
			if n.byPod {
				excess /= t.Requests
			}
			n.worst = math.Max(n.worst, excess)
		}
		running = burst
	}
}

// excused is how many of the candidate's strongest periods prove nothing:
// bursts may have befallen it as they do the baseline, and more of them with a
// probability of at most excusedError.
func (n Noise) excused(podPeriods, requests, periods float64) int {
	if n.exposure <= 0 {
		return int(periods)
	}
	exposed := podPeriods
	if !n.byPod {
		exposed = periods * math.Max(requests/math.Max(n.requests, 1), 1.0/fewPods)
	}
	expected := (n.bursts + 1) * exposed / n.exposure
	bursts, tail := 0, -math.Expm1(-expected)
	for term := math.Exp(-expected); tail > excusedError && bursts < int(periods); {
		bursts++
		term *= expected / float64(bursts)
		tail -= term
	}
	each := 2.0 // a burst of a period lies in two
	if n.bursts > 0 {
		each = math.Max(each, math.Ceil(n.burstPeriods/n.bursts))
	}
	return bursts * int(each)
}

const excusedError = 0.003

// lasting is the variance of the logarithm of the ratio of two versions' rates
// that their pods alone make: of so many pods, or of so many requests a period.
func (n Noise) lasting(candidatePods, baselinePods, candidateRequests, baselineRequests float64) float64 {
	if n.byPod && candidatePods > 0 && baselinePods > 0 {
		return n.spread * (1/candidatePods + 1/baselinePods)
	}
	podsOf := func(requests float64) float64 {
		return math.Max(1, fewPods*requests/(candidateRequests+baselineRequests))
	}
	assumed := assumedSpread * (1/podsOf(candidateRequests) + 1/podsOf(baselineRequests))
	if n.byPod {
		return math.Max(n.spread, assumed)
	}
	// Pods that differ by themselves average out over a version in proportion to
	// its traffic.
	scale := n.requests/math.Max(candidateRequests, 1) + n.requests/math.Max(baselineRequests, 1)
	return math.Max(n.spread*scale, assumed)
}

func sum(periods []Tally, of func(Tally) float64) (total float64) {
	for _, t := range periods {
		total += of(t)
	}
	return total
}

func mean(periods []Tally, of func(Tally) float64) float64 {
	return sum(periods, of) / math.Max(1, float64(len(periods)))
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// lowerRate is the lower 95 % limit of a rate (Wilson) whose counts vary so many
// times as much as independent ones.
func lowerRate(t Tally, dispersion float64) float64 {
	return stats.Wilson(stats.Proportion{Successes: int(t.Bad / dispersion), Trials: int(t.Requests / dispersion)}, 0.9).Lower
}

package canary

import (
	"math"
	"slices"
	"time"
)

// warmUp is for how long after a pod began to serve more requests may go wrong
// than later: caches are cold, connections are opened, code is not compiled.
const warmUp = 2 * time.Minute

// firstServed are the periods in which the pods of the groups began to serve; the
// versions, where pods cannot be distinguished.
func firstServed(groups []Group) []int {
	type key struct {
		candidate bool
		pod       string
	}
	first := map[key]int{}
	since := make([]int, len(groups))
	for range 2 { // the first of all groups of a pod, then for each of them
		for i, g := range groups {
			at := 0
			for at < len(g.Periods) && !(g.Periods[at].Requests > 0) {
				at++
			}
			u := key{g.Candidate, g.Pod}
			if before, known := first[u]; !known || at < before {
				first[u] = at
			}
			since[i] = first[u]
		}
	}
	return since
}

// stillStarts is how many times as often as later a starting pod may fail where a
// past is known: starts differ in how much fails, and in how it clusters.
const stillStarts = 2

const (
	// newPods is how many times as large the candidate's share of the requests gets
	// where pods begin to serve that are not told apart, and growthDeviations by how
	// many standard deviations of independent requests at least.
	newPods, growthDeviations = 1.3, 4
	// shareOver periods tell the share before.
	shareOver = 3
)

// growths are, for every period, when the candidate's share of the requests last
// rose as it does where pods are added: these start. It is far in the past where it
// never did.
func growths(groups []Group) []int {
	candidate, _ := byPods(groups, true)
	baseline, _ := byPods(groups, false)
	last := make([]int, max(len(candidate), len(baseline)))
	at := math.MinInt32
	for t := range last {
		var before, both Tally // requests of the candidate among all
		for i := max(0, t-shareOver); i <= t && i < min(len(candidate), len(baseline)); i++ {
			one := Tally{candidate[i].Requests, candidate[i].Requests + baseline[i].Requests}
			if i < t {
				before = before.plus(one)
			} else {
				both = one
			}
		}
		expected := newPods * before.Rate() * both.Requests
		if t-at > shareOver && before.Bad > 0 && both.Bad > expected+growthDeviations*math.Sqrt(expected) {
			at = t
		}
		last[t] = at
	}
	return last
}

const (
	// maxStart is how many periods a pod may take to start, and settled from when
	// on it is taken to run as it will.
	maxStart = 15
	settled  = 20
	// startFactor is how much worse than the past ones a start may be.
	startFactor = 1.5
	// startDeviations is by how much a start differs from later that is learned.
	startDeviations = 3
)

// LearnStart reads off a past rollout how many more of a pod's requests, 0–1, may
// go wrong in each period after it began to serve than later. The groups are of
// one version, from before its pods began to serve to half an hour after; known is
// false where no pod is seen to begin. The excess never rises with age
// (pool-adjacent-violators).
func LearnStart(groups []Group) (excess []float64, known bool) {
	var young [maxStart]Tally
	var later Tally
	var after []Tally // of all that have settled
	since := firstServed(groups)
	for i, g := range groups {
		for t := since[i]; since[i] > 0 && t < len(g.Periods); t++ {
			switch age := t - since[i]; {
			case !g.Periods[t].usable():
			case age < maxStart:
				young[age] = young[age].plus(g.Periods[t])
			case age >= settled:
				later = later.plus(g.Periods[t])
				for len(after) <= t {
					after = append(after, Tally{})
				}
				after[t] = after[t].plus(g.Periods[t])
			}
		}
	}
	dispersion, _ := pairedDispersion(after, 1)
	dispersion = math.Max(dispersion, assumedDispersion)
	if later.Requests <= 0 {
		return nil, false
	}
	type block struct {
		Tally
		periods int
	}
	var blocks []block
	for _, t := range young {
		blocks = append(blocks, block{t, 1})
		for n := len(blocks); n > 1 && blocks[n-1].Rate() >= blocks[n-2].Rate(); n = len(blocks) {
			blocks[n-2] = block{blocks[n-2].plus(blocks[n-1].Tally), blocks[n-2].periods + blocks[n-1].periods}
			blocks = blocks[:n-1]
		}
	}
	for _, b := range blocks {
		usual := math.Sqrt(dispersion * math.Max(later.Rate()*b.Requests, 1))
		if b.Bad-later.Rate()*b.Requests < startDeviations*usual {
			break
		}
		more := startFactor * (b.Rate() - later.Rate())
		for range b.periods {
			excess = append(excess, more)
		}
	}
	return excess, true
}

// SlowStart is what a version's start may add to a share of slow requests where
// no past one is known: for ten minutes ever less, caches being filled, and much
// less than twice the latency does.
func SlowStart(share float64, period time.Duration) (excess []float64) {
	const (
		lasts   = 10 * time.Minute
		logOdds = 1.5 // at first: latencies one and a half times as long
	)
	odds := share / (1 - share)
	for age := time.Duration(0); age < lasts; age += period {
		more := odds * math.Exp(logOdds*float64(lasts-age)/float64(lasts))
		excess = append(excess, more/(1+more)-share)
	}
	return excess
}

// unknownStart is what a start may add to errors where nothing of the past is
// known: for ten minutes ever less.
func unknownStart(share float64, period time.Duration) (excess []float64) {
	const lasts = 10 * time.Minute
	for age := time.Duration(0); age < lasts; age += period {
		excess = append(excess, share/2*float64(lasts-age)/float64(lasts))
	}
	return excess
}

// fading continues a start by halves, down to a tenth of the usual rate: how it ends
// is lost in the noise of a single rollout.
func fading(start []float64, usual float64) []float64 {
	if len(start) == 0 || !(usual > 0) {
		return start
	}
	start = slices.Clone(start)
	for last := start[len(start)-1] / 2; last > usual/10 && len(start) < settled; last /= 2 {
		start = append(start, last)
	}
	return start
}

// startRatio is how many times as often as at this rate a candidate of an age may
// go wrong.
func (s Signal) startRatio(age int, rate float64) float64 {
	if age >= len(s.Start) || !(rate > 0) {
		return 1
	}
	return math.Min(1, rate+math.Min(s.Start[age], s.startingShare())) / rate
}

// SlowSpread is the deviation of the logarithm of a share of slow requests that
// pods have whose latencies differ by a few percent: the rarer, the more.
func SlowSpread(share float64) float64 {
	const least, perLog = 0.085, 1.0 / 27
	return math.Max(least, -perLog*math.Log(share))
}

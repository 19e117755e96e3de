package canary

import "math"

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
	fewBad   bool // that the spread rests on
	byPod    bool
	requests float64 // of the baseline, a period
	watched  float64 // periods with requests
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
	// burstDeviations makes a period a burst.
	burstDeviations = 6
)

// Learn reads noise off the counts of one version in which nothing changed, as
// long a past as there is. Groups of one pod are added up.
func Learn(history []Group) Noise {
	total, pods := byPods(history, false)
	noise := learn(total, talliesOf(pods))
	noise.past = noise.periods >= minLearned
	return noise
}

// Dispersion is how many times as much the counts of a period vary as independent
// ones: what the past shows together with what is assumed before much is known.
func (n Noise) Dispersion() float64 {
	if !n.past {
		return assumedDispersion
	}
	return (n.dispersion*n.periods + assumedDispersion*minLearned) / (n.periods + minLearned)
}

func learn(total []Tally, pods [][]Tally) Noise {
	noise := Noise{usual: usualRate(total), requests: mean(total, func(t Tally) float64 { return t.Requests }), byPod: len(pods) > 1, watched: float64(countServed(total))}
	dispersion, pairs := pairedDispersion(total, 1)
	noise.periods = math.Min(pairs, sum(total, func(t Tally) float64 { return t.Bad }))
	units := [][]Tally{total}
	if noise.byPod {
		units = pods
		between, _, _ := dispersionBetween(pods, 1)
		dispersion = math.Max(dispersion, between)
	}
	noise.dispersion = math.Max(1, dispersion)
	if noise.byPod {
		noise.spread = spreadOfPods(pods)
	} else {
		noise.spread, noise.fewBad = spreadOfVersion(total)
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

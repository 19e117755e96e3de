package canary

import "math"

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

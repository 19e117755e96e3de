package canary

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/canary"
)

// disturbances are further ways in which harmless versions look different.
type disturbances struct {
	// size is how many pods the service has; 0 for canaryPods.
	podCount float64
	// baseErrors is the usual share of errors; 0 for canaryErrors.
	baseErrors float64
	// A scrape of a pod fails with this probability a step, and the next one has
	// what both counted.
	gaps float64
	// A pod begins anew so often an hour: what it counted since the last scrape is
	// lost in half, and it is cold.
	restarts float64
	// The canary grows by new pods after 15 and 30 minutes, from a third of its
	// share on; the baseline by as many new ones, where grows is set.
	steps, grows bool
	// A dependency is released after five minutes: all errors are so many times as
	// frequent from then on.
	release float64
	// The part of slow requests follows a rhythm of an hour.
	mixRhythm float64
	// The logarithm of a pod's latency differs for good by this deviation.
	staticLatency float64
	// One pod of the canary has a noisy neighbour for twenty minutes, from this
	// minute on.
	besideCanary float64
	// burstMinutes is how long a burst of errors lasts; 0 for a minute.
	burstMinutes float64
	// Errors of a start come in clusters of so many.
	coldCluster float64
}

func (s *simulation) size() float64 {
	if s.podCount > 0 {
		return s.podCount
	}
	return canaryPods
}

func (s *simulation) usualErrors() float64 {
	if s.baseErrors > 0 {
		return s.baseErrors
	}
	return canaryErrors
}

// released is how many times as frequent errors are since a dependency's release.
func (s *simulation) released() float64 {
	if s.release > 0 && float64(s.t)*s.step >= 5 {
		return s.release
	}
	return 1
}

// stepMinutes is how long a step of a rollout lasts.
const stepMinutes = 15

// stepShare is the canary's share of the traffic at a step of a rollout that ends
// at this one.
func (s *simulation) stepShare(share float64) float64 {
	if !s.steps {
		return share
	}
	return share * float64(1+min(2, int(float64(s.t)*s.step)/stepMinutes)) / 3
}

// disturb adds new pods and begins others anew.
func (s *simulation) disturb() {
	at := float64(s.t) * s.step
	if due := at > 0 && at <= 2*stepMinutes && math.Mod(at, stepMinutes) == 0; due && (s.steps || s.grows) {
		for _, p := range s.pods {
			if p.candidate && s.steps || !p.candidate && s.grows {
				s.join(p)
			}
		}
	}
	for _, p := range s.pods {
		if s.restarts > 0 && s.random.Float64() < s.restarts*s.step/60 {
			p.age = 0
		}
	}
}

// join adds a pod beside another, which shares its requests with it.
func (s *simulation) join(beside *simPod) {
	p := s.newPod(beside.candidate, len(s.pods), 0, beside.requests/2)
	beside.requests /= 2
	p.counts = make([]canary.Tally, s.t)
	for i := range p.slow {
		for endpoint := range p.slow[i] {
			p.slow[i][endpoint] = make([]canary.Tally, s.t)
		}
	}
	s.pods = append(s.pods, p)
}

// scraped is what a period's scrape says of a pod.
func (s *simulation) scraped(p *simPod, t canary.Tally) canary.Tally {
	if s.restarts > 0 && p.age == 0 {
		t = canary.Tally{Bad: math.Round(t.Bad / 2), Requests: math.Round(t.Requests / 2)}
	}
	t, p.unscraped = canary.Tally{Bad: t.Bad + p.unscraped.Bad, Requests: t.Requests + p.unscraped.Requests}, canary.Tally{}
	if s.gaps > 0 && s.random.Float64() < s.gaps {
		t, p.unscraped = canary.Tally{}, t
	}
	return t
}

package canary

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A version that is worse is worse on every pod and all the time. What only one
// pod shows, or a few pods for a while, is what a node, a neighbour or a client
// does to a pod; it holds the candidate and fails nothing.

const (
	// fewOfCandidate is up to how many pods share a disturbance by chance.
	fewOfCandidate = 3
	// lastsFor is the time in which a candidate with few pods must be worse all
	// along; neighbours leave and clients give up within it.
	lastsFor = 40 * time.Minute
	// clearlyApart is from which logarithm of the likelihoods' ratio on a stretch of
	// that time differs from the rest, whichever it is.
	clearlyApart = 4
	// leastPart of what is expected in that time is in the stretch, and in the rest:
	// shorter ones are bursts, which evidence leaves out.
	leastPart = 0.25
	// tooDispersed is where single periods vary so much that stretches cannot be
	// told apart from chance.
	tooDispersed = 4
	// mostRaised is how many times as dispersed a candidate is taken to be that is
	// so many times worse, or more.
	mostRaised = 3
)

// evenPods is how many pods with equal traffic tell as much as these; 0 where
// pods are not told apart.
func evenPods(pods []unit) float64 {
	var all, squares float64
	for _, pod := range pods {
		served := sum(pod.periods, func(t Tally) float64 { return t.Requests })
		all, squares = all+served, squares+served*served
	}
	if squares <= 0 {
		return 0
	}
	return all * all / squares
}

// withoutWorst tells whether the candidate is worse without its worst pod as
// well; true where it has one pod, or pods are not told apart.
func (c Canary) withoutWorst(signal Signal, groups []Group, w watched, threshold float64, of func(watched) effect) bool {
	if len(w.candidatePods) < 2 {
		return true
	}
	worst, most := "", math.Inf(-1)
	rate := w.total.candidate.Rate()
	for _, pod := range w.candidatePods {
		if excess := sum(pod.periods, func(t Tally) float64 { return t.Bad - rate*t.Requests }); excess > most {
			worst, most = pod.name, excess
		}
	}
	rest := c.watch(signal, slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return g.Candidate && g.Pod == worst }))
	found := of(rest)
	return found.minExcess() >= signal.Margin && found.beyondPods(rest.lasting, rest.noise.dispersion) >= threshold
}

// throughout tells whether a candidate with few pods, or without a known past, was
// worse during all of its last minutes: no stretch of them explains the difference
// alone (a scan for one interval with another rate, by likelihood ratio: Kulldorff
// 1997).
func (w watched) throughout(found effect, period time.Duration) bool {
	pods := w.pods
	if pods == 0 {
		pods = fewPods * w.total.candidate.Requests / (w.total.candidate.Requests + w.total.baseline.Requests)
	}
	if pods > fewOfCandidate && (w.noise.byPod || w.noise.past) {
		return true
	}
	// seen are the candidate's bad requests and those expected, up to each period.
	seen := []Tally{{}}
	var served []Tally
	for _, s := range calm(w.kept) {
		var t, candidate Tally
		for _, c := range s.cells {
			if w.steadyPart.has(c) {
				candidate = candidate.plus(c.candidate)
				t = t.plus(Tally{c.candidate.Bad, s.ratio * c.ratio * c.baseline.Rate() * c.candidate.Requests})
			}
		}
		seen, served = append(seen, seen[len(seen)-1].plus(t)), append(served, candidate)
	}
	seen = seen[max(0, len(seen)-1-int(lastsFor/period)):]
	// What varies in proportion to a rate varies the more, the higher that is.
	dispersion := 1 + (w.noise.dispersion-1)*math.Max(1, math.Min(mostRaised, math.Exp(found.logRatio)))
	dispersion = math.Max(dispersion, typicalDispersion(served))
	if dispersion > tooDispersed {
		return true
	}
	first, last := seen[0], seen[len(seen)-1]
	all := likelihood(last.minus(first))
	for from := range seen {
		for to := from + 1; to < len(seen); to++ {
			inside := seen[to].minus(seen[from])
			rest := last.minus(first).minus(inside)
			if math.Min(inside.Requests, rest.Requests) < leastPart*(inside.Requests+rest.Requests) {
				continue
			}
			// The rest is less than half as much worse, in logarithms.
			halfAsMuch := rest.Requests * math.Sqrt(inside.Bad/inside.Requests)
			if rest.Bad < halfAsMuch && likelihood(inside)+likelihood(rest)-all > clearlyApart*dispersion {
				return false
			}
		}
	}
	return true
}

// likelihood is the largest logarithm of a Poisson likelihood of so many bad
// requests among so many expected, up to what all splits have in common.
func likelihood(t Tally) float64 {
	if t.Bad <= 0 || t.Requests <= 0 {
		return 0
	}
	return t.Bad * math.Log(t.Bad/t.Requests)
}

// heldByPods says what it takes to tell a version from its pods.
func (w watched) heldByPods(e effect) string {
	if !w.noise.byPod || w.pods == 0 {
		return "pods of one version may differ by as much, and the metrics do not distinguish pods: it takes a label such as pod, more requests, or more traffic to the candidate"
	}
	return fmt.Sprintf("pods of one version differ by as much, and %.0f of the candidate cannot be told from its pods: it takes about %.0f pods", math.Round(w.pods), w.neededPods(e))
}

func (w watched) heldByOne(e effect) string {
	return fmt.Sprintf("one pod of the candidate is worse, and the others do not show it: it takes another pod that does, or about %.0f pods", w.neededPods(e))
}

func (w watched) heldByTime(e effect) string {
	if w.pods == 0 {
		return fmt.Sprintf("it is worse for a part of its time, as a few pods of one version may be: it takes %.0f minutes in which it stays so, or a label such as pod", lastsFor.Minutes())
	}
	return fmt.Sprintf("it is worse for a part of its time, as pods of one version may be: it takes %.0f minutes in which it stays so, or about %.0f pods", lastsFor.Minutes(), math.Max(fewOfCandidate+1, w.neededPods(e)))
}

// neededPods is about how many pods of the candidate would show such a difference.
func (w watched) neededPods(e effect) float64 {
	needed := math.Ceil(w.noise.spread * 3.5 / e.logRatio * (3.5 / e.logRatio))
	return math.Max(needed, math.Round(w.pods)+1)
}

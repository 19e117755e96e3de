package canary

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Group is a part of one version's requests: those of a pod, a zone, an
// endpoint, as far as metrics tell. Candidates are compared with the baseline
// within a zone and an endpoint; that of another mix of requests is no worse.
type Group struct {
	Candidate           bool
	Pod, Zone, Endpoint string // empty where not known
	Periods             []Tally
}

// cell is what both versions served of the same kind of requests in the same
// period.
type cell struct {
	baseline, candidate Tally
	// starting says that the candidate's part began to serve a moment ago.
	starting bool
}

// slice is one period.
type slice struct {
	cells []cell
	// base is the baseline's part in all of the cells, ratio how many times as
	// often the candidate may go wrong in it and be no worse.
	base  Tally
	ratio float64
	// tolerated is the share of bad requests that even a version which starts
	// does not exceed.
	tolerated float64
}

// incident says that the baseline has one, of which the candidate may see more.
func (s slice) incident() bool { return s.ratio > 1 }

// calm leaves incidents of the baseline out, unless there is nothing else.
func calm(kept []slice) []slice {
	if calm := slices.DeleteFunc(slices.Clone(kept), slice.incident); len(calm) > 0 {
		return calm
	}
	return kept
}

// warmUp is for how long after a pod began to serve more requests may go wrong
// than later: caches are cold, connections are opened, code is not compiled.
const warmUp = 2 * time.Minute

// groups are those of a signal, made of its periods where there are none.
func (s Signal) groups() []Group {
	if len(s.Groups) > 0 {
		return s.Groups
	}
	baseline, candidate := Group{}, Group{Candidate: true}
	for _, p := range s.Periods {
		baseline.Periods = append(baseline.Periods, p.Baseline)
		candidate.Periods = append(candidate.Periods, p.Candidate)
	}
	return []Group{baseline, candidate}
}

// cells keeps the periods, and in them the kinds of requests, in which both
// versions served: only they can tell the versions apart from the time of day.
// Pods of the baseline that start do not count.
func cells(groups []Group, starting int) (kept []slice) {
	type kind struct {
		zone, endpoint string
		starting       bool
	}
	length := 0
	for _, g := range groups {
		length = max(length, len(g.Periods))
	}
	since := firstServed(groups)
	index := map[kind]int{}
	for t := range length {
		clear(index)
		var all []cell
		at := func(k kind) *cell {
			i, known := index[k]
			if !known {
				i = len(all)
				index[k], all = i, append(all, cell{starting: k.starting})
			}
			return &all[i]
		}
		// The baseline stands beside both the parts that start and those that run.
		var served Tally
		for i, g := range groups {
			if t >= len(g.Periods) || !g.Periods[t].usable() {
				continue
			}
			young := t < since[i]+starting
			k := kind{g.Zone, g.Endpoint, young}
			switch {
			case g.Candidate:
				c := at(k)
				c.candidate = c.candidate.plus(g.Periods[t])
			case !young || since[i] == 0:
				k.starting = false
				c := at(k)
				c.baseline = c.baseline.plus(g.Periods[t])
				served = served.plus(g.Periods[t])
			}
		}
		for k, i := range index {
			if !k.starting {
				continue
			}
			if old, known := index[kind{k.zone, k.endpoint, false}]; known {
				all[i].baseline = all[old].baseline
			}
		}
		one := slice{base: served, ratio: 1}
		for _, c := range all {
			if c.baseline.Requests > 0 && c.candidate.Requests > 0 {
				one.cells = append(one.cells, c)
			}
		}
		if len(one.cells) > 0 {
			kept = append(kept, one)
		}
	}
	return kept
}

// firstServed are the periods in which the pods of the groups began to serve; the
// versions, where pods are not told apart.
func firstServed(groups []Group) []int {
	type unit struct {
		candidate bool
		pod       string
	}
	first := map[unit]int{}
	since := make([]int, len(groups))
	for range 2 { // the first of all groups of a pod, then for each of them
		for i, g := range groups {
			at := 0
			for at < len(g.Periods) && !(g.Periods[at].Requests > 0) {
				at++
			}
			u := unit{g.Candidate, g.Pod}
			if before, known := first[u]; !known || at < before {
				first[u] = at
			}
			since[i] = first[u]
		}
	}
	return since
}

const (
	// zones is in how many parts a service is taken to run where the metrics do
	// not tell them apart: while one of them is out, a candidate in it fares so
	// many times worse than the whole of the baseline.
	zones = 4
	// enoughToTell is how many periods tell what is usual now.
	enoughToTell = 7
	// incidentDeviations is how far the baseline is off its usual rate then.
	incidentDeviations = 5
)

// bear sets for each slice what the candidate may do in it without being worse.
// While the baseline itself has an incident, of which the candidate may see more
// since it runs where that is, only what no part of the baseline can suffer
// counts.
func bear(kept []slice, zoned bool, noise Noise, signal Signal) {
	usual := noise.usual
	if len(kept) >= enoughToTell {
		var base []Tally
		for _, s := range kept {
			base = append(base, s.base)
		}
		usual = math.Max(usual, medianRate(base))
	} else if !noise.past {
		usual = 0
	}
	for i := range kept {
		s := &kept[i]
		rate, requests := s.base.Rate(), s.base.Requests
		var served float64
		for _, c := range s.cells {
			served += c.candidate.Requests
		}
		expected := usual * requests
		worst := noise.worst
		if !noise.byPod {
			worst /= served
		}
		highest := math.Max(usual, rate)
		if s.base.Bad > expected+incidentDeviations*math.Sqrt(noise.dispersion*math.Max(expected, 1)) && !zoned {
			highest = math.Min(1, usual+zones*(rate-usual))
			s.ratio = highest / rate
		}
		s.tolerated = math.Min(1, math.Max(highest+signal.startingShare(), usual+worst))
	}
}

func medianRate(periods []Tally) float64 {
	var rates []float64
	for _, t := range periods {
		rates = append(rates, t.Rate())
	}
	return stats.Median(rates)
}

// maxCount is beyond what whole numbers are exact.
const maxCount = 1 << 53

// usable says that a count can be one.
func (t Tally) usable() bool {
	return t.Requests > 0 && t.Bad >= 0 && t.Bad <= t.Requests && t.Requests < maxCount
}

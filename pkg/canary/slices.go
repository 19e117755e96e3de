package canary

import (
	"math"
	"slices"

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
	// age is how many periods ago the candidate's part began to serve, beyond all
	// that matter where it is not young; starting says that it is a moment, or that
	// starts usually still fail much more then.
	age      int
	starting bool
	// ratio is how many times as often the candidate may go wrong at that age.
	ratio float64
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
// versions served: only they can distinguish the versions from the time of day.
// Those of the candidate's pods that are young are apart by age; those of the
// baseline do not count.
func cells(groups []Group, starting, young int) (kept []slice) {
	young = max(young, starting)
	length := 0
	kinds, count := kindsOf(groups)
	for _, g := range groups {
		length = max(length, len(g.Periods))
	}
	since, grew := firstServed(groups), growths(groups)
	old := make([]cell, count)
	type part struct {
		kind int
		cell
	}
	var parts []part // those that are young
	var all []cell
	for t := range length {
		clear(old)
		parts = parts[:0]
		// The baseline stands beside both the parts that start and those that run.
		var served Tally
		for i, g := range groups {
			if t >= len(g.Periods) || !g.Periods[t].usable() {
				continue
			}
			age, kind := t-since[i], kinds[i]
			if g.Candidate && g.Pod == "" {
				age = min(age, t-grew[t])
			}
			switch {
			case g.Candidate && age < young:
				at := slices.IndexFunc(parts, func(p part) bool { return p.kind == kind && p.age == age })
				if at < 0 {
					at = len(parts)
					parts = append(parts, part{kind, cell{age: age, starting: age < starting, ratio: 1}})
				}
				parts[at].candidate = parts[at].candidate.plus(g.Periods[t])
			case g.Candidate:
				old[kind].candidate = old[kind].candidate.plus(g.Periods[t])
			case age >= starting || since[i] == 0:
				old[kind].baseline = old[kind].baseline.plus(g.Periods[t])
				served = served.plus(g.Periods[t])
			}
		}
		from := len(all)
		keep := func(c cell) {
			if c.baseline.Requests > 0 && c.candidate.Requests > 0 {
				all = append(all, c)
			}
		}
		for _, c := range old {
			c.age, c.ratio = young, 1
			keep(c)
		}
		for _, p := range parts {
			p.baseline = old[p.kind].baseline
			keep(p.cell)
		}
		if len(all) > from {
			kept = append(kept, slice{cells: all[from:len(all):len(all)], base: served, ratio: 1})
		}
	}
	return kept
}

// kindsOf numbers the kinds of requests: those of one zone and one endpoint.
func kindsOf(groups []Group) (kinds []int, count int) {
	type kind struct{ zone, endpoint string }
	numbers := map[kind]int{}
	for _, g := range groups {
		k := kind{g.Zone, g.Endpoint}
		number, known := numbers[k]
		if !known {
			number = len(numbers)
			numbers[k] = number
		}
		kinds = append(kinds, number)
	}
	return kinds, len(numbers)
}

const (
	// zones is in how many parts a service is taken to run where the metrics do
	// not distinguish them: while one of them is out, a candidate in it fares so
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
		for at := range s.cells {
			c := &s.cells[at]
			c.ratio = signal.startRatio(c.age, math.Max(c.baseline.Rate(), usual))
			c.starting = c.starting || noise.past && c.ratio > stillStarts
		}
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

package canary

import (
	"math"
	"slices"
)

// unit is one pod.
type unit struct {
	name    string
	periods []Tally
}

// byPods adds up the groups of one side: all of them, and those of each pod,
// none where pods cannot be distinguished.
func byPods(groups []Group, candidate bool) (total []Tally, pods []unit) {
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
			pods = append(pods, unit{name: g.Pod})
		}
		pods[at].periods = addTo(pods[at].periods, g.Periods)
	}
	if !named {
		pods = nil
	}
	return total, pods
}

func talliesOf(pods []unit) (all [][]Tally) {
	for _, pod := range pods {
		all = append(all, pod.periods)
	}
	return all
}

func addTo(sums, more []Tally) []Tally {
	if longer := len(more) - len(sums); longer > 0 {
		sums = append(sums, make([]Tally, longer)...)
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

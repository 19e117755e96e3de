package slo

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Episode is a time in which far more requests than usual were bad, from step
// Start up to, without, End.
type Episode struct{ Start, End int }

func (e Episode) points() int { return e.End - e.Start }

const (
	// elevated is by how many times the usual share of bad requests is exceeded in an
	// episode, and significant the probability below which so many bad requests are
	// no chance, if they were independent.
	elevated    = 2
	significant = 1e-4
	// parted is the quiet that parts two episodes.
	parted = 30 * time.Minute
	// blocks is how many parts of the past the usual share is the median of.
	blocks = 24
)

// Usual is the share of requests that are bad outside of episodes, and the
// episodes. The share is first the median of those of parts of the past, which
// short episodes do not move, and then that of all that is no episode.
func (o Objective) Usual(c Counts) (usual float64, episodes []Episode) {
	size := max(c.Len()/blocks, 1)
	var shares []float64
	for from := 0; from < c.Len(); from += size {
		if total, bad := c.sum(from, from+size); total > 0 {
			shares = append(shares, bad/total)
		}
	}
	if len(shares) == 0 {
		return math.NaN(), nil
	}
	slices.Sort(shares)
	usual = shares[(len(shares)-1)/2]
	for range 2 {
		episodes = o.episodes(c, usual)
		total, bad := c.sum(0, c.Len())
		for _, e := range episodes {
			n, b := c.sum(e.Start, e.End)
			total, bad = total-n, bad-b
		}
		if total > 0 {
			usual = max(bad, 0) / total
		}
	}
	return usual, episodes
}

// episodes are the steps with significantly more bad requests than usual which
// burn budget faster than it lasts, joined over short quiet.
func (o Objective) episodes(c Counts, usual float64) (found []Episode) {
	quiet := c.points(parted)
	for i := range c.Len() {
		if !o.bad(c, i, usual) {
			continue
		}
		if n := len(found); n > 0 && i-found[n-1].End < quiet {
			found[n-1].End = i + 1
			continue
		}
		found = append(found, Episode{i, i + 1})
	}
	return found
}

func (o Objective) bad(c Counts, i int, usual float64) bool {
	ratio := c.ratio(i)
	if !(ratio > max(elevated*usual, o.Budget())) {
		return false
	}
	if c.Shares {
		return true
	}
	total, bad := c.at(i)
	// As many by chance, at the usual share or at half the budget: where nothing was
	// ever bad, a single bad request is no episode.
	expected := total * max(usual, o.Budget()/2)
	return bad >= 2 && distuv.Poisson{Lambda: expected}.Survival(math.Ceil(bad)-1) < significant
}

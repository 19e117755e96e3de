package history

import (
	"math"
	"math/rand/v2"
	"slices"
)

// gauging generates the series of one gauge at one instance.
type gauging struct {
	group     *gaugeGroup
	random    *rand.Rand
	mean      [][]float64 // by level and series
	deviation [][]float64
	lines     []*track

	// Where the total of all series never changes, as used and idle connections
	// add up to the pool, the largest is what the others leave. -1 for none.
	total     float64
	remainder int
}

func newGauging(g *gaugeGroup, seed uint64) *gauging {
	s := &gauging{group: g, random: randomFor(seed, g.series[0].key()), total: sum(g.values[0][0]), remainder: -1}
	for _, r := range g.series {
		s.lines = append(s.lines, newTrack(named(r.labels, r.name)))
	}
	fixed := len(g.series) > 1
	for _, samples := range g.values {
		var mean, deviation []float64
		for i := range g.series {
			column := make([]float64, len(samples))
			for j, sample := range samples {
				column[j] = sample[i]
				fixed = fixed && sum(sample) == s.total
			}
			m, d := meanAndDeviation(column)
			mean, deviation = append(mean, m), append(deviation, d)
		}
		s.mean, s.deviation = append(s.mean, mean), append(s.deviation, deviation)
	}
	if fixed {
		s.remainder = slices.Index(s.mean[0], slices.Max(s.mean[0]))
	}
	return s
}

func (s *gauging) tracks() []*track { return s.lines }

func (s *gauging) advance(m moment) error {
	left := s.total
	for i, line := range s.lines {
		if i != s.remainder {
			value := s.draw(m, i)
			left -= value
			line.append(m.millis, value)
		}
	}
	if s.remainder >= 0 {
		s.lines[s.remainder].append(m.millis, max(0, left))
	}
	return nil
}

func (s *gauging) draw(m moment, i int) float64 {
	mean := max(0, m.stress.between(func(level int) float64 { return s.mean[level][i] }))
	deviation := max(0, m.stress.between(func(level int) float64 { return s.deviation[level][i] }))
	switch {
	case deviation == 0:
		return mean
	case !s.group.series[i].integer:
		return max(0, mean+deviation*s.random.NormFloat64())
	case s.remainder >= 0:
		return min(s.total, poisson(s.random, mean))
	case deviation*deviation < mean/2: // steadier than a Poisson count
		return math.Round(max(0, mean+deviation*s.random.NormFloat64()))
	}
	return poisson(s.random, mean)
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

func meanAndDeviation(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(deviation)
}

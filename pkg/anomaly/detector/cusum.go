package detector

import "math"

const (
	cusumClip  = 3.0 // a single point counts at most this much
	cusumSlack = 0.5 // deviations per point that are ordinary
	cusumMost  = 200 // beyond it more says nothing new
	// calmAfter ends the evidence after so many ordinary points in a row.
	calmAfter = 10
)

// CUSUM accumulates mild deviations to one side (Page, Biometrika 41, 1954):
// what no single point shows, an hour of them does.
type CUSUM struct{}

// Name implements Detector.
func (CUSUM) Name() string { return "cusum" }

// unit is what makes a sum e times rarer in a series that never deviated: each
// large deviation more makes it ten times rarer.
func (CUSUM) unit() float64 { return (cusumClip - cusumSlack) / math.Ln10 }

// Learn implements Detector.
func (CUSUM) Learn(Input) Watcher { return &sums{} }

type sums struct {
	rising, falling accumulator
	residual        float64
}

func (s *sums) Observe(_, residual float64) {
	if s.residual = residual; !math.IsNaN(residual) {
		s.rising.add(residual)
		s.falling.add(-residual)
	}
}

// Score is the larger of the two one-sided sums, as long as the point itself
// leans to that side.
func (s *sums) Score() float64 {
	up, down := s.rising.sum, s.falling.sum
	switch {
	case math.IsNaN(s.residual):
		return s.residual
	case up >= down && s.residual > 0:
		return up
	case down > up && s.residual < 0:
		return -down
	}
	return 0
}

func (s *sums) restart() { s.rising, s.falling = accumulator{}, accumulator{} }

func (s *sums) Clone() Watcher {
	c := *s
	return &c
}

// accumulator is a one-sided cumulative sum.
type accumulator struct {
	sum  float64
	calm int
}

func (a *accumulator) add(deviation float64) {
	if deviation < cusumSlack {
		a.calm++
	} else {
		a.calm = 0
	}
	a.sum = min(max(a.sum+min(deviation, cusumClip)-cusumSlack, 0), cusumMost)
	if a.calm >= calmAfter {
		a.sum = 0
	}
}

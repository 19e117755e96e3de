// Package detector holds the methods that say how unusual a point is, one file
// each, behind one small interface, and what turns their measures into
// comparable probabilities.
package detector

import "time"

// Input is what detectors look at. All slices have one value per point of the
// grid, NaN where missing.
type Input struct {
	Value    []float64 // the observations
	Residual []float64 // what the expectation leaves over, in usual deviations
	Learn    int       // points before this one teach, from it on they are judged
	// From is the first point of which a score is used; before it lie at least
	// enough points to calibrate a costly detector with.
	From int
	Step time.Duration
}

// points is a duration in steps of the grid, at least least.
func (in Input) points(d time.Duration, least int) int { return max(int(d/in.Step), least) }

// Detector measures how unusual points are.
type Detector interface {
	Name() string
	// Score is the detector's own measure for each point: the further from zero
	// the more unusual, negative where the point lies low, NaN where nothing can
	// be said. The score of a point rests on the points up to it and on what was
	// learned from the first Learn points, nothing else.
	Score(in Input) []float64
}

// Sided tells whether a detector's scores say on which side a point lies. Those
// that look at shapes do not.
func Sided(d Detector) bool {
	_, sideless := d.(interface{ sideless() })
	return !sideless
}

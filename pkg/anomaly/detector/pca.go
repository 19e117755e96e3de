package detector

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	pcaWindow = 16    // points
	pcaMost   = 2_000 // windows to learn from
	// pcaExplains is the share of the variation that the kept components hold:
	// what is usual about the shape.
	pcaExplains = 0.9
	// pcaClip bounds single values while learning, so that past incidents do not
	// become components.
	pcaClip = 4
)

// PCA is how far the last points are from any combination of the shapes that
// usually occur: the part of the window that the principal components leave
// over (Jackson and Mudholkar, Technometrics 21, 1979; "Sub-PCA" in TSB-AD).
type PCA struct{}

// Name implements Detector.
func (PCA) Name() string { return "window-pca" }

func (PCA) sideless() {}

func (PCA) costly() {}

// Learn implements Detector.
func (PCA) Learn(past Input) Watcher {
	return &shapes{components: principal(carried(past.Residual)), window: newRecent(pcaWindow)}
}

type shapes struct {
	components [][]float64 // shared, never written to
	window     recent
}

func (s *shapes) Observe(_, residual float64) { s.window.add(residual) }

func (s *shapes) Clone() Watcher { return &shapes{s.components, s.window.clone()} }

// Score is the length of what the components leave of the window.
func (s *shapes) Score() float64 {
	if s.components == nil || !s.window.ready() {
		return math.NaN()
	}
	var window [pcaWindow]float64
	older, newer := s.window.parts()
	copy(window[copy(window[:], older):], newer)
	left := 0.0
	for _, v := range window {
		left += v * v
	}
	for _, component := range s.components {
		projection := 0.0
		for j, v := range window {
			projection += v * component[j]
		}
		left -= projection * projection
	}
	return bounded(math.Sqrt(max(left, 0)))
}

// principal are the orthonormal components that explain most; nil where there
// is too little to learn from.
func principal(x []float64) [][]float64 {
	count := len(x) - pcaWindow + 1
	if count < 3*pcaWindow {
		return nil
	}
	covariance := mat.NewSymDense(pcaWindow, nil)
	clipped := make([]float64, pcaWindow)
	for at := 0; at < count; at += 1 + count/pcaMost {
		for j := range clipped {
			clipped[j] = min(max(x[at+j], -pcaClip), pcaClip)
		}
		covariance.SymRankOne(covariance, 1, mat.NewVecDense(pcaWindow, clipped))
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	total := 0.0
	for _, v := range values {
		total += v
	}
	var components [][]float64
	explained := 0.0
	for k := pcaWindow - 1; k >= 0 && explained < pcaExplains*total; k-- {
		components = append(components, mat.Col(nil, k, &vectors))
		explained += values[k]
	}
	return components
}

// carried has the last value in the place of missing ones, zero before the
// first.
func carried(x []float64) []float64 {
	filled := make([]float64, len(x))
	last := 0.0
	for i, v := range x {
		if !math.IsNaN(v) {
			last = v
		}
		filled[i] = last
	}
	return filled
}

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

// Score implements Detector.
func (PCA) Score(in Input) []float64 {
	scores := missing(len(in.Residual))
	x := carried(in.Residual)
	components := principal(x[:in.Learn])
	if components == nil {
		return scores
	}
	in.costly(func(i int) {
		if i+1 < pcaWindow || math.IsNaN(in.Residual[i]) {
			return
		}
		window := x[i+1-pcaWindow : i+1]
		left := 0.0
		for _, v := range window {
			left += v * v
		}
		for _, component := range components {
			projection := 0.0
			for j, v := range window {
				projection += v * component[j]
			}
			left -= projection * projection
		}
		scores[i] = bounded(math.Sqrt(max(left, 0)))
	})
	return scores
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

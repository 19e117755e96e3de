package detector

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

const (
	pcaWindow = 16    // points
	pcaMost   = 2_000 // windows to learn from
	// pcaClip bounds single values while learning, so that past incidents do not
	// become components.
	pcaClip = 4
	// pcaFloor is the least variance of a component as a share of the largest.
	pcaFloor = 0.05
)

// PCA is how unusual the shape of the last points is: the window's parts along
// the principal components of usual windows, each in its usual deviations (Shyu
// et al., A Novel Anomaly Detection Scheme Based on Principal Component
// Classifier, ICDM workshop 2003; "Sub-PCA" in TSB-AD). What hardly ever varies
// weighs most.
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
		sum := 0.0
		for _, component := range components {
			projection := 0.0
			for j, v := range window {
				projection += v * component[j]
			}
			sum += projection * projection
		}
		scores[i] = bounded(math.Sqrt(sum))
	})
	return scores
}

// principal are the components, each divided by its usual deviation; nil where
// there is too little to learn from.
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
	least := pcaFloor * values[pcaWindow-1]
	if !(least > 0) {
		return nil // nothing ever varied
	}
	windows := float64((count-1)/(1+count/pcaMost) + 1)
	components := make([][]float64, pcaWindow)
	for k := range components {
		components[k] = mat.Col(nil, k, &vectors)
		floats.Scale(1/math.Sqrt(max(values[k], least)/windows), components[k])
	}
	return components
}

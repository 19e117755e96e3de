package detector

import (
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	spectralWindow = 64 // points
	spectralSmooth = 3  // frequencies, as in the paper
	// spectralAhead continues the window beyond the point in question, which
	// otherwise would lie at the edge.
	spectralAhead = 5
)

// Spectral finds what the eye finds: the saliency that is left when what is
// regular in the spectrum is taken away (spectral residual: Ren et al.,
// Time-Series Anomaly Detection Service at Microsoft, KDD 2019).
type Spectral struct{}

// Name implements Detector.
func (Spectral) Name() string { return "spectral-residual" }

func (Spectral) sideless() {}

func (Spectral) costly() {}

// Learn implements Detector.
func (Spectral) Learn(Input) Watcher { return &saliency{newRecent(spectralWindow)} }

type saliency struct{ window recent }

func (s *saliency) Observe(_, residual float64) { s.window.add(residual) }

func (s *saliency) Clone() Watcher { return &saliency{s.window.clone()} }

// Score is the saliency of the point relative to that of the window.
func (s *saliency) Score() float64 {
	if !s.window.ready() {
		return math.NaN()
	}
	older, newer := s.window.parts()
	past := slices.Concat(older, newer)
	const size = spectralWindow + spectralAhead
	window := make([]complex128, size)
	for j, v := range past {
		window[j] = complex(v, 0)
	}
	next := continued(past)
	for j := spectralWindow; j < size; j++ {
		window[j] = complex(next, 0)
	}
	fft := fourier.NewCmplxFFT(size)
	spectrum := fft.Coefficients(nil, window)
	var logs [size]float64
	for j, c := range spectrum {
		logs[j] = math.Log(cmplx.Abs(c) + 1e-8)
	}
	for j, c := range spectrum {
		smooth := 0.0
		for k := j - spectralSmooth/2; k <= j+spectralSmooth/2; k++ {
			smooth += logs[(k+size)%size] / spectralSmooth
		}
		spectrum[j] = cmplx.Rect(math.Exp(logs[j]-smooth), cmplx.Phase(c))
	}
	window = fft.Sequence(window, spectrum)
	mean := 0.0
	for _, c := range window[:spectralWindow] {
		mean += cmplx.Abs(c) / spectralWindow
	}
	if mean == 0 {
		return math.NaN()
	}
	return cmplx.Abs(window[spectralWindow-1]) / mean
}

// continued is the value after the window by the mean slope towards its last
// points (equation 7 of the paper).
func continued(past []float64) float64 {
	n := len(past)
	slope := 0.0
	for j := 1; j <= spectralAhead; j++ {
		slope += (past[n-1] - past[n-1-j]) / float64(j) / spectralAhead
	}
	return past[n-spectralAhead] + slope*spectralAhead
}

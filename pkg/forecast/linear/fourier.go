package linear

import "math"

// Wave is one frequency of a season: Harmonic cycles per Period.
type Wave struct{ Period, Harmonic int }

// Fourier are the sines and cosines of waves.
type Fourier []Wave

// At are the regressors at point t: a sine and a cosine per wave.
func (f Fourier) At(t int) []float64 {
	row := make([]float64, 0, 2*len(f))
	for _, w := range f {
		angle := 2 * math.Pi * float64(w.Harmonic) * float64(t%w.Period) / float64(w.Period)
		row = append(row, math.Sin(angle), math.Cos(angle))
	}
	return row
}

// Has says whether a wave of this frequency is among them already.
func (f Fourier) Has(period, harmonic int) bool {
	for _, w := range f {
		if w.Harmonic*period == harmonic*w.Period {
			return true
		}
	}
	return false
}

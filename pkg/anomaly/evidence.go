package anomaly

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	evidenceClip  = 3.0 // a single point counts at most this much
	evidenceSlack = 0.5 // spreads per point that are ordinary
	evidenceMost  = 200 // beyond it more says nothing new
	// calmAfter ends the evidence after so many ordinary points in a row.
	calmAfter = 10
)

// sustained accumulates mild deviations to one side, a one-sided CUSUM of
// standardised residuals (Page, Biometrika 41, 1954): what no single point
// shows, an hour of them does. Missing points leave it as it is.
func sustained(z []float64, side float64) []float64 {
	sums := make([]float64, len(z))
	sum, calm := 0.0, 0
	for i, v := range z {
		if math.IsNaN(v) {
			sums[i] = sum
			continue
		}
		deviation := side * v
		if deviation < evidenceSlack {
			calm++
		} else {
			calm = 0
		}
		sum = min(max(sum+min(deviation, evidenceClip)-evidenceSlack, 0), evidenceMost)
		if calm >= calmAfter {
			sum = 0
		}
		sums[i] = sum
	}
	return sums
}

// evidenceTail says how likely a sum of evidence is.
type evidenceTail struct {
	peaks stats.Tail
	// scale turns the probability that an excursion reaches a sum into that of
	// a point lying there.
	scale float64
}

// learnEvidence learns from the sums of the past. Each excursion from zero
// counts once, by its peak; one-off excursions do not count.
func learnEvidence(sums []float64) evidenceTail {
	var runs []run
	inside := false
	for i, sum := range sums {
		switch {
		case sum == 0:
			inside = false
		case !inside:
			inside = true
			runs = append(runs, run{first: i, last: i, size: 1, peak: sum})
		default:
			r := &runs[len(runs)-1]
			r.last, r.size, r.peak = i, r.size+1, max(r.peak, sum)
		}
	}
	if len(runs) == 0 {
		return evidenceTail{}
	}
	excluded := oneOff(runs)
	peaks := make([]float64, 0, len(runs))
	for _, r := range runs {
		if !slices.Contains(excluded, r) {
			peaks = append(peaks, r.peak)
		}
	}
	t := evidenceTail{peaks: stats.FitTail(peaks)}
	above := 1
	for i, sum := range sums {
		among := func(r run) bool { return i >= r.first && i <= r.last }
		if sum > t.peaks.Threshold && !slices.ContainsFunc(excluded, among) {
			above++
		}
	}
	t.scale = float64(above) / float64(len(sums)+1) / t.peaks.Survival(t.peaks.Threshold)
	return t
}

// probability of a sum at least as large.
func (t evidenceTail) probability(sum float64) float64 {
	if t.scale == 0 {
		return 1 // nothing to compare with
	}
	return min(t.scale*t.peaks.Survival(sum), 1)
}

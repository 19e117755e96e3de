package breach

import (
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// beyondChance is the probability from which on a trend is taken for one.
const beyondChance = 0.9

// steepest weighs the rises over all windows together, by the harmonic mean of
// their p-values, which holds whatever their dependence (Wilson, PNAS 116, 2019):
// a ramp shows in several windows, a spike in the shortest. The slope is that of
// the shortest window that shows a trend by itself, as it tells best how steep the
// series is now; or else that of the window whose rise is the least likely to be
// chance. A rise that has gone on as steeply for longer is believed for longer: where
// a series hardly varies, a ramp of hours shows in five minutes already.
func (v *view) steepest(i int) {
	best, inverse := 1.0, 0.0
	for _, t := range v.o.trends {
		p := 1.0
		slope, end := slopeOf(v.o.last(t.window, i))
		if slope > 0 && !v.fallen(slope, end) {
			p = t.usual.Probability(slope)
		}
		if p < best && v.o.trending(best*float64(len(v.o.trends)), v.window) < beyondChance {
			best, v.slope, v.spread, v.window, v.end = p, slope, t.spread, t.window, end
		}
		if v.slope > 0 && slope >= asSteep*v.slope && v.o.trending(p*float64(len(v.o.trends)), t.window) >= beyondChance {
			v.lasted = t.window
		}
		inverse += 1 / p
	}
	if best < 1 {
		v.trending = v.o.trending(float64(len(v.o.trends))/inverse, v.window)
	}
}

// asSteep is the part of a slope that a longer window must have to show the same rise.
const asSteep = 0.8

// trending is the probability that a rise over a window is a trend, by its
// p-value.
func (o projection) trending(p float64, window int) float64 {
	p = min(p, 1/math.E)
	against := -math.E * p * math.Log(p) // the least odds of chance
	// The shorter below a quarter of an hour, the less likely before looking.
	begins := creeping * min(1, float64(window)*float64(o.step)/float64(burst))
	return begins / (begins + (1-begins)*against)
}

// fallen says that the newest values lie so far below the line of a trend that
// it is over.
func (v *view) fallen(slope, end float64) bool {
	short := float64(v.o.windows.short)
	line := end - slope*(short-1)/2 - v.state.level
	return v.state.traits[0] < line-over*v.o.scale[0]
}

// over is how many usual deviations of a short mean below its line end a trend.
const over = 4

// burst is the stretch below which a rise is rather a burst than a trend.
const burst = 15 * time.Minute

// believed is for how many points a rise over a window is believed to go on.
func (o projection) believed(window int) int {
	if time.Duration(window)*o.step < burst {
		return window
	}
	return persistence * window
}

// follow weighs the futures in which the trend is real: its line goes on, with
// the usual deviations around it. Slopes are the quantiles of what is possible
// around the middle of the window, mixed so that no quantile belongs to one part
// of the past.
func (v *view) follow(analogs []start) {
	weight := v.trending / float64(len(analogs))
	response := &v.o.response
	believed := float64(v.o.believed(max(v.window, v.lasted)))
	need := v.need(v.end)
	const stride = 37 // coprime to the number of analogs
	for k, s := range analogs {
		quantile := (float64(k*stride%len(analogs)) + 0.5) / float64(len(analogs))
		slope := v.slope + v.spread*distuv.UnitNormal.Quantile(quantile)
		end := (slope - v.slope) * float64(v.window) / 2
		path := v.o.past[s.at+1:][:v.o.horizon]
		for h, value := range path {
			deviation := float64(value) - s.state.level
			for j, offset := range s.state.offsets {
				deviation -= offset * response[j][h]
			}
			if end+slope*min(float64(h+1), believed)+deviation >= need[h] {
				v.crossed[h] += weight
				break
			}
		}
	}
}

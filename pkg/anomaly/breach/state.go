package breach

import "math"

const (
	offsets = 3 // of a state from its level
	traits  = 6 // by which states are alike
	levels  = 3 // windows shorter than the long one
)

// windows are the stretches over which a state is described, in points.
type windows struct{ short, middle, wide, long int }

// windowsFor fit a horizon, and a past that holds the long window several times.
func windowsFor(horizon, past int) windows {
	const shortest, parts = 5, 6
	w := windows{short: shortest, middle: max(min(horizon/3, 60), shortest+1)}
	w.long = max(min(3*horizon, past/parts), w.middle+2)
	w.wide = min((w.middle+w.long)/2, 3*w.middle)
	return w
}

// levels are those that a level may be taken over when the long one has been left.
func (w windows) levels() [levels]int { return [levels]int{w.short, w.middle, w.wide} }

// state describes where a series stands.
type state struct {
	level   float64
	offsets [offsets]float64 // of the newest value and of the shorter means from the level
	traits  [traits]float64
}

// means gives the means of a series over any window at once.
type means struct {
	values      []float64
	origin      int       // the point that phases are counted from
	sum, change []float64 // running sums: of the values, of their changes from point to point
	count       []int32
	changes     []int32
}

func newMeans(values []float64, origin int) means {
	n := len(values)
	m := means{values, origin, make([]float64, n+1), make([]float64, n+1), make([]int32, n+1), make([]int32, n+1)}
	last := math.NaN()
	for i, v := range values {
		m.sum[i+1], m.count[i+1] = m.sum[i], m.count[i]
		m.change[i+1], m.changes[i+1] = m.change[i], m.changes[i]
		if math.IsNaN(v) {
			continue
		}
		m.sum[i+1] += v
		m.count[i+1]++
		if !math.IsNaN(last) {
			m.change[i+1] += math.Abs(v - last)
			m.changes[i+1]++
		}
		last = v
	}
	return m
}

func (m means) len() int { return len(m.values) }

// mean of the window that ends with a point; NaN where nothing was seen in it.
func (m means) mean(at, window int) float64 {
	from := max(at+1-window, 0)
	if n := m.count[at+1] - m.count[from]; n > 0 {
		return (m.sum[at+1] - m.sum[from]) / float64(n)
	}
	return math.NaN()
}

// unrest is the mean change from point to point.
func (m means) unrest(at, window int) float64 {
	from := max(at+1-window, 0)
	if n := m.changes[at+1] - m.changes[from]; n > 0 {
		return (m.change[at+1] - m.change[from]) / float64(n)
	}
	return 0
}

// state at a point whose level is the mean over a window; false where too little
// is known there.
func (m means) state(at int, w windows, level, season int) (state, bool) {
	short, middle := m.mean(at, w.short), m.mean(at, w.middle)
	s := state{level: m.mean(at, level)}
	if math.IsNaN(short) || math.IsNaN(s.level) {
		return s, false
	}
	newest := m.values[at]
	if math.IsNaN(newest) {
		newest = short
	}
	s.offsets = [offsets]float64{newest - s.level, short - s.level, middle - s.level}
	s.traits = [traits]float64{short - s.level, middle - s.level, s.level, math.Log1p(m.unrest(at, w.wide))}
	if season > 0 {
		phase := 2 * math.Pi * float64(m.phase(at, season)) / float64(season)
		s.traits[4], s.traits[5] = math.Sin(phase), math.Cos(phase)
	}
	return s, true
}

// phase of a point in the season, counted from the origin.
func (m means) phase(at, season int) int { return ((at-m.origin)%season + season) % season }

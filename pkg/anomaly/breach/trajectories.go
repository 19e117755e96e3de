package breach

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// maxPast is how many of the newest points trajectories are taken from.
	maxPast = 10_000
	// maxStarts is how many trajectories are known, and maxAnalogs how many of
	// them are followed from a point: those that started most alike.
	maxStarts  = 512
	maxAnalogs = 128
	// minStarts is the fewest that a probability can rest on.
	minStarts = 40
	// maxFitted is how many rows each regression uses.
	maxFitted = 1500
)

// trajectories are what the past teaches of how a series goes on.
type trajectories struct {
	season   int       // the longest, in points; 0 for none
	ahead    []float64 // the seasons from the test part's beginning to a horizon after its end
	past     []float32 // the end of the past without the seasons; no answer needs more digits
	trends   []trend
	windows  windows
	horizon  int
	response [offsets][]float64 // by how much each offset is still felt, by point ahead
	felt     [offsets]float64   // the most of it
	widest   [offsets]float64   // the largest offsets of the starts
	top      float64            // the highest of the starts' tops
	starts   []start
	scale    [traits]float64 // spread of each trait over the starts
	jumps    [levels]float64 // how far short means have strayed from the level at most
}

// start is a point of the past from which a trajectory is known.
type start struct {
	at    int32 // in past
	state state
	top   float64 // the highest point of what followed, above the level
}

// Size is about how many bytes trajectories take.
func (t *trajectories) Size() int {
	const others, ofTrend, ofStart = 500, 800, 4 + 8*(1+offsets+traits)
	return others + ofTrend*len(t.trends) + 8*len(t.ahead) + 4*len(t.past) + 8*offsets*t.horizon + ofStart*len(t.starts)
}

func learn(r Request, s anomaly.Split) *trajectories {
	step := r.History.Step
	past := r.History.Values[s.Train:s.Test]
	durations := r.Seasons
	if len(durations) == 0 {
		durations = series.Calendar
	}
	horizon := int(r.Horizon / step)
	ahead := make([]float64, int(s.Until.Sub(r.History.Time(s.Test))/step)+1+horizon)
	seasons := anomaly.LearnPattern(series.Series{Start: r.History.Time(s.Train), Step: step, Values: past},
		series.Periods(durations, step), len(ahead))
	calm := make([]float64, len(past))
	for i, v := range past {
		calm[i] = v - seasons.At(i)
	}
	for i := range ahead {
		ahead[i] = seasons.At(len(past) + i)
	}
	t := &trajectories{
		season: seasons.Longest(), ahead: ahead, horizon: horizon, trends: learnTrends(calm, step, 2*r.Horizon),
		windows: windowsFor(horizon, len(calm)),
	}
	calm = calm[max(len(calm)-maxPast, 0):]
	t.past = make([]float32, len(calm))
	for i, v := range calm {
		t.past[i] = float32(v)
	}
	t.learnStarts(newMeans(calm, len(calm)))
	return t
}

// learnStarts looks at what followed each state of the past.
func (t *trajectories) learnStarts(past means) {
	first, last := t.windows.long-1, past.len()-t.horizon-1
	var rows []start
	stride := max((last-first+1)/maxFitted, 1)
	for at := first; at <= last; at += stride {
		if s, ok := past.state(at, t.windows, t.windows.long, t.season); ok {
			rows = append(rows, start{at: int32(at), state: s})
		}
	}
	t.learnJumps(past, first)
	t.learnResponse(past, rows)
	t.top = math.Inf(-1)
	for k := range min(maxStarts, len(rows)) {
		s := rows[k*len(rows)/min(maxStarts, len(rows))]
		s.top = math.Inf(-1)
		for _, v := range past.values[s.at+1:][:t.horizon] {
			if v-s.state.level > s.top { // false for NaN
				s.top = v - s.state.level
			}
		}
		t.starts, t.top = append(t.starts, s), max(t.top, s.top)
		for j, offset := range s.state.offsets {
			t.widest[j] = max(t.widest[j], math.Abs(offset))
		}
	}
	for k, response := range t.response {
		for _, felt := range response {
			t.felt[k] = max(t.felt[k], math.Abs(felt))
		}
	}
	for k := range t.scale {
		values := make([]float64, len(t.starts))
		for i, s := range t.starts {
			values[i] = s.state.traits[k]
		}
		t.scale[k] = stats.Spread(values)
	}
}

// learnJumps learns how far each short mean has strayed from the long one.
func (t *trajectories) learnJumps(past means, first int) {
	for at := first; at < past.len(); at++ {
		level := past.mean(at, t.windows.long)
		for k, window := range t.windows.levels() {
			if d := math.Abs(past.mean(at, window) - level); d > t.jumps[k] {
				t.jumps[k] = d
			}
		}
	}
}

// learnResponse estimates by least squares how the offsets of a state from its
// level are felt later on, horizon by horizon: local projections (Jordà,
// American Economic Review 95, 2005). White noise forgets at once, a random walk
// never does.
func (t *trajectories) learnResponse(past means, rows []start) {
	for k := range t.response {
		t.response[k] = make([]float64, t.horizon)
	}
	if len(rows) < minStarts {
		return
	}
	before, known := 0, [offsets]float64{}
	for _, h := range anchors(t.horizon) {
		coefficients := t.project(past, rows, h)
		for k := range t.response {
			for j := before; j < h; j++ {
				fraction := float64(j+1-before) / float64(h-before)
				t.response[k][j] = known[k] + fraction*(coefficients[k]-known[k])
			}
		}
		if before == 0 { // what lies before the first anchor is felt like it
			for k := range t.response {
				for j := range h {
					t.response[k][j] = coefficients[k]
				}
			}
		}
		before, known = h, coefficients
	}
}

// anchors are the points ahead that are estimated; between them lie lines.
func anchors(horizon int) []int {
	var at []int
	for h := 1.0; int(h) < horizon; h = max(h*1.6, h+1) {
		at = append(at, int(h))
	}
	return append(at, horizon)
}

// project regresses what came h points later on the offsets.
func (t *trajectories) project(past means, rows []start, h int) (coefficients [offsets]float64) {
	var gram [offsets][offsets]float64
	var cross [offsets]float64
	later := make([]float64, len(rows))
	for i, row := range rows {
		later[i] = past.values[int(row.at)+h] - row.state.level
	}
	center, spread := stats.Center(later)
	limit := clipSpreads * spread
	n := 0.0
	for i, row := range rows {
		if math.IsNaN(later[i]) {
			continue
		}
		y := min(max(later[i]-center, -limit), limit)
		n++
		for a, x := range row.state.offsets {
			cross[a] += x * y
			for b, z := range row.state.offsets {
				gram[a][b] += x * z
			}
		}
	}
	ridge := 0.0
	for a := range gram {
		ridge += gram[a][a]
	}
	system := mat.NewSymDense(offsets, nil)
	for a := range gram {
		for b := range gram {
			system.SetSym(a, b, gram[a][b])
		}
		system.SetSym(a, a, gram[a][a]+ridgeShare*ridge)
	}
	var cholesky mat.Cholesky
	if ridge == 0 || n == 0 || !cholesky.Factorize(system) {
		return coefficients
	}
	var solution mat.VecDense
	if cholesky.SolveVecTo(&solution, mat.NewVecDense(offsets, cross[:])) != nil {
		return coefficients
	}
	for a := range coefficients {
		coefficients[a] = solution.AtVec(a)
	}
	return coefficients
}

const (
	clipSpreads = 10    // beyond, an incident would teach for a hundred points
	ridgeShare  = 0.001 // of the offsets' total variation
)

// level finds the window over which the level at a point is steady: the longest,
// unless a shorter mean has strayed from it further than ever in the past, as
// after a step.
func (t *trajectories) level(m means, at int) int {
	long := m.mean(at, t.windows.long)
	for k, window := range t.windows.levels() {
		if d := math.Abs(m.mean(at, window) - long); d > strayed*t.jumps[k] && t.jumps[k] > 0 {
			// The newest level counts: the widest window that agrees with it.
			return t.agreeing(m, at)
		}
	}
	return t.windows.long
}

// agreeing is the widest window whose mean lies as near to the shortest one's as
// the long mean ever did.
func (t *trajectories) agreeing(m means, at int) int {
	all := t.windows.levels()
	widest := all[0]
	newest := m.mean(at, all[0])
	for _, window := range all[1:] {
		if math.Abs(m.mean(at, window)-newest) > t.jumps[0] {
			break
		}
		widest = window
	}
	return widest
}

// strayed is how many times the furthest distance ever a mean must lie from the
// level to have left it.
const strayed = 1.25

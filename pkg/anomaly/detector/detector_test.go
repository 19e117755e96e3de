package detector_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
)

const (
	learn  = 20_000
	judged = 2_000
)

// noise is standard normal, and a swinging level as the observations.
func noise(seed uint64) detector.Input {
	random := rand.New(rand.NewPCG(seed, 3))
	in := detector.Input{Step: time.Minute}
	for i := range learn + judged {
		e := random.NormFloat64()
		in.Residual = append(in.Residual, e)
		in.Value = append(in.Value, 50+10*math.Sin(float64(i)/50)+e)
	}
	return in
}

// scoresOf learns from the first points and follows all.
func scoresOf(d detector.Detector, in detector.Input, learn int) []float64 {
	past := detector.Input{Value: in.Value[:learn], Residual: in.Residual[:learn], Step: in.Step}
	w := d.Learn(past)
	scores := detector.Past(d, w, past)
	for i := learn; i < len(in.Residual); i++ {
		w.Observe(in.Value[i], in.Residual[i])
		scores = append(scores, w.Score())
	}
	return scores
}

func probabilities(d detector.Detector, in detector.Input) []float64 {
	scores := scoresOf(d, in, learn)
	c := detector.Calibrate(scores[:learn], 30)
	found := make([]float64, len(scores))
	for i, s := range scores {
		found[i] = math.NaN()
		if !math.IsNaN(s) {
			found[i] = min(2*c.Probability(s), 1) // two sides
		}
	}
	return found
}

// Under the null each detector's p-values keep their promise: one in a hundred
// points is as unusual as that, up to what dependence adds: an average over half
// an hour has few independent values to learn from.
func TestDetectorsAreCalibrated(t *testing.T) {
	for _, name := range detector.Names() {
		d, _ := detector.Named(name)
		rare, veryRare, points := 0, 0, 0
		for seed := range uint64(5) {
			for _, p := range probabilities(d, noise(seed))[learn:] {
				points++
				if p < 0.01 {
					rare++
				}
				if p < 1e-4 {
					veryRare++
				}
			}
		}
		t.Log(name, float64(rare)/float64(points), float64(veryRare)/float64(points))
		require.InDelta(t, 0.01, float64(rare)/float64(points), 0.015, name)
		require.Less(t, float64(veryRare)/float64(points), 0.001, name)
	}
}

// Each detector sees what it is there for.
func TestDetectorsSeeWhatTheyAreFor(t *testing.T) {
	const at = learn + 1_000
	spike := func(in *detector.Input) { in.Residual[at] += 12; in.Value[at] += 60 }
	drift := func(in *detector.Input) {
		for i := at - 90; i <= at; i++ {
			in.Residual[i]++
		}
	}
	tremble := func(in *detector.Input) {
		for i := at - 60; i <= at; i++ {
			in.Residual[i] *= 3
		}
	}
	// A wave, where otherwise neighbours are alike.
	wave := func(in *detector.Input) {
		for i := 1; i < len(in.Residual); i++ {
			in.Residual[i] = 0.9*in.Residual[i-1] + 0.44*in.Residual[i]
		}
		for i := at - 30; i <= at; i++ {
			in.Residual[i] += 3 * math.Sin(float64(i)*2)
		}
	}
	freeze := func(in *detector.Input) {
		for i := at - 90; i <= at; i++ {
			in.Value[i] = in.Value[at]
		}
	}
	for name, change := range map[string]func(*detector.Input){
		"frozen": freeze, "z-score": spike, "median": spike, "seasonal-esd": spike, "extreme": spike, "polynomial": spike, "recent": spike,
		"spectral-residual": spike, "isolation-forest": spike,
		"cusum": drift, "ewma": drift, "variation": tremble, "window-pca": wave,
	} {
		d, known := detector.Named(name)
		require.True(t, known, name)
		in := noise(7)
		change(&in)
		least := 1.0
		for _, p := range probabilities(d, in)[at-5 : at+5] {
			least = min(least, p)
		}
		limit := 2e-3
		if name == "isolation-forest" || name == "spectral-residual" {
			limit = 0.1 // they tell that a point is apart, not how far
		}
		require.Less(t, least, limit, name)
	}
	require.Len(t, detector.Names(), 13)
}

// A clone goes on as the original would have, and leaves it alone.
func TestWatchersCanBeCloned(t *testing.T) {
	in := noise(1)
	in.Residual[learn+50] = math.NaN()
	past := detector.Input{Value: in.Value[:learn], Residual: in.Residual[:learn], Step: in.Step}
	for _, name := range detector.Names() {
		d, _ := detector.Named(name)
		w := d.Learn(past)
		detector.Past(d, w, past)
		one, other := w.Clone(), w.Clone()
		follow := func(w detector.Watcher) (scores []float64) {
			for i := learn; i < learn+200; i++ {
				w.Observe(in.Value[i], in.Residual[i])
				scores = append(scores, orMinusOne(w.Score()))
			}
			return scores
		}
		first := follow(one)
		require.Equal(t, first, follow(other), name)
		require.Equal(t, first, follow(w), name)
	}
}

func orMinusOne(v float64) float64 {
	if math.IsNaN(v) {
		return -1
	}
	return v
}

func TestDetectorsOnAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64Range(-1e30, 1e30), rapid.Just(math.NaN()), rapid.Just(0.0))
		in := detector.Input{
			Value:    rapid.SliceOfN(value, n, n).Draw(t, "values"),
			Residual: rapid.SliceOfN(value, n, n).Draw(t, "residuals"),
			Step:     time.Minute,
		}
		for _, name := range detector.Names() {
			d, _ := detector.Named(name)
			scores := scoresOf(d, in, n/2)
			require.Len(t, scores, n)
			c := detector.Calibrate(scores[:n/2], 5)
			for _, s := range scores {
				require.False(t, math.IsInf(s, 0), name)
				p := c.Probability(s)
				require.True(t, p > 0 && p <= 1, "%s: %v of %v", name, p, s)
			}
		}
	})
}

func TestCombineIsTheHarmonicMean(t *testing.T) {
	p, shares := detector.Combine([]float64{0.01, 0.02, math.NaN()})
	require.InDelta(t, 2/(1/0.01+1/0.02), p, 1e-12)
	require.InDelta(t, 2.0/3, shares[0], 1e-12)
	require.InDelta(t, 1.0/3, shares[1], 1e-12)
	require.True(t, math.IsNaN(shares[2]))
	p, _ = detector.CombineWeighted([]float64{0.01, 1}, []float64{3, 1})
	require.InDelta(t, 4/(3/0.01+1), p, 1e-12)
	p, _ = detector.Combine([]float64{math.SmallestNonzeroFloat64, 1})
	require.Greater(t, p, 0.0)
	p, _ = detector.Combine(nil)
	require.True(t, math.IsNaN(p))
}

// Perfectly dependent tests say together what each of them says.
func TestCombineOfDependentTests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(1e-12, 1).Draw(t, "p")
		n := rapid.IntRange(1, 12).Draw(t, "n")
		all := make([]float64, n)
		for i := range all {
			all[i] = p
		}
		combined, _ := detector.Combine(all)
		require.InEpsilon(t, p, combined, 1e-9)
	})
}

func TestAgreement(t *testing.T) {
	require.True(t, math.IsNaN(detector.Agreed([]float64{math.NaN()}, 0.5)))
	require.InDelta(t, 1e-6, detector.Agreed([]float64{1e-6, math.NaN()}, 0.5), 1e-12, "one alone is not drawn")
	alone := []float64{1e-6, 0.5, 0.5, 0.5, math.NaN()}
	mean, _ := detector.Combine(alone)
	require.InEpsilon(t, mean, detector.Agreed(alone, 0), 1e-9)
	require.InEpsilon(t, math.Sqrt(mean*0.5/2), detector.Agreed(alone, 0.5), 1e-9)
	together := detector.Agreed([]float64{1e-6, 1e-6, 1e-6, 0.5}, 0.5)
	require.Less(t, together, 2e-6)
	require.Greater(t, detector.Agreed([]float64{0, 0, 0, 0}, 0.5), 0.0)
}

func TestFrozenComparesWithHowOftenASeriesRepeatsItself(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	input := detector.Input{Value: make([]float64, 2000), Residual: make([]float64, 2000), Step: time.Minute}
	repeats := func(repeated bool) float64 {
		for i := range input.Value {
			if input.Value[i] = random.NormFloat64(); repeated && i > 0 && i%4 != 0 {
				input.Value[i] = input.Value[i-1]
			}
		}
		w := detector.Frozen{}.Learn(input)
		for range 5 {
			w.Observe(1, 0)
		}
		return w.(detector.Exact).Probability()
	}
	require.Less(t, repeats(false), 1e-7)
	require.Greater(t, repeats(true), 0.05)
	input.Resolution = 1
	require.True(t, math.IsNaN(repeats(false)), "discrete data")
}

func TestTailInvertsItself(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	scores := make([]float64, 20_000)
	for i := range scores {
		scores[i] = random.ExpFloat64()
	}
	tail := detector.Calibrator{Constants: detector.DefaultConstants(), Apart: 1}.Tail(scores)
	for _, p := range []float64{1e-2, 1e-3, 1e-4, 1e-6} {
		require.InEpsilon(t, p, tail.Survival(tail.Quantile(p)), 0.02)
		require.InEpsilon(t, -math.Log(p), tail.Quantile(p), 0.35, "an exponential tail at %v, made a little heavier for what is unknown", p)
	}
}

package journey

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var nan = math.NaN()

// world draws a day of three steps at one point a minute; change alters the last
// hour.
func world(seed uint64, perMinute float64, change func(step int, requests, failed, latency *float64)) (steps []Step, from int) {
	random := rand.New(rand.NewPCG(seed, 1))
	const points, last = 1500, 60
	pass := []float64{1, 0.5, 0.4}
	steps = []Step{{Name: "home"}, {Name: "cart"}, {Name: "checkout"}}
	for k := range points {
		load := perMinute * (1 + 0.5*math.Sin(2*math.Pi*float64(k)/1440))
		for i := range steps {
			load *= pass[i]
			requests := max(0, load+math.Sqrt(load)*random.NormFloat64())
			failed, latency := 0.0, 0.1*(1+0.1*random.NormFloat64())
			for range int(requests) {
				if random.Float64() < 0.002 {
					failed++
				}
			}
			if k >= points-last && change != nil {
				change(i, &requests, &failed, &latency)
			}
			steps[i].Requests, steps[i].Failed, steps[i].Latency = append(steps[i].Requests, requests), append(steps[i].Failed, failed), append(steps[i].Latency, latency)
		}
	}
	return steps, points - last
}

func lossesOf(steps []Step, from int) []Loss {
	now := Over(steps, from, len(steps[0].Requests))
	return Losses(steps, now, Learn(steps, from, 60), float64(len(steps[0].Requests)-from))
}

func TestLosses(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(step int, requests, failed, latency *float64)
		step    int
		errors  bool
		culprit int
		slow    bool
		said    string
	}{
		"errors": {func(step int, r, f, _ *float64) {
			if step == 1 {
				*f = 0.1 * *r
			}
		}, 1, true, 1, false, "cart: 10 % of requests fail"},
		"leaving": {func(step int, r, _, _ *float64) {
			if step == 2 {
				*r *= 0.6
			}
		}, 2, false, 2, false, "From cart to checkout"},
		"slow, so they leave": {func(step int, r, _, l *float64) {
			if step == 1 {
				*l = 2
			}
			if step == 2 {
				*r *= 0.6
			}
		}, 2, false, 1, true, "cart takes 2 s, usually 0."},
		"gone": {func(step int, r, _, l *float64) {
			if step == 2 {
				*r, *l = nan, nan
			}
		}, 2, false, 2, false, "From cart to checkout"},
	} {
		t.Run(name, func(t *testing.T) {
			losses := lossesOf(world(1, 200, test.change))
			require.NotEmpty(t, losses)
			require.Equal(t, test.step, losses[0].Step)
			require.Equal(t, test.errors, losses[0].Errors)
			require.Equal(t, test.culprit, losses[0].Culprit)
			require.Equal(t, test.slow, losses[0].Slow)
			require.Contains(t, losses[0].Text, test.said)
		})
	}
}

// TestNothingIsLost: fewer users that come are no loss of a step, nor is chance.
func TestNothingIsLost(t *testing.T) {
	wrong := 0
	for seed := range uint64(100) {
		wrong += len(lossesOf(world(seed, 100, func(_ int, r, f, _ *float64) { *r, *f = *r/10, *f/10 })))
	}
	require.LessOrEqual(t, wrong, 6, "of 500 judgements")
	wrong = 0
	for seed := range uint64(100) {
		wrong += len(lossesOf(world(seed, 20, nil)))
	}
	require.LessOrEqual(t, wrong, 6, "of 500 judgements")
}

func TestTooLittlePast(t *testing.T) {
	steps, from := world(1, 200, func(_ int, r, f, _ *float64) { *f = *r })
	for i := range steps {
		cut := from - 200
		steps[i].Requests, steps[i].Failed, steps[i].Latency = steps[i].Requests[cut:], steps[i].Failed[cut:], steps[i].Latency[cut:]
	}
	require.Empty(t, lossesOf(steps, 200), "three hours do not tell what is usual")
}

func TestOver(t *testing.T) {
	steps := []Step{
		{Requests: []float64{10, nan, 20}, Failed: []float64{1, nan, nan}, Latency: []float64{1, nan, 2}},
		{Requests: []float64{5, 5, 5}},
		{},
	}
	found := Over(steps, -5, 99)
	require.InDelta(t, 15, found[0].Requests, 1e-9)
	require.InDelta(t, 1-1.0/30, found[0].Success, 1e-9)
	require.InDelta(t, 50.0/30, found[0].Latency, 1e-9)
	require.True(t, math.IsNaN(found[0].Passed))
	require.InDelta(t, 1.0/3, found[1].Passed, 1e-9)
	require.Equal(t, 1.0, found[1].Success)
	require.True(t, math.IsNaN(found[1].Latency))
	require.True(t, math.IsNaN(found[2].Requests))
}

func TestTogether(t *testing.T) {
	w := Together([]Step{
		{Requests: []float64{10, 10, 10, nan}, Failed: []float64{1, 0, 0, nan}, Latency: []float64{1, 1, 1, nan}},
		{Name: "never"},
		{Requests: []float64{5, 0, nan, nan}, Failed: []float64{1, 0, 0, 0}, Latency: []float64{2, nan, nan, nan}},
	})
	require.Equal(t, []float64{4, 0, 0}, w.Completions[:3], "a last step that is silent is one that nobody reaches")
	require.True(t, math.IsNaN(w.Completions[3]), "nothing is known")
	require.Equal(t, []float64{0.5, 0, 0}, w.Conversion[:3])
	require.InDelta(t, 0.9*0.8, w.Success[0], 1e-9)
	require.True(t, math.IsNaN(w.Success[1]))
	require.Equal(t, 3.0, w.Latency[0])
	require.Empty(t, Together([]Step{{Name: "never"}}).Completions)
}

func TestState(t *testing.T) {
	for scores, want := range map[string]float64{
		"": nan, "nn": nan, "000": 0, "009": 1, "0095": 1, "00911": 1, "009111": 0, "0091151": 1, "009n1n1n1": 0, "0091119": 1, "9": 1, "5": 0,
	} {
		var values []float64
		for _, c := range scores {
			values = append(values, map[rune]float64{'n': nan, '0': 0, '1': 10, '5': 60, '9': 90}[c])
		}
		found := State(values, 75, 50, 3)
		require.True(t, found == want || math.IsNaN(found) && math.IsNaN(want), "%s: %g", scores, found)
	}
}

// TestAnyInput: whatever the numbers, shares stay shares and nothing panics.
func TestAnyInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, nan, math.Inf(1), -1}))
		var steps []Step
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			list := func(name string) []float64 { return rapid.SliceOfN(value, 0, 30).Draw(t, name) }
			steps = append(steps, Step{Name: "s", Requests: list("requests"), Failed: list("failed"), Latency: list("latency")})
		}
		from := rapid.IntRange(-3, 40).Draw(t, "from")
		now := Over(steps, from, 30)
		for _, s := range now {
			if s.Success < 0 || s.Success > 1 {
				t.Fatalf("success is %g", s.Success)
			}
		}
		for _, loss := range Losses(steps, now, Learn(steps, min(from, 30), rapid.IntRange(0, 5).Draw(t, "stretch")), 30) {
			if !(loss.Users > 0) || strings.Contains(loss.Text, "NaN") {
				t.Fatalf("%+v", loss)
			}
		}
		Together(steps)
	})
}

package contribution_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly/contribution"
)

func sum(n float64) contribution.Period { return contribution.Period{Numerator: n} }

func ratio(n, d float64) contribution.Period {
	return contribution.Period{Numerator: n, Denominator: d}
}

func TestSums(t *testing.T) {
	s := contribution.Of("pod", []contribution.Value{
		{Name: "a", Before: sum(100), Now: sum(105)}, {Name: "b", Before: sum(100), Now: sum(195)}, {Name: "c", Before: sum(0), Now: sum(0)},
	}, false)
	require.InDelta(t, 100, s.Change(), 1e-9)
	require.Equal(t, "b", s.Parts[0].Name)
	require.InDelta(t, 0.95, s.Parts[0].Share, 1e-9)
	require.InDelta(t, 0.5, s.Parts[0].Usual, 1e-9)
	require.InDelta(t, 0.45, s.Score, 1e-9)

	alike := contribution.Of("pod", []contribution.Value{{Name: "a", Before: sum(100), Now: sum(150)}, {Name: "b", Before: sum(100), Now: sum(150)}}, false)
	require.InDelta(t, 0, alike.Score, 1e-9)
	require.Equal(t, "pod", contribution.Rank([]contribution.Split{alike, s})[0].Label)
	require.InDelta(t, 0.45, contribution.Rank([]contribution.Split{alike, s})[0].Score, 1e-9)
}

// TestRatios: the share of errors rises by one route's own errors, or only as
// another mix of requests comes.
func TestRatios(t *testing.T) {
	own := contribution.Of("route", []contribution.Value{
		{Name: "/pay", Before: ratio(1, 100), Now: ratio(30, 100)}, {Name: "/list", Before: ratio(9, 900), Now: ratio(9, 900)},
	}, true)
	require.InDelta(t, 0.029, own.Change(), 1e-9)
	require.Equal(t, "/pay", own.Parts[0].Name)
	require.InDelta(t, 1, own.Parts[0].Share, 1e-9)
	require.InDelta(t, 0.029, own.Parts[0].Own, 1e-9)
	require.InDelta(t, 0.9, own.Score, 1e-9)

	mix := contribution.Of("route", []contribution.Value{
		{Name: "/pay", Before: ratio(10, 100), Now: ratio(50, 500)}, {Name: "/list", Before: ratio(0, 900), Now: ratio(0, 500)},
	}, true)
	require.InDelta(t, 0.04, mix.Change(), 1e-9)
	for _, p := range mix.Parts {
		require.InDelta(t, 0, p.Own, 1e-9, p.Name)
	}

	fresh := contribution.Of("version", []contribution.Value{
		{Name: "1", Before: ratio(10, 1000), Now: ratio(5, 500)}, {Name: "2", Now: ratio(50, 500)},
	}, true)
	require.Equal(t, "2", fresh.Parts[0].Name, "what is new carries the change")
	require.InDelta(t, 1, fresh.Parts[0].Share, 1e-9)
	require.True(t, math.IsNaN(fresh.Parts[0].Before))
}

// TestPartsAddUp to the change, whatever the values.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		isRatio := rapid.Bool().Draw(t, "ratio")
		number := rapid.Float64Range(0, 1000)
		var values []contribution.Value
		for i := range rapid.IntRange(1, 8).Draw(t, "values") {
			v := contribution.Value{Name: string(rune('a' + i))}
			for _, p := range []*contribution.Period{&v.Before, &v.Now} {
				if p.Numerator = number.Draw(t, "numerator"); isRatio {
					if p.Denominator = rapid.Float64Range(0, 1000).Draw(t, "denominator"); p.Denominator < 1 {
						*p = contribution.Period{}
					}
				}
			}
			values = append(values, v)
		}
		s := contribution.Of("x", values, isRatio)
		total := 0.0
		for _, p := range s.Parts {
			total += p.Change
		}
		if !math.IsNaN(s.Change()) {
			require.InDelta(t, s.Change(), total, 1e-6*(1+math.Abs(s.Before)+math.Abs(s.Now)))
		}
		require.GreaterOrEqual(t, s.Score, 0.0)
		require.LessOrEqual(t, s.Score, 1.0)
	})
}

func TestChange(t *testing.T) {
	var values []float64
	for i := range 60 {
		v := 10 + float64(i*7%5)
		if i >= 42 {
			v += 10
		}
		if i == 20 {
			v = math.NaN()
		}
		values = append(values, v)
	}
	at, deviation := contribution.Change(values)
	require.Equal(t, 42, at)
	require.Greater(t, deviation, 10.0)
	at, deviation = contribution.Change([]float64{1, 2})
	require.Zero(t, at)
	require.Zero(t, deviation)
	at, _ = contribution.Change([]float64{1, 1, 1, 1, 2, 2, 2, 2})
	require.Equal(t, 4, at)
}

package series_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/series"
)

var nan = math.NaN()

func TestFromPoints(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	s, err := series.FromPoints(nil, []time.Time{at(130), at(61), at(65), at(250)}, []float64{4, 1, 3, math.Inf(1)}, time.Minute)
	require.NoError(t, err)
	require.Equal(t, at(60), s.Start)
	require.Len(t, s.Values, 4)
	require.Equal(t, []float64{2, 4}, s.Values[:2])
	require.True(t, math.IsNaN(s.Values[2]) && math.IsNaN(s.Values[3]), "a gap and an infinity are missing")

	empty, err := series.FromPoints(nil, nil, nil, time.Minute)
	require.NoError(t, err)
	require.Zero(t, empty.Len())
	for _, step := range []time.Duration{0, -1, 1} {
		_, err = series.FromPoints(nil, []time.Time{at(0), at(1e9)}, []float64{1, 1}, step)
		require.Error(t, err)
	}
	_, err = series.FromPoints(nil, []time.Time{at(0)}, nil, time.Minute)
	require.Error(t, err)
}

func TestCoarsenKeepsTheEndWhole(t *testing.T) {
	require.Equal(t, []float64{2.5, 5}, series.Coarsen([]float64{9, 2, 3, nan, 5}, 2))
	require.Empty(t, series.Coarsen([]float64{1}, 2))
}

func TestMovingWindows(t *testing.T) {
	require.Equal(t, []float64{2, 2, 3, 4, 4}, series.MovingMean([]float64{1, 2, 3, 4, 5}, 3))
	require.Equal(t, []float64{2, 2, 3, 4, 4}, series.MovingMedian([]float64{1, 2, 3, 4, 100}, 3)[:5])
	require.Empty(t, series.MovingMedian(nil, 3))
	require.True(t, math.IsNaN(series.MovingMean([]float64{nan, nan}, 5)[0]))
}

func TestProfile(t *testing.T) {
	require.Equal(t, []float64{1, 5}, series.Profile([]float64{1, 5, 1, 5, 99, 5}, 2), "one incident does not teach")
	require.Equal(t, []float64{0, 3, 1.5}, series.Profile([]float64{-1, 3, 1, 1, 3, 99}, 3), "two cycles must agree")
	require.Equal(t, []float64{1, 2, 3, 2}, series.Profile([]float64{1, nan, 3, nan}, 4))
	require.Equal(t, []float64{0, 0}, series.Profile([]float64{nan, nan}, 2))
}

func TestUnitKeepsNumbersOrdinary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64(), 1, 50).Draw(t, "values")
		unit := series.Unit(values)
		exponent := math.Log2(unit)
		require.Equal(t, math.Trunc(exponent), exponent, "a power of two")
		for _, v := range values {
			require.False(t, math.IsInf(v/unit, 0))
		}
	})
}

func seasonal(n int, noise float64, shape func(i int) float64) []float64 {
	random := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = shape(i) + noise*random.NormFloat64()
	}
	return values
}

func TestSeasons(t *testing.T) {
	candidates := series.Periods(series.Calendar, 5*time.Minute)
	require.Equal(t, []int{12, 288, 2016}, candidates)
	daily := func(i int) float64 { return math.Sin(2 * math.Pi * float64(i) / 288) }
	weekly := func(i int) float64 {
		if i/288%7 >= 5 {
			return -1
		}
		return 0
	}
	incident := func(i int) float64 {
		if i > 1000 && i < 1030 || i > 3000 && i < 3020 {
			return 100
		}
		return 0
	}
	for _, c := range []struct {
		name    string
		shape   func(int) float64
		noise   float64
		periods []int
	}{
		{"noise", func(int) float64 { return 0 }, 1, nil},
		{"constant", func(int) float64 { return 1 }, 0, nil},
		{"trend", func(i int) float64 { return float64(i) }, 1, nil},
		{"day", daily, 0.5, []int{288}},
		{"day and week", func(i int) float64 { return daily(i) + weekly(i) }, 0.3, []int{288, 2016}},
		{"hour", func(i int) float64 { return float64(i % 12 / 10) }, 0.2, []int{12}},
		{"nightly job", func(i int) float64 { return 100 * float64(min(max(i%288-285, 0), 1)) }, 1, []int{288}},
		{"office hours", func(i int) float64 { return 100 * float64(i%288/96%2) }, 1, []int{288}},
		{"day and week with incidents", func(i int) float64 { return daily(i) + weekly(i) + incident(i) }, 0.3, []int{288, 2016}},
	} {
		var periods []int
		for _, s := range series.Seasons(seasonal(14*288, c.noise, c.shape), candidates, series.KeepRecurring) {
			periods = append(periods, s.Period)
			require.LessOrEqual(t, s.Strength, 1.0)
		}
		require.Equal(t, c.periods, periods, c.name)
	}
}

func TestPeriodsFollowTheGrid(t *testing.T) {
	require.Equal(t, []int{24, 168}, series.Periods(series.Calendar, time.Hour))
	require.Equal(t, []int{7}, series.Periods(series.Calendar, 24*time.Hour))
	require.Equal(t, []int{1440}, series.Periods(series.Calendar, 7*time.Minute), "a week is a multiple of 7 min, a day is not")
	require.Empty(t, series.Periods(series.Calendar, 0))
}

// What happens every day is no incident, however far it stands out, and does
// not hide one.
func TestWithoutIncidentsKeepsARecurringRush(t *testing.T) {
	for name, shape := range map[string]func(i int) float64{
		"office hours": func(i int) float64 { return 100 * float64(i%288/96%2) },
		"nightly job":  func(i int) float64 { return 1000 * float64(min(max(i%288-285, 0), 1)) },
	} {
		values := seasonal(14*288, 1, shape)
		for i := 2000; i < 2020; i++ {
			values[i] += 5000
		}
		clean := series.WithoutIncidents(values, []int{288}, 15, series.KeepRecurring)
		for i, v := range values {
			if i >= 2000 && i < 2020 {
				require.Less(t, clean[i], shape(i)+50, name)
			} else {
				require.InDelta(t, v, clean[i], 1e-9, "%s at %d", name, i)
			}
		}
	}
}

func TestWithoutIncidentsKeepsAShift(t *testing.T) {
	values := seasonal(4000, 1, func(i int) float64 {
		switch {
		case i > 1000 && i < 1005:
			return 50
		case i >= 3000:
			return 40
		}
		return 0
	})
	clean := series.WithoutIncidents(values, nil, 5, series.KeepRecurring)
	require.Less(t, clean[1002], 10.0)
	require.InDelta(t, 40, clean[3500], 8)
}

func TestShifts(t *testing.T) {
	day := func(i int) float64 { return 3 * math.Sin(2*math.Pi*float64(i)/288) }
	step := func(i, at int, size float64) float64 {
		if i >= at {
			return size
		}
		return 0
	}
	for _, c := range []struct {
		name  string
		shape func(i int) float64
		want  []series.Shift
	}{
		{"nothing", day, nil},
		{"up", func(i int) float64 { return day(i) + step(i, 3000, 20) }, []series.Shift{{At: 3000, Size: 20}}},
		{"down and up", func(i int) float64 { return day(i) + step(i, 1000, -20) + step(i, 3000, 30) },
			[]series.Shift{{At: 1000, Size: -20}, {At: 3000, Size: 30}}},
		{"an incident of an hour", func(i int) float64 { return day(i) + step(i, 3000, 20) - step(i, 3012, 20) }, nil},
		{"weekends", func(i int) float64 { return day(i) + 20*float64(i/288%7/5) }, nil},
		{"a trend", func(i int) float64 { return day(i) + float64(i)/50 }, nil},
	} {
		found := series.Shifts(seasonal(14*288, 1, c.shape), []int{288})
		require.Len(t, found, len(c.want), c.name)
		for i, want := range c.want {
			require.InDelta(t, want.At, found[i].At, 3, c.name)
			require.InDelta(t, want.Size, found[i].Size, 1, c.name)
		}
	}
	require.Empty(t, series.Shifts(make([]float64, 1000), nil), "a constant")
	require.Empty(t, series.Shifts(seasonal(1000, math.NaN(), day), nil), "all missing")
	require.Empty(t, series.Shifts(nil, nil))
	random := rand.New(rand.NewPCG(8, 8))
	for range 50 {
		walk := make([]float64, 2000)
		for i := 1; i < len(walk); i++ {
			walk[i] = walk[i-1] + random.NormFloat64()
		}
		require.Empty(t, series.Shifts(walk, nil), "a random walk has no level to shift")
	}
}

func TestShiftsOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 50, -1e9, 1e300, nan}), 1, 12).Draw(t, "levels")
		run := rapid.IntRange(1, 80).Draw(t, "run")
		values := seasonal(run*len(levels), rapid.SampledFrom([]float64{0, 1}).Draw(t, "noise"), func(i int) float64 { return levels[i/run] })
		periods := rapid.SampledFrom([][]int{nil, {12}, {24, 168}}).Draw(t, "periods")
		last := -1
		for _, shift := range series.Shifts(values, periods) {
			require.True(t, shift.At >= last && shift.At <= len(values), "ascending, inside")
			require.False(t, math.IsNaN(shift.Size) || math.IsInf(shift.Size, 0))
			last = shift.At
		}
	})
}

// A shift in a long series of which every second point is missing: averages find
// it, differences of neighbours do not exist.
func TestShiftsInALongSeriesWithGaps(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	values := make([]float64, 4032)
	for i := range values {
		values[i] = 100 + 20*math.Sin(2*math.Pi*float64(i)/288) + 3*random.NormFloat64()
		if i >= 2500 {
			values[i] += 60
		}
		if i%2 == 1 {
			values[i] = math.NaN()
		}
	}
	shifts := series.Shifts(values, []int{288})
	require.Len(t, shifts, 1)
	require.InDelta(t, 2500, shifts[0].At, 12)
	require.InDelta(t, 60, shifts[0].Size, 6)
}

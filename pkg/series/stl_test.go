package series_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

// golden reads a reference table of other people's computation; the test is
// skipped where the folder is absent.
func golden(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "golden", "stl", name))
	if os.IsNotExist(err) {
		t.Skip("no reference data in ../shared/data/golden/stl")
	}
	require.NoError(t, err)
	defer file.Close()
	reader := csv.NewReader(file)
	reader.TrimLeadingSpace = true
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	require.NoError(t, err)
	return v
}

// The original Fortran's components of the Mauna Loa series.
func TestSTLEqualsTheOriginal(t *testing.T) {
	var co2 []float64
	for _, row := range golden(t, "stl_co2.csv") {
		co2 = append(co2, number(t, row[0]))
	}
	base := series.STL{
		Period: 12, Seasonal: 35, Trend: 19, LowPass: 13,
		SeasonalDegree: 1, TrendDegree: 1, LowPassDegree: 1,
		SeasonalJump: 4, TrendJump: 2, LowPassJump: 2, Inner: 1, Outer: 2,
	}
	fine := base
	fine.LowPassJump = 1
	finer := fine
	finer.TrendJump = 1
	trendOnly := base
	trendOnly.TrendJump = 1
	cases := map[string]struct {
		stl series.STL
		y   []float64
	}{
		"baseline":          {base, co2},
		"short":             {base, co2[:len(co2)-1]},
		"nljump-1":          {fine, co2},
		"ntjump-1":          {trendOnly, co2},
		"nljump-1-ntjump-1": {finer, co2},
	}
	results := map[string]series.Decomposition{}
	for name, c := range cases {
		d, err := c.stl.Decompose(c.y, nil)
		require.NoError(t, err)
		results[name] = d
	}
	compared := 0
	for _, row := range golden(t, "stl_test_results.csv")[1:] {
		d, known := results[strings.TrimSpace(row[0])]
		if !known {
			continue
		}
		i := int(number(t, row[1]))
		require.InDelta(t, number(t, row[2]), d.Seasons[0][i], 1e-6, row)
		require.InDelta(t, number(t, row[3]), d.Trend[i], 1e-6, row)
		require.InDelta(t, number(t, row[4]), d.Weights[i], 1e-6, row)
		compared++
	}
	require.Equal(t, 5*348-1, compared)
}

// R's forecast::mstl on the electricity demand of Victoria.
func TestMSTLEqualsR(t *testing.T) {
	rows := golden(t, "mstl_test_results.csv")[1:]
	y := make([]float64, len(rows))
	for i, row := range rows {
		y[i] = number(t, row[0])
	}
	d, err := series.MSTL(y, nil, []int{168, 24}, series.STL{TrendDegree: 1, LowPassDegree: 1})
	require.NoError(t, err)
	for i, row := range rows {
		for j, v := range []float64{d.Trend[i], d.Seasons[0][i], d.Seasons[1][i], d.Remainder[i]} {
			require.InDelta(t, number(t, row[j+1]), v, 1e-6, "row %d, column %d", i, j+1)
		}
	}
}

func TestDecompositionRefusesAShortSeries(t *testing.T) {
	_, err := series.STL{Period: 12}.Decompose(make([]float64, 23), nil)
	require.Error(t, err)
	_, err = series.STL{Period: 1}.Decompose(make([]float64, 23), nil)
	require.Error(t, err)
	_, err = series.MSTL(make([]float64, 10), nil, []int{7, 24}, series.STL{})
	require.Error(t, err)
}

func TestDecompositionOfAConstantAndOfAGap(t *testing.T) {
	constant := make([]float64, 100)
	d, err := series.STL{Period: 7, Outer: 5}.Decompose(constant, nil)
	require.NoError(t, err)
	for i := range constant {
		require.Zero(t, d.Trend[i])
	}
	y, weights := make([]float64, 200), make([]float64, 200)
	for i := range y {
		y[i], weights[i] = math.Sin(2*math.Pi*float64(i)/10), 1
	}
	want, err := series.STL{Period: 10, Outer: 2}.Decompose(y, weights)
	require.NoError(t, err)
	y[50], weights[50] = 1e6, 0
	got, err := series.STL{Period: 10, Outer: 2}.Decompose(y, weights)
	require.NoError(t, err)
	require.InDelta(t, want.Trend[50], got.Trend[50], 0.05, "a point without weight changes little")
	require.InDelta(t, want.Seasons[0][50], got.Seasons[0][50], 0.1)
}

func BenchmarkMSTL(b *testing.B) {
	y := seasonal(14*288, 0.3, func(i int) float64 { return math.Sin(2 * math.Pi * float64(i) / 288) })
	base := series.STL{TrendDegree: 1, LowPassDegree: 1, Sparse: true, Inner: 1, Outer: 1}
	for b.Loop() {
		if _, err := series.MSTL(y, nil, []int{288, 2016}, base); err != nil {
			b.Fatal(err)
		}
	}
}

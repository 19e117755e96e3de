package metrics

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// growing is a daily rhythm whose last minutes arrive one by one.
func growing(minutes int) forecast.Request {
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 2*24*60+minutes)
	for i := range values {
		values[i] = 100 + 40*math.Sin(2*math.Pi*float64(i)/(24*60)) + 3*random.NormFloat64()
	}
	values[len(values)-min(minutes, 3)] = math.NaN()
	return forecast.Request{
		History: series.Series{Start: start, Step: time.Minute, Values: values}, Horizon: 60, Probabilities: []float64{0.95},
	}
}

func TestRememberedModelsChangeNoAnswer(t *testing.T) {
	models := NewForecastModels()
	defer models.Close()
	for _, minutes := range []int{5, 6, 20, 20, 7, 59, 60, 61} { // on, the same, back, over the hour
		want, err := (*ForecastModels)(nil).Run(growing(minutes))
		require.NoError(t, err)
		got, err := models.Run(growing(minutes))
		require.NoError(t, err)
		require.Equal(t, want, got, minutes)
	}

	changed := growing(20)
	changed.History.Values[100]++ // a late sample
	want, err := (*ForecastModels)(nil).Run(changed)
	require.NoError(t, err)
	got, err := models.Run(changed)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestModelsServeManyAtOnce(t *testing.T) {
	models := NewForecastModels()
	defer models.Close()
	want, err := models.Run(growing(9))
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got, err := models.Run(growing(9))
			if err != nil || got.Mean[0] != want.Mean[0] {
				t.Errorf("%v %v", got.Mean, err)
			}
		})
	}
	group.Wait()
}

func TestShortHistoriesLearnFromAll(t *testing.T) {
	request := growing(30)
	request.History.Values = request.History.Values[len(request.History.Values)-40:]
	request.History.Start = request.History.Start.Add(2*24*time.Hour - 10*time.Minute)
	want, err := forecast.Run(request)
	require.NoError(t, err)
	got, err := (*ForecastModels)(nil).Run(request)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func BenchmarkForecastWarm(b *testing.B) {
	models := NewForecastModels()
	defer models.Close()
	request := growing(59)
	for b.Loop() {
		if _, err := models.Run(request); err != nil {
			b.Fatal(err)
		}
	}
}

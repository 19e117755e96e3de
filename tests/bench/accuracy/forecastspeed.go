package accuracy

import (
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("speed", "forecasting 14 days at 5 minutes a day ahead with the automatic blend, on one core: cold, warm, streaming", forecastSpeed)
}

type forecastSpeedFigures struct {
	Points    int     `json:"points"`
	Horizon   int     `json:"horizon"`
	Model     string  `json:"model"`
	Cold      float64 `json:"cold_ms"`          // learn and forecast; processor time, median of five
	Warm      float64 `json:"warm_ms"`          // one more point and a forecast from the learned model
	Streaming float64 `json:"micros_per_point"` // one more point
}

// forecastSpeed measures series with daily and weekly rhythms, of kinds that
// lead to different models.
func forecastSpeed(runner.Options) (any, error) {
	runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(runtime.NumCPU())
	const perDay, repeats = 288, 5
	figures := forecastSpeedFigures{Points: 14 * perDay, Horizon: perDay}
	var cold []float64
	for repeat := range repeats {
		values := rhythm(uint64(repeat), perDay, 14*perDay)
		request := forecast.Request{
			History: series.Series{Start: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), Step: 5 * time.Minute, Values: values},
			Horizon: perDay, Probabilities: []float64{0.8, 0.95}, NonNegative: true,
		}
		runtime.GC()
		begun := runner.ProcessorTime()
		learned, err := forecast.Learn(request)
		if err != nil {
			return nil, err
		}
		figures.Model = learned.Forecast().Model
		cold = append(cold, (runner.ProcessorTime()-begun).Seconds()*1e3)

		const refreshes, points = 200, 100_000
		begun = runner.ProcessorTime()
		for i := range refreshes {
			learned.Observe(values[i])
			learned.Forecast()
		}
		figures.Warm = max(figures.Warm, (runner.ProcessorTime()-begun).Seconds()*1e3/refreshes)
		begun = runner.ProcessorTime()
		for i := range points {
			learned.Observe(values[i%len(values)])
		}
		figures.Streaming = max(figures.Streaming, (runner.ProcessorTime()-begun).Seconds()*1e6/points)
	}
	figures.Cold = runner.MedianOf(cold)
	return figures, nil
}

// rhythm is traffic with a daily and a weekly season, noise in proportion to
// its level, and a slow trend.
func rhythm(seed uint64, perDay, n int) []float64 {
	random := rand.New(rand.NewPCG(seed, 5))
	values := make([]float64, n)
	for i := range values {
		day := float64(i) / float64(perDay)
		level := 200 + 5*day + 80*math.Sin(2*math.Pi*day) + 30*math.Sin(4*math.Pi*day+1)
		if int(day)%7 >= 5 {
			level *= 0.7
		}
		values[i] = level * (1 + 0.05*random.NormFloat64())
	}
	return values
}

package accuracy

import (
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("ett", "ETTh1, 7 variates, 20 windows of 48 hours as GIFT-Eval's H/short: MASE, and as a ratio to seasonal naive", runETT)
}

const (
	ettHorizon = 48
	ettWindows = 20
	ettSeason  = 24
)

type ettFigures struct {
	MASE      float64 `json:"mase"`
	RelMASE   float64 `json:"rel_mase"`
	NaiveMASE float64 `json:"naive_mase"`
	MSIS      float64 `json:"msis"`
	Coverage  float64 `json:"coverage"`
	Millis    float64 `json:"ms_per_forecast"`
	Model     string  `json:"model"`
}

// runETT forecasts the last windows of every variate, each from all that lies
// before it. With -validate 1 the windows end where the test windows begin, with 2
// where those begin: for choosing defaults.
func runETT(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("ett", flag.ContinueOnError)
	model := flags.String("model", forecast.Auto, "forecasting model")
	validate := flags.Int("validate", 0, "move all windows so many times their whole length back, away from the test part: for choosing defaults")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	variates, err := readETT(filepath.Join(o.Data, "ett", "ETTh1.csv"))
	if err != nil {
		return nil, err
	}
	for i, v := range variates {
		variates[i] = v[:len(v)-*validate*ettWindows*ettHorizon]
	}
	begun := time.Now()
	parts := make([]accuracy, len(variates)*ettWindows)
	naive := make([]accuracy, len(parts))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		values, window := variates[i/ettWindows], i%ettWindows
		cut := len(values) - (ettWindows-window)*ettHorizon
		history, actual := values[:cut], values[cut:cut+ettHorizon]
		group.Go(func() error {
			r, err := forecast.Run(forecast.Request{
				History: series.Series{Start: time.Unix(0, 0).UTC(), Step: time.Hour, Values: history},
				Horizon: ettHorizon, Model: *model, Probabilities: []float64{0.95},
			})
			if err != nil {
				return fmt.Errorf("variate %d, window %d: %w", i/ettWindows, window, err)
			}
			scale := seasonalScale(history, ettSeason)
			parts[i].add(actual, r.Mean, r.Intervals[0].Lower, r.Intervals[0].Upper, scale, 0.95)
			repeated := make([]float64, ettHorizon)
			for h := range repeated {
				repeated[h] = history[len(history)-ettSeason+h%ettSeason]
			}
			naive[i].add(actual, repeated, repeated, repeated, scale, 0.95)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var total, reference accuracy
	for i := range parts {
		total.merge(parts[i])
		reference.merge(naive[i])
	}
	return ettFigures{
		MASE: total.mean(total.mase), NaiveMASE: reference.mean(reference.mase),
		RelMASE: runner.Round(total.mase / reference.mase),
		MSIS:    total.mean(total.msis), Coverage: total.coverage(), Model: *model,
		Millis: runner.Round(time.Since(begun).Seconds() * 1000 * float64(runtime.GOMAXPROCS(0)) / float64(len(parts))),
	}, nil
}

// readETT reads the columns after the date.
func readETT(path string) ([][]float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	columns := make([][]float64, len(lines[0])-1)
	for _, line := range lines[1:] {
		for i, field := range line[1:] {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				v = math.NaN()
			}
			columns[i] = append(columns[i], v)
		}
	}
	return columns, nil
}

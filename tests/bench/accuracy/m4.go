package accuracy

import (
	"encoding/csv"
	"flag"
	"fmt"
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
	runner.Register("m4", "M4 Hourly, 414 series, 48 hours ahead: OWA, sMAPE, MASE, MSIS and coverage at 95 %", runM4)
}

const (
	m4Horizon     = 48
	m4Season      = 24
	m4Probability = 0.95
	// The published averages of the competition's Naive 2 on this subset.
	m4NaiveSMAPE = 18.383
	m4NaiveMASE  = 2.395
)

type m4Figures struct {
	OWA      float64 `json:"owa"`
	SMAPE    float64 `json:"smape"`
	MASE     float64 `json:"mase"`
	MSIS     float64 `json:"msis"`
	Coverage float64 `json:"coverage"`
	Millis   float64 `json:"ms_per_series"`
	Series   int     `json:"series"`
	Model    string  `json:"model"`
}

func runM4(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("m4", flag.ContinueOnError)
	model := flags.String("model", forecast.Auto, "forecasting model")
	validate := flags.Int("validate", 0, "leave the test part alone and forecast so many windows at the end of the training part: for choosing defaults")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	train, err := readM4(filepath.Join(o.Data, "m4", "Hourly-train.csv"))
	if err != nil {
		return nil, err
	}
	test, err := readM4(filepath.Join(o.Data, "m4", "Hourly-test.csv"))
	if err != nil {
		return nil, err
	}
	if *validate > 0 {
		train, test = endsOfTraining(train, *validate)
	}
	begun := time.Now()
	total, err := evaluateM4(train, test, *model)
	if err != nil {
		return nil, err
	}
	smape, mase := total.mean(total.smape), total.mean(total.mase)
	return m4Figures{
		OWA: runner.Round((smape/m4NaiveSMAPE + mase/m4NaiveMASE) / 2), SMAPE: smape, MASE: mase,
		MSIS: total.mean(total.msis), Coverage: total.coverage(),
		Millis: runner.Round(time.Since(begun).Seconds() * 1000 * float64(runtime.GOMAXPROCS(0)) / float64(len(train))),
		Series: len(train), Model: *model,
	}, nil
}

func endsOfTraining(train [][]float64, windows int) (histories, futures [][]float64) {
	for _, history := range train {
		for back := 1; back <= windows; back++ {
			cut := len(history) - back*m4Horizon
			histories = append(histories, history[:cut])
			futures = append(futures, history[cut:cut+m4Horizon])
		}
	}
	return histories, futures
}

func evaluateM4(train, test [][]float64, model string) (accuracy, error) {
	parts := make([]accuracy, len(train))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range train {
		group.Go(func() error {
			r, err := forecast.Run(forecast.Request{
				History: series.Series{Start: time.Unix(0, 0).UTC(), Step: time.Hour, Values: train[i]},
				Horizon: m4Horizon, Model: model, Probabilities: []float64{m4Probability}, NonNegative: true,
			})
			if err != nil {
				return fmt.Errorf("series H%d: %w", i+1, err)
			}
			interval := r.Intervals[0]
			parts[i].add(test[i], r.Mean, interval.Lower, interval.Upper, seasonalScale(train[i], m4Season), m4Probability)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return accuracy{}, err
	}
	var total accuracy
	for _, part := range parts {
		total.merge(part)
	}
	return total, nil
}

// readM4 reads one series per line after the header: a name, then values up to
// the first empty field.
func readM4(path string) ([][]float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = -1
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	rows := make([][]float64, 0, len(lines)-1)
	for _, line := range lines[1:] {
		var row []float64
		for _, field := range line[1:] {
			if field == "" {
				break
			}
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			row = append(row, v)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

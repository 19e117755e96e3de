package accuracy

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("forecast", "-in series.csv -horizon H [-season M]: forecast any series; writes timestamp, mean, lower_80, upper_80, lower_95, upper_95", runForecast)
}

// runForecast forecasts a file with the defaults and writes a line for each
// point of the horizon. Which model answered goes to standard error.
func runForecast(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("forecast", flag.ContinueOnError)
	file := newFileFlags(flags, "timestamp,value", "forecast -in series.csv -horizon 48")
	horizon := flags.Int("horizon", 0, "points to forecast")
	season := flags.Int("season", 0, "points of the season; default: hour, day and week are looked for")
	model := flags.String("model", forecast.Auto, "forecasting model")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	laid, _, _, err := file.read()
	if err != nil {
		return nil, err
	}
	request := forecast.Request{History: laid, Horizon: *horizon, Model: *model, Probabilities: []float64{0.8, 0.95}}
	if *season > 0 {
		request.Seasons = []time.Duration{time.Duration(*season) * laid.Step}
	}
	r, err := forecast.Run(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", *file.in, err)
	}
	fmt.Fprintf(os.Stderr, "%s: error %.4g, seasonal naive %.4g, %d points of history %v\n", r.Model, r.Error, r.NaiveError, r.Observed, r.Notices)
	return nil, file.write(forecastLines(r))
}

func forecastLines(r forecast.Result) [][]string {
	lines := [][]string{{"timestamp", "mean", "lower_80", "upper_80", "lower_95", "upper_95"}}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }
	for h, mean := range r.Mean {
		line := []string{r.Start.Add(time.Duration(h) * r.Step).UTC().Format(time.RFC3339), number(mean)}
		for _, interval := range r.Intervals {
			line = append(line, number(interval.Lower[h]), number(interval.Upper[h]))
		}
		lines = append(lines, line)
	}
	return lines
}

package accuracy

import (
	"flag"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("score", "-in series.csv: score any series; writes timestamp, value, expected, lower, upper, score, event", runScore)
}

// runScore judges a file with the defaults and writes a line per row. The first
// part, which only teaches, has no score.
func runScore(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("score", flag.ContinueOnError)
	file := newFileFlags(flags, "timestamp,value[,label]", "score -in series.csv")
	learn := flags.Float64("learn", 0.15, "share of the series that teaches before the first score")
	threshold := flags.Float64("threshold", anomaly.DefaultThreshold, "score of an event")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	laid, times, values, err := file.read()
	if err != nil {
		return nil, err
	}
	r, err := anomaly.Detect(anomaly.Request{
		History: laid, From: laid.Time(int(*learn * float64(laid.Len()))), Threshold: *threshold,
	})
	if err != nil {
		return nil, err
	}
	return nil, file.write(scoreLines(times, values, r))
}

func scoreLines(times []time.Time, values []float64, r anomaly.Result) [][]string {
	lines := [][]string{{"timestamp", "value", "expected", "lower", "upper", "score", "event"}}
	for row, at := range times {
		line := []string{at.UTC().Format(time.RFC3339), text(values[row]), "", "", "", "", "0"}
		// The row lies in the cell that begins at or before it.
		if i := int(math.Floor(float64(at.Sub(r.Actual.Start)) / float64(r.Actual.Step))); i >= 0 && i < len(r.Score) {
			line[2], line[3], line[4], line[5] = text(r.Expected[i]), text(r.Lower[i]), text(r.Upper[i]), text(r.Score[i])
			cell := r.Actual.Time(i)
			if slices.ContainsFunc(r.Events, func(e anomaly.Event) bool { return !cell.Before(e.Start) && !cell.After(e.End) }) {
				line[6] = "1"
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// text is empty for what is missing.
func text(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 8, 64)
}

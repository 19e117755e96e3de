package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

func init() {
	register("score", "-in series.csv: score any series; writes timestamp, value, expected, lower, upper, score, event", runScore)
}

// runScore judges a file with the defaults and writes a line per row. The first
// part, which only teaches, has no score.
func runScore(o options) (any, error) {
	flags := flag.NewFlagSet("score", flag.ContinueOnError)
	in := flags.String("in", "", "CSV with a header and the columns timestamp,value[,label]")
	out := flags.String("out", "", "file to write; default: standard output")
	learn := flags.Float64("learn", 0.15, "share of the series that teaches before the first score")
	threshold := flags.Float64("threshold", anomaly.DefaultThreshold, "score of an event")
	if err := flags.Parse(o.rest); err != nil {
		return nil, err
	}
	if *in == "" {
		if slices.Contains(os.Args, "all") {
			return nil, errors.New("skipped: it needs a file, as in score -in series.csv")
		}
		return nil, errors.New("name a file: score -in series.csv")
	}
	times, values, err := readSeries(*in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", *in, err)
	}
	laid, err := series.FromPoints(nil, times, values, usualStep(times))
	if err != nil {
		return nil, err
	}
	r, err := anomaly.Detect(anomaly.Request{
		History: laid, From: laid.Time(int(*learn * float64(laid.Len()))), Threshold: *threshold,
	})
	if err != nil {
		return nil, err
	}
	target := io.Writer(os.Stdout)
	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		target = file
	}
	return nil, writeScores(target, times, values, r)
}

func writeScores(target io.Writer, times []time.Time, values []float64, r anomaly.Result) error {
	w := csv.NewWriter(target)
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
	return w.WriteAll(lines)
}

// text is empty for what is missing.
func text(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 8, 64)
}

// usualStep is the median distance of neighbouring rows.
func usualStep(times []time.Time) time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]).Abs(); gap > 0 {
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) == 0 {
		return time.Minute
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// readSeries reads the first two columns of a CSV with a header. An empty value
// is a missing one.
func readSeries(path string) (times []time.Time, values []float64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = -1
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	for number, line := range lines {
		if number == 0 {
			continue
		}
		if len(line) < 2 {
			return nil, nil, fmt.Errorf("line %d has no value", number+1)
		}
		at, err := readTime(strings.TrimSpace(line[0]))
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		value := math.NaN()
		if field := strings.TrimSpace(line[1]); field != "" {
			if value, err = strconv.ParseFloat(field, 64); err != nil {
				return nil, nil, fmt.Errorf("line %d: %w", number+1, err)
			}
		}
		times, values = append(times, at), append(values, value)
	}
	return times, values, nil
}

// readTime reads a date and time, or seconds or milliseconds since 1970.
func readTime(text string) (time.Time, error) {
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		const milliseconds = 1e11 // as seconds this would be the year 5138
		if math.Abs(number) < milliseconds {
			number *= 1000
		}
		return time.UnixMilli(int64(number)).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, nabTime, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-01-31T12:00:00Z, or seconds since 1970", text)
}

package accuracy

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
)

// fileFlags name the file that a command reads, and the one that it writes.
type fileFlags struct {
	in, out *string
	example string
}

func newFileFlags(flags *flag.FlagSet, columns, example string) fileFlags {
	return fileFlags{
		in:      flags.String("in", "", "CSV with a header and the columns "+columns),
		out:     flags.String("out", "", "file to write; default: standard output"),
		example: example,
	}
}

// read lays the file's series on a grid, and gives its rows as they stand.
func (f fileFlags) read() (laid series.Series, times []time.Time, values []float64, err error) {
	if *f.in == "" {
		if slices.Contains(os.Args, "all") {
			return laid, nil, nil, errors.New("skipped: it needs a file, as in " + f.example)
		}
		return laid, nil, nil, errors.New("name a file: " + f.example)
	}
	if times, values, err = readSeries(*f.in); err != nil {
		return laid, nil, nil, fmt.Errorf("%s: %w", *f.in, err)
	}
	laid, err = series.FromPoints(nil, times, values, usualStep(times))
	return laid, times, values, err
}

func (f fileFlags) write(lines [][]string) error {
	if *f.out == "" {
		return csv.NewWriter(os.Stdout).WriteAll(lines)
	}
	file, err := os.Create(*f.out)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(file).WriteAll(lines), file.Close())
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
	for _, layout := range []string{time.RFC3339Nano, datasets.NabTime, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-01-31T12:00:00Z, or seconds since 1970", text)
}

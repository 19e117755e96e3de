package datasets

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

const (
	minuteRows  = 21 * 24 * 60
	minuteFiles = 8
)

// Labelled is a series with what is known to be unusual in it.
type Labelled struct {
	series.Series
	Name    string
	windows [][2]time.Time
}

// Unusual says whether a labelled window overlaps the given one.
func (l Labelled) Unusual(from, to time.Time) bool {
	return slices.ContainsFunc(l.windows, func(w [2]time.Time) bool { return from.Before(w[1]) && to.After(w[0]) })
}

// CloudWatchSeries are the operations metrics of the Numenta benchmark, at five
// minutes.
func CloudWatchSeries(data string) ([]Labelled, error) {
	files, err := ReadNAB(filepath.Join(data, "nab"))
	if err != nil {
		return nil, err
	}
	var found []Labelled
	for _, file := range files {
		if !strings.HasPrefix(file.Name, "realAWSCloudwatch/") && !strings.Contains(file.Name, "ec2_request_latency") {
			continue
		}
		laid, _, err := file.Grid()
		if err != nil {
			return nil, err
		}
		one := Labelled{Series: laid, Name: file.Name}
		for _, w := range file.Windows {
			one.windows = append(one.windows, [2]time.Time{file.Times[w[0]], file.Times[w[1]]})
		}
		found = append(found, one)
	}
	return found, nil
}

// MinuteSeries are generated, as no public operations metrics at one minute
// came with the data: a daily rhythm, quieter weekends, correlated noise, and
// now and then a burst, all different by seed.
func MinuteSeries() []Labelled {
	var found []Labelled
	for seed := range uint64(minuteFiles) {
		random := rand.New(rand.NewPCG(seed, 7))
		values := make([]float64, minuteRows)
		swing, memory, size := 20+40*random.Float64(), 0.3+0.6*random.Float64(), 1+4*random.Float64()
		noise, burst := 0.0, 0.0
		for i := range values {
			day := float64(i) / 1440
			level := 100 + swing*math.Sin(2*math.Pi*day)
			if int(day)%7 >= 5 {
				level -= swing / 2
			}
			noise = memory*noise + math.Sqrt(1-memory*memory)*random.NormFloat64()
			if random.Float64() < 1.0/1440 {
				burst = 10 * random.Float64() * size
			}
			burst *= 0.8
			values[i] = level + size*noise + burst
		}
		start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
		found = append(found, Labelled{
			Series: series.Series{Start: start, Step: time.Minute, Values: values}, Name: fmt.Sprintf("minute-%d", seed),
		})
	}
	return found
}

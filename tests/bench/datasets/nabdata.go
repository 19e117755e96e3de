// Package datasets reads the benchmark data and generates series with known
// anomalies.
package datasets

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// NabFile is one labelled series of the Numenta Anomaly Benchmark: rows as they
// stand in the file, and the rows at which each window begins and ends.
type NabFile struct {
	Name    string
	Times   []time.Time
	Values  []float64
	Windows [][2]int
}

// Probation is how many first rows are not scored: 15 %, at most those of a
// file of 5,000 rows.
func (f NabFile) Probation() int { return min(len(f.Times)*15/100, 750) }

// Grid lays the rows on a regular grid, whose step is the median distance of
// the rows in the probation, and tells for each grid point the last row in it
// (-1 for none): that is the row after which the point is known.
func (f NabFile) Grid() (series.Series, []int, error) {
	gaps := make([]time.Duration, 0, len(f.Times))
	for i := 1; i < max(f.Probation(), 2); i++ {
		gaps = append(gaps, f.Times[i].Sub(f.Times[i-1]))
	}
	slices.Sort(gaps)
	step := max(gaps[len(gaps)/2].Round(time.Minute), time.Minute)
	laid, err := series.FromPoints(nil, f.Times, f.Values, step)
	if err != nil {
		return series.Series{}, nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	rows := make([]int, laid.Len())
	for i := range rows {
		rows[i] = -1
	}
	for row, at := range f.Times {
		rows[int(at.Sub(laid.Start)/step)] = row
	}
	return laid, rows, nil
}

// NabTime is the format of times in the Numenta benchmark.
const NabTime = "2006-01-02 15:04:05"

// ReadNAB reads the series whose windows are listed, ordered by name.
func ReadNAB(folder string) ([]NabFile, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "labels", "combined_windows.json"))
	if err != nil {
		return nil, err
	}
	var windows map[string][][2]string
	if err := json.Unmarshal(raw, &windows); err != nil {
		return nil, err
	}
	var files []NabFile
	for _, name := range slices.Sorted(maps.Keys(windows)) {
		file, err := readNABFile(folder, name, windows[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, file)
	}
	return files, nil
}

func readNABFile(folder, name string, windows [][2]string) (NabFile, error) {
	file := NabFile{Name: name}
	opened, err := os.Open(filepath.Join(folder, "data", name))
	if err != nil {
		return file, err
	}
	defer opened.Close()
	lines, err := csv.NewReader(opened).ReadAll()
	if err != nil {
		return file, err
	}
	for _, line := range lines[1:] {
		at, err := time.Parse(NabTime, line[0])
		if err != nil {
			return file, err
		}
		value, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			return file, err
		}
		file.Times, file.Values = append(file.Times, at), append(file.Values, value)
	}
	for _, window := range windows {
		var rows [2]int
		for side, text := range window {
			at, err := time.Parse(NabTime, text)
			if err != nil {
				return file, err
			}
			row := slices.IndexFunc(file.Times, at.Equal)
			if row < 0 {
				return file, fmt.Errorf("window %s is no row", text)
			}
			rows[side] = row
		}
		file.Windows = append(file.Windows, rows)
	}
	return file, nil
}

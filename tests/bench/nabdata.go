package main

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

// nabFile is one labelled series of the Numenta Anomaly Benchmark: rows as they
// stand in the file, and the rows at which each window begins and ends.
type nabFile struct {
	name    string
	times   []time.Time
	values  []float64
	windows [][2]int
}

// probation is how many first rows are not scored: 15 %, at most those of a
// file of 5,000 rows.
func (f nabFile) probation() int { return min(len(f.times)*15/100, 750) }

// grid lays the rows on a regular grid, whose step is the median distance of
// the rows in the probation, and tells for each grid point the last row in it
// (-1 for none): that is the row after which the point is known.
func (f nabFile) grid() (series.Series, []int, error) {
	gaps := make([]time.Duration, 0, len(f.times))
	for i := 1; i < max(f.probation(), 2); i++ {
		gaps = append(gaps, f.times[i].Sub(f.times[i-1]))
	}
	slices.Sort(gaps)
	step := max(gaps[len(gaps)/2].Round(time.Minute), time.Minute)
	laid, err := series.FromPoints(nil, f.times, f.values, step)
	if err != nil {
		return series.Series{}, nil, fmt.Errorf("%s: %w", f.name, err)
	}
	rows := make([]int, laid.Len())
	for i := range rows {
		rows[i] = -1
	}
	for row, at := range f.times {
		rows[int(at.Sub(laid.Start)/step)] = row
	}
	return laid, rows, nil
}

const nabTime = "2006-01-02 15:04:05"

// readNAB reads the series whose windows are listed, ordered by name.
func readNAB(folder string) ([]nabFile, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "labels", "combined_windows.json"))
	if err != nil {
		return nil, err
	}
	var windows map[string][][2]string
	if err := json.Unmarshal(raw, &windows); err != nil {
		return nil, err
	}
	var files []nabFile
	for _, name := range slices.Sorted(maps.Keys(windows)) {
		file, err := readNABFile(folder, name, windows[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, file)
	}
	return files, nil
}

func readNABFile(folder, name string, windows [][2]string) (nabFile, error) {
	file := nabFile{name: name}
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
		at, err := time.Parse(nabTime, line[0])
		if err != nil {
			return file, err
		}
		value, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			return file, err
		}
		file.times, file.values = append(file.times, at), append(file.values, value)
	}
	for _, window := range windows {
		var rows [2]int
		for side, text := range window {
			at, err := time.Parse(nabTime, text)
			if err != nil {
				return file, err
			}
			row := slices.IndexFunc(file.times, at.Equal)
			if row < 0 {
				return file, fmt.Errorf("window %s is no row", text)
			}
			rows[side] = row
		}
		file.windows = append(file.windows, rows)
	}
	return file, nil
}

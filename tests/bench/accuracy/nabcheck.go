package accuracy

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("nab-check", "our scorer over the results that NAB publishes for other detectors, against their published scores: -results DIR (NAB's folder results)", runNABCheck)
}

type nabCheck struct {
	Detector  string  `json:"detector"`
	Profile   string  `json:"profile"`
	Published float64 `json:"published"`
	Ours      float64 `json:"ours"`
}

// publishedProfiles are the names of the profiles in NAB's files.
var publishedProfiles = map[string]string{"standard": "standard", "low_fp": "reward_low_FP_rate", "low_fn": "reward_low_FN_rate"}

// runNABCheck scores what other detectors said of each row, at the threshold
// that NAB found for them.
func runNABCheck(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("nab-check", flag.ContinueOnError)
	folder := flags.String("results", "", "NAB's folder results")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	if *folder == "" {
		return nil, fmt.Errorf("skipped: -results names NAB's folder results, which is not among the data")
	}
	files, err := datasets.ReadNAB(filepath.Join(o.Data, "nab"))
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(*folder, "final_results.json"))
	if err != nil {
		return nil, err
	}
	var published map[string]map[string]float64
	if err := json.Unmarshal(raw, &published); err != nil {
		return nil, err
	}
	checks, worst := []nabCheck{}, 0.0
	for _, detector := range slices.Sorted(maps.Keys(published)) {
		scores, err := publishedScores(filepath.Join(*folder, detector), detector, files)
		if err != nil {
			return nil, err
		}
		for _, p := range nabProfiles {
			name := publishedProfiles[p.name]
			threshold, err := publishedThreshold(filepath.Join(*folder, detector, detector+"_"+name+"_scores.csv"))
			if err != nil {
				return nil, err
			}
			detected := make([][]int, len(files))
			for i := range files {
				for row, score := range scores[i] {
					if score >= threshold {
						detected[i] = append(detected[i], row)
					}
				}
			}
			check := nabCheck{detector, p.name, runner.Round(published[detector][name]), runner.Round(p.scorer(files).score(detected))}
			worst = max(worst, math.Abs(check.Published-check.Ours))
			checks = append(checks, check)
		}
	}
	return map[string]any{"checks": checks, "largest_difference": runner.Round(worst)}, nil
}

// publishedScores are a detector's anomaly scores of each row of each file.
func publishedScores(folder, detector string, files []datasets.NabFile) ([][]float64, error) {
	all := make([][]float64, len(files))
	for i, f := range files {
		rows, err := readCSV(filepath.Join(folder, filepath.Dir(f.Name), detector+"_"+filepath.Base(f.Name)))
		if err != nil {
			return nil, err
		}
		column := slices.Index(rows[0], "anomaly_score")
		if column < 0 || len(rows)-1 != len(f.Times) {
			return nil, fmt.Errorf("%s of %s has %d rows, the series %d", f.Name, detector, len(rows)-1, len(f.Times))
		}
		for _, row := range rows[1:] {
			score, err := strconv.ParseFloat(row[column], 64)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], score)
		}
	}
	return all, nil
}

// publishedThreshold is the one in a table of scores; it is the same in every
// row.
func publishedThreshold(name string) (float64, error) {
	rows, err := readCSV(name)
	if err != nil {
		return 0, err
	}
	column := slices.Index(rows[0], "Threshold")
	if column < 0 || len(rows) < 2 {
		return 0, fmt.Errorf("%s has no column Threshold", name)
	}
	return strconv.ParseFloat(rows[1][column], 64)
}

func readCSV(name string) ([][]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s is empty", name)
	}
	return rows, err
}

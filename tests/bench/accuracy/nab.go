package accuracy

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("nab", "Numenta Anomaly Benchmark, 58 files: score per profile, by its own rules", runNAB)
	runner.Register("cloudwatch", "five CloudWatch series with eight events at the default threshold: hits and false alerts", runCloudWatch)
}

// judged is a file with what the detector says of it.
type judged struct {
	datasets.NabFile
	result anomaly.Result
	rows   []int // of each judged grid point; -1 for none
}

// judgeNAB runs the detector with its defaults over each file, from the given
// row of it on. A score rests on what lies before it alone.
func judgeNAB(files []datasets.NabFile, from func(datasets.NabFile) int) ([]judged, error) {
	return judgeNABWith(files, from, anomaly.DefaultConstants())
}

func judgeNABWith(files []datasets.NabFile, from func(datasets.NabFile) int, constants anomaly.Constants) ([]judged, error) {
	all := make([]judged, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		group.Go(func() error {
			laid, rows, err := file.Grid()
			if err != nil {
				return err
			}
			first := laid.Index(file.Times[from(file)].Add(-laid.Step + 1))
			result, err := anomaly.Detect(anomaly.Request{History: laid, From: laid.Time(first), Constants: &constants})
			if err != nil && !errors.Is(err, forecast.ErrShortHistory) {
				return fmt.Errorf("%s: %w", file.Name, err)
			}
			all[i] = judged{file, result, rows[first:]}
			return nil
		})
	}
	return all, group.Wait()
}

// alerts are the rows at which an event begins under a threshold.
func (j judged) alerts(threshold float64, constants anomaly.Constants) []int {
	var rows []int
	for _, event := range constants.Events(j.result, threshold) {
		if row := j.rows[j.result.Actual.Index(event.Start)]; row >= 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

func detections(all []judged) func(threshold float64) [][]int {
	return func(threshold float64) [][]int {
		rows := make([][]int, len(all))
		for i, one := range all {
			rows[i] = one.alerts(threshold, anomaly.DefaultConstants())
		}
		return rows
	}
}

type nabFigures struct {
	Standard   float64            `json:"standard"`
	LowFP      float64            `json:"low_fp"`
	LowFN      float64            `json:"low_fn"`
	Thresholds map[string]float64 `json:"thresholds"`
	Default    map[string]float64 `json:"default_threshold"`
	Groups     map[string]float64 `json:"standard_by_group,omitempty"`
	Seconds    float64            `json:"seconds"`
}

// swept are the thresholds tried: the benchmark's protocol is one threshold per
// profile for all files, the best one.
func swept() []float64 {
	var thresholds []float64
	for t := 40.0; t < 100; t += 0.5 {
		thresholds = append(thresholds, t)
	}
	return thresholds
}

func runNAB(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("nab", flag.ContinueOnError)
	byFile := flags.Bool("files", false, "print each file's alerts")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	files, err := datasets.ReadNAB(filepath.Join(o.Data, "nab"))
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	all, err := judgeNAB(files, datasets.NabFile.Probation)
	if err != nil {
		return nil, err
	}
	figures := nabFigures{
		Thresholds: map[string]float64{}, Default: map[string]float64{}, Groups: map[string]float64{},
		Seconds: runner.Round(time.Since(begun).Seconds()),
	}
	for _, p := range nabProfiles {
		s := p.scorer(files)
		score, threshold := s.best(detections(all), swept())
		figures.Thresholds[p.name] = threshold
		figures.Default[p.name] = runner.Round(s.score(detections(all)(anomaly.DefaultThreshold)))
		switch p.name {
		case "standard":
			figures.Standard = runner.Round(score)
		case "low_fp":
			figures.LowFP = runner.Round(score)
		case "low_fn":
			figures.LowFN = runner.Round(score)
		}
	}
	at := figures.Thresholds["standard"]
	groups := map[string][]judged{}
	for _, one := range all {
		group := filepath.Dir(one.Name)
		groups[group] = append(groups[group], one)
		if *byFile {
			printAlerts(one, at)
		}
	}
	for name, members := range groups {
		part := make([]datasets.NabFile, len(members))
		for i, member := range members {
			part[i] = member.NabFile
		}
		if s := nabProfiles[0].scorer(part); s.windows > 0 {
			figures.Groups[name] = runner.Round(s.score(detections(members)(at)))
		}
	}
	return figures, nil
}

// printAlerts shows where the alerts of a file lie against its windows.
func printAlerts(one judged, threshold float64) {
	standard := nabProfiles[0]
	alerts := one.alerts(threshold, anomaly.DefaultConstants())
	raw := standard.total(standard.rows(one.NabFile, 0), alerts)
	fmt.Printf("%-62s raw %6.2f of %d, windows %v, alerts %v\n", one.Name, raw, len(one.Windows), one.Windows, alerts)
}

// cloudWatch are the series on which OpenSearch publishes the alerts of its
// detector: 13 alerts, 7 of 8 events hit (version 2.17).
var cloudWatch = []string{
	"realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv",
	"realAWSCloudwatch/ec2_network_in_257a54.csv",
	"realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv",
	"realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv",
	"realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv",
}

type cloudWatchFigures struct {
	Hits   int `json:"hits"`
	False  int `json:"false"`
	Events int `json:"events"`
	Alerts int `json:"alerts"`
}

// runCloudWatch counts the windows in which an alert begins, and the alerts
// that begin outside of all. The first 15 % of each series are warm-up, as in
// the Numenta benchmark.
func runCloudWatch(o runner.Options) (any, error) {
	all, err := datasets.ReadNAB(filepath.Join(o.Data, "nab"))
	if err != nil {
		return nil, err
	}
	var files []datasets.NabFile
	for _, name := range cloudWatch {
		for _, file := range all {
			if file.Name == name {
				files = append(files, file)
			}
		}
	}
	judgedFiles, err := judgeNAB(files, datasets.NabFile.Probation)
	if err != nil {
		return nil, err
	}
	return cloudWatchOf(judgedFiles, anomaly.DefaultConstants()), nil
}

// cloudWatchOf counts on the five series among those judged.
func cloudWatchOf(all []judged, constants anomaly.Constants) (figures cloudWatchFigures) {
	for _, one := range all {
		if !slices.Contains(cloudWatch, one.Name) {
			continue
		}
		alerts := one.alerts(anomaly.DefaultThreshold, constants)
		figures.Events += len(one.Windows)
		figures.Alerts += len(alerts)
		figures.False += len(alerts)
		for _, window := range one.Windows {
			hits := 0
			for _, row := range alerts {
				if row >= window[0] && row <= window[1] {
					hits++
				}
			}
			figures.Hits += min(hits, 1)
			figures.False -= hits
		}
	}
	return figures
}

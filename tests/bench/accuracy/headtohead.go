package accuracy

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("head-to-head", "pages on labelled series at five minutes against promql-anomaly-detection, S-H-ESD, EWMA and predict_linear", runHeadToHead)
}

// pages are how the alerts of one method did. A page is the beginning of an
// alert; in each labelled window the first page is right, every other page is
// false. An alert left on counts once.
type pages struct {
	F1          float64 `json:"page_f1"`
	Precision   float64 `json:"precision"`
	Recall      float64 `json:"recall"`
	FalsePerDay float64 `json:"false_per_series_day"`
	// Delay of the right pages behind the middle of the window, where the label
	// stands: median, in minutes.
	Delay   float64 `json:"delay_minutes"`
	Pages   int     `json:"pages"`
	Grouped float64 `json:"page_f1_grouped"` // alerts within six hours of one another taken as one
}

// contestant says at which points of a series its alert is on.
type contestant func(j judged) ([]bool, error)

const groupedWithin = 6 * time.Hour

func runHeadToHead(o runner.Options) (any, error) {
	all, err := datasets.ReadNAB(filepath.Join(o.Data, "nab"))
	if err != nil {
		return nil, err
	}
	var files []datasets.NabFile
	for _, file := range all {
		operations, err := isOperations(file)
		if err != nil {
			return nil, err
		}
		if operations {
			files = append(files, file)
		}
	}
	judgedFiles, err := judgeNAB(files, datasets.NabFile.Probation)
	if err != nil {
		return nil, err
	}
	figures := map[string]any{"series": len(files)}
	best, threshold, err := oracle(judgedFiles)
	if err != nil {
		return nil, err
	}
	figures["foresight_best_threshold"], figures["foresight_at_best"] = threshold, best
	contestants := map[string]contestant{
		"foresight": oursAt(anomaly.DefaultThreshold), "promql_adaptive": byRules(adaptiveRules), "promql_robust": byRules(robustRules),
		"seasonal_hybrid_esd": hybridESD, "ewma": ewma, "predict_linear": predictLinear,
	}
	if slices.Contains(o.Rest, "-quick") { // ours alone
		contestants = map[string]contestant{"foresight": contestants["foresight"]}
	}
	for name, contest := range contestants {
		if figures[name], err = compete(judgedFiles, contest); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return figures, nil
}

// isOperations tells whether a file is compared: real, and at a step of
// monitoring.
func isOperations(file datasets.NabFile) (bool, error) {
	laid, _, err := file.Grid()
	return strings.HasPrefix(file.Name, "real") && laid.Step <= 5*time.Minute && !strings.HasPrefix(file.Name, "realTraffic/"), err
}

// oracle is the threshold with the best page F1, for comparison only.
func oracle(all []judged) (best pages, threshold float64, err error) {
	for _, t := range swept() {
		one, err := compete(all, oursAt(t))
		if err != nil {
			return best, threshold, err
		}
		if one.F1 > best.F1 {
			best, threshold = one, t
		}
	}
	return best, threshold, nil
}

func compete(all []judged, contest contestant) (pages, error) {
	var alone, grouped pageCount
	for _, j := range all {
		on, err := contest(j)
		if err != nil {
			return pages{}, fmt.Errorf("%s: %w", j.Name, err)
		}
		alone.add(j, beginnings(on, 1))
		grouped.add(j, beginnings(on, int(groupedWithin/j.result.Actual.Step)))
	}
	figures := alone.figures()
	figures.Grouped = grouped.figures().F1
	return figures, nil
}

// beginnings are the points at which an alert goes on after it was off for at
// least apart points.
func beginnings(on []bool, apart int) []int {
	var found []int
	last := math.MinInt / 2
	for i, v := range on {
		if v {
			if i-last > apart {
				found = append(found, i)
			}
			last = i
		}
	}
	return found
}

type pageCount struct {
	right, pages, windows int
	days                  float64
	delays                []float64
}

func (c *pageCount) add(j judged, begins []int) {
	grid := j.result.Actual
	c.days += float64(grid.Len()) * grid.Step.Hours() / 24
	c.pages += len(begins)
	for _, w := range j.Windows {
		if w[1] < j.Probation() {
			continue
		}
		c.windows++
		from, to := j.Times[w[0]], j.Times[w[1]]
		for _, i := range begins {
			if at := grid.Time(i); !at.Before(from.Add(-grid.Step)) && !at.After(to) {
				c.right++
				c.delays = append(c.delays, at.Sub(from.Add(to.Sub(from)/2)).Minutes())
				break
			}
		}
	}
}

func (c *pageCount) figures() pages {
	precision := float64(c.right) / float64(max(c.pages, 1))
	recall := float64(c.right) / float64(c.windows)
	return pages{
		F1:        runner.Round(2 * float64(c.right) / float64(c.pages+c.windows)),
		Precision: runner.Round(precision), Recall: runner.Round(recall),
		FalsePerDay: runner.Round(float64(c.pages-c.right) / c.days), Delay: runner.Round(runner.MedianOf(c.delays)), Pages: c.pages,
	}
}

// oursAt is on while an event of the detector lasts.
func oursAt(threshold float64) contestant { return oursWith(threshold, anomaly.DefaultConstants()) }

func oursWith(threshold float64, constants anomaly.Constants) contestant {
	return func(j judged) ([]bool, error) {
		on := make([]bool, j.result.Actual.Len())
		for _, e := range constants.Events(j.result, threshold) {
			for i := j.result.Actual.Index(e.Start); i <= j.result.Actual.Index(e.End); i++ {
				on[i] = true
			}
		}
		return on, nil
	}
}

// whole is the series from its first point on, and where the judged part of it
// begins.
func (j judged) whole() (series.Series, int) {
	laid, _, err := j.Grid()
	if err != nil {
		return j.result.Actual, 0 // it was laid before without one
	}
	return laid, laid.Len() - j.result.Actual.Len()
}

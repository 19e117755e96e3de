package accuracy

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/tests/bench/datasets"
)

// The scoring of the Numenta Anomaly Benchmark (Lavin and Ahmad, ICMLA 2015,
// section II; the NAB repository's scoring rules): in each window the earliest
// detection counts, worth more the earlier it is; a detection outside costs
// more the further behind a window it lies.

// nabProfile weighs what can go right and wrong.
type nabProfile struct {
	name                                  string
	truePositive, falseNegative, falsePos float64
}

var nabProfiles = []nabProfile{
	{"standard", 1, 1, 0.11},
	{"low_fp", 1, 1, 0.22},
	{"low_fn", 1, 2, 0.11},
}

// position -1 is the beginning of a window, 0 its end, beyond it behind.
func scaledSigmoid(position float64) float64 {
	if position > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*position)) - 1
}

// nabRow is what a detection at a row is worth.
type nabRow struct {
	worth  float64
	window int  // -1 outside
	scored bool // behind the probation
}

// rows are the rows of a file. Windows are numbered from first on.
func (p nabProfile) rows(f datasets.NabFile, first int) []nabRow {
	rows := make([]nabRow, 0, len(f.Times))
	next, current := 0, -1
	previousEnd, previousWidth := -1, 0.0
	for i := range f.Times {
		if current < 0 && next < len(f.Windows) && i == f.Windows[next][0] {
			current = next
			next++
		}
		row := nabRow{window: -1, scored: i >= f.Probation()}
		switch {
		case current >= 0:
			width := float64(f.Windows[current][1] - f.Windows[current][0] + 1)
			row.worth = p.truePositive * scaledSigmoid(-float64(f.Windows[current][1]-i+1)/width) / scaledSigmoid(-1)
			row.window = first + current
		case previousEnd < 0:
			row.worth = -p.falsePos
		default:
			row.worth = p.falsePos * scaledSigmoid(float64(i-previousEnd)/(previousWidth-1))
		}
		rows = append(rows, row)
		if current >= 0 && i == f.Windows[current][1] {
			previousEnd = i
			previousWidth = float64(f.Windows[current][1] - f.Windows[current][0] + 1)
			current = -1
		}
	}
	return rows
}

// total is the raw score of a file's detected rows.
func (p nabProfile) total(rows []nabRow, detected []int) float64 {
	best := map[int]float64{}
	for _, row := range rows {
		if row.window >= 0 && row.scored {
			best[row.window] = -p.falseNegative
		}
	}
	sum := 0.0
	for _, i := range detected {
		switch row := rows[i]; {
		case !row.scored:
		case row.window >= 0:
			best[row.window] = max(best[row.window], row.worth)
		default:
			sum += row.worth
		}
	}
	for _, worth := range best {
		sum += worth
	}
	return sum
}

// normalised maps the raw score so that detecting nothing is 0 and everything
// at once 100.
func (p nabProfile) normalised(raw float64, windows int) float64 {
	nothing := -p.falseNegative * float64(windows)
	everything := p.truePositive * float64(windows)
	return 100 * (raw - nothing) / (everything - nothing)
}

// scorer holds the scored rows of some files, so that many thresholds can be
// tried.
type scorer struct {
	profile nabProfile
	rows    [][]nabRow
	windows int
}

func (p nabProfile) scorer(files []datasets.NabFile) scorer {
	s := scorer{profile: p}
	for _, f := range files {
		s.rows = append(s.rows, p.rows(f, s.windows))
		s.windows += len(f.Windows)
	}
	return s
}

// score evaluates detections, the rows detected in each file.
func (s scorer) score(detected [][]int) float64 {
	raw := 0.0
	for i, rows := range s.rows {
		raw += s.profile.total(rows, detected[i])
	}
	return s.profile.normalised(raw, s.windows)
}

// best is the highest score over the thresholds, as the benchmark's own
// optimiser finds it for every detector.
func (s scorer) best(detect func(threshold float64) [][]int, thresholds []float64) (score, threshold float64) {
	score = math.Inf(-1)
	for _, t := range slices.Backward(thresholds) {
		if found := s.score(detect(t)); found > score {
			score, threshold = found, t
		}
	}
	return score, threshold
}

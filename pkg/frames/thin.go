package frames

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// shownRows are the rows that a panel of a resolution shows: of each stretch as
// long as it can tell apart the row with the largest weight, so that thinning
// hides no event and changes no value. Stretches are counted since the epoch:
// the same rows stay while a window moves.
func shownRows(grid series.Series, resolution time.Duration, weight []float64) []int {
	if len(weight) == 0 {
		return nil
	}
	stretch := max(int64(resolution/grid.Step), 1)
	var rows []int
	current := int64(math.MinInt64)
	for row := range weight {
		part := grid.Time(row).UnixNano() / int64(grid.Step) / stretch
		switch {
		case part != current:
			rows = append(rows, row)
			current = part
		case weight[row] > weight[rows[len(rows)-1]] || math.IsNaN(weight[rows[len(rows)-1]]):
			rows[len(rows)-1] = row
		}
	}
	return rows
}

func timesOf(grid series.Series, rows []int) []time.Time {
	times := make([]time.Time, len(rows))
	for i, row := range rows {
		times[i] = grid.Time(row).UTC()
	}
	return times
}

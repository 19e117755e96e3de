package frames

import (
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/series"
)

// What forecasts and anomalies share: answers per series, and times that
// ascend, as Grafana's time series panel requires.

const noSeries = "The query returned no series."

// addSeries adds what was remarked about one series. A problem left it
// without an answer; notices say how the answer came about.
func (r *remarks) addSeries(name, problem string, notices []string) {
	if problem != "" {
		r.add(data.NoticeSeverityWarning, fmt.Sprintf("%s: %s", name, problem))
	}
	for _, notice := range notices {
		if notice == "" {
			continue
		}
		r.add(data.NoticeSeverityInfo, fmt.Sprintf("%s: %s", name, notice))
	}
}

func labelsOf[Row any](rows []Row, labels func(Row) series.Labels) []series.Labels {
	all := make([]series.Labels, len(rows))
	for i, row := range rows {
		all[i] = labels(row)
	}
	return all
}

// union is the ascending times of two grids, each time once, and for each time
// its index in the one and in the other grid: -1 where it is not part of it.
func union(a, b series.Series) (times []time.Time, inA, inB []int) {
	for i, j := 0, 0; i < a.Len() || j < b.Len(); {
		row := [2]int{-1, -1}
		takeA := j >= b.Len() || i < a.Len() && !a.Time(i).After(b.Time(j))
		takeB := i >= a.Len() || j < b.Len() && !b.Time(j).After(a.Time(i))
		next := b.Time(j)
		if takeA {
			next = a.Time(i)
			row[0], i = i, i+1
		}
		if takeB {
			row[1], j = j, j+1
		}
		times, inA, inB = append(times, next.UTC()), append(inA, row[0]), append(inB, row[1])
	}
	return times, inA, inB
}

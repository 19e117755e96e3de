package anomaly

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// courses is how many possible futures of each kind are looked at.
const courses = 128

// tendency is what an epoch's past teaches of how a series goes on. It depends
// on nothing else.
type tendency struct {
	season  int       // the longest; 0 for none
	ahead   []float64 // the seasons from the epoch's beginning to a horizon after its end
	before  []float64 // the past without the seasons, as much of its end as trends look at
	trends  []trend
	courses [][]float32 // of the past, from their level; half the size, and no answer needs more digits
}

// size is about how many bytes a tendency takes.
func (t *tendency) size() int {
	const others, ofTrend = 500, 800
	size := others + ofTrend*len(t.trends) + 8*(len(t.ahead)+len(t.before))
	for _, course := range t.courses {
		size += 4 * len(course)
	}
	return size
}

func learnTendency(r BreachRequest, e epoch) (*tendency, error) {
	step := r.History.Step
	past := r.History.Values[e.learn:e.judge]
	if seen := (series.Series{Values: past}).Observed(); seen < fewestLearned {
		return nil, fmt.Errorf("%w: %d points of history before %s, %d needed to tell what is usual",
			forecast.ErrShortHistory, seen, r.History.Time(e.judge).UTC().Format(time.RFC3339), fewestLearned)
	}
	durations := r.Seasons
	if len(durations) == 0 {
		durations = series.Calendar
	}
	seasons := learnPattern(past, series.Periods(durations, step))
	calm := make([]float64, len(past))
	for i, v := range past {
		calm[i] = v - seasons.at(i, len(past))
	}
	horizon := int(r.Horizon / step)
	ahead := make([]float64, int(e.until.Sub(r.History.Time(e.judge))/step)+1+horizon)
	for i := range ahead {
		ahead[i] = seasons.at(len(past)+i, len(past))
	}
	t := &tendency{season: seasons.longest(), ahead: ahead, trends: learnTrends(calm, step, 2*r.Horizon), courses: coursesOf(calm, horizon)}
	reach := fewestInTrend
	for _, known := range t.trends {
		reach = max(reach, known.window)
	}
	t.before = append(t.before, calm[max(len(calm)-reach, 0):]...) // the rest of the past is let go
	return t, nil
}

// coursesOf are stretches of the past as long as the horizon, measured from the
// level at their beginning and spread evenly over what was learned.
func coursesOf(calm []float64, horizon int) [][]float32 {
	var found [][]float32
	room := len(calm) - horizon - fewestInTrend
	for k := 0; k < courses && room > 0; k++ {
		at := fewestInTrend + k*room/courses
		_, level := slopeOf(calm[at-fewestInTrend : at])
		if math.IsNaN(level) {
			continue
		}
		course := make([]float32, horizon)
		for h := range course {
			course[h] = float32(calm[at+h] - level)
		}
		found = append(found, course)
	}
	return found
}

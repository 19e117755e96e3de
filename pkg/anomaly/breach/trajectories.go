package breach

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// courses is how many possible futures of each kind are looked at.
const courses = 128

// trajectories is what an epoch's past teaches of how a series goes on. It depends
// on nothing else.
type trajectories struct {
	season  int       // the longest; 0 for none
	ahead   []float64 // the seasons from the epoch's beginning to a horizon after its end
	before  []float64 // the past without the seasons, as much of its end as trends look at
	trends  []trend
	courses [][]float32 // of the past, from their level; half the size, and no answer needs more digits
}

// Size is about how many bytes a trajectories takes.
func (t *trajectories) Size() int {
	const others, ofTrend = 500, 800
	size := others + ofTrend*len(t.trends) + 8*(len(t.ahead)+len(t.before))
	for _, course := range t.courses {
		size += 4 * len(course)
	}
	return size
}

func learn(r Request, s anomaly.Split) (*trajectories, error) {
	step := r.History.Step
	past := r.History.Values[s.Train:s.Test]
	if err := anomaly.RequireTraining(r.History, s); err != nil {
		return nil, err
	}
	durations := r.Seasons
	if len(durations) == 0 {
		durations = series.Calendar
	}
	seasons := anomaly.LearnPattern(past, series.Periods(durations, step))
	calm := make([]float64, len(past))
	for i, v := range past {
		calm[i] = v - seasons.At(i)
	}
	horizon := int(r.Horizon / step)
	ahead := make([]float64, int(s.Until.Sub(r.History.Time(s.Test))/step)+1+horizon)
	for i := range ahead {
		ahead[i] = seasons.At(len(past) + i)
	}
	t := &trajectories{season: seasons.Longest(), ahead: ahead, trends: learnTrends(calm, step, 2*r.Horizon), courses: coursesOf(calm, horizon)}
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

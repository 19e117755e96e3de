package breach

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// analogs are the starts most like a state, in order of time.
func (t *trajectories) analogs(s state) []start {
	if len(t.starts) <= maxAnalogs {
		return t.starts
	}
	distance := make([]float64, len(t.starts))
	for i, candidate := range t.starts {
		for k, v := range candidate.state.traits {
			if t.scale[k] > 0 {
				d := (v - s.traits[k]) / t.scale[k]
				distance[i] += d * d
			}
		}
	}
	limit := stats.OrderStatistic(slices.Clone(distance), maxAnalogs-1)
	found := make([]start, 0, maxAnalogs)
	for i, d := range distance {
		if d <= limit && len(found) < maxAnalogs {
			found = append(found, t.starts[i])
		}
	}
	return found
}

// negligible is the probability of a trend below which it is not followed.
const negligible = 1e-3

// need is how far above a level the threshold lies at each point ahead.
func (v *view) need(level float64) []float64 {
	need := make([]float64, v.o.horizon)
	for h := range need {
		need[h] = v.o.threshold - v.o.ahead[v.at+1+h] - level
	}
	return need
}

// reachable says whether any trajectory could reach the threshold from here.
func (v *view) reachable() bool {
	reach := v.o.top
	for k, offset := range v.state.offsets {
		reach += (math.Abs(offset) + v.o.widest[k]) * v.o.felt[k]
	}
	return reach >= slices.Min(v.need(v.state.level))
}

// continued weighs the futures in which the series goes on as it did after
// states like the present one: the trajectories of the analogs, moved to the
// present level and by what the differences between the states are worth.
func (v *view) continued(analogs []start) {
	weight := (1 - v.trending) / float64(len(analogs))
	response := &v.o.response
	need := v.need(v.state.level)
	least := slices.Min(need)
	for _, s := range analogs {
		var d [offsets]float64
		reach := s.top
		for k := range d {
			d[k] = v.state.offsets[k] - s.state.offsets[k]
			reach += math.Abs(d[k]) * v.o.felt[k]
		}
		if reach < least {
			continue // it cannot get there
		}
		path := v.o.past[s.at+1:][:v.o.horizon]
		for h, value := range path {
			moved := float64(value) - s.state.level + d[0]*response[0][h] + d[1]*response[1][h] + d[2]*response[2][h]
			if moved >= need[h] {
				v.crossed[h] += weight
				break
			}
		}
	}
}

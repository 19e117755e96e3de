package replay

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// Record is what a rule's query answered at each of many instants.
type Record struct {
	// Times are those of the evaluations, Interval apart.
	Times []time.Time
	// Labels are those of the instances, by their number; number 0 has none.
	Labels []series.Labels
	// Series holds what each series was at each of the times; NaN for no data or,
	// with Absent, for a series that was not there.
	Series [][]float64
	Absent bool
	Runs   []Run
}

// Run is a stretch of evaluations that answered for the same instances.
type Run struct {
	From, To int // evaluations From ≤ i < To
	// Series and Instances are the numbers of the series that were there, and of the
	// instances they are.
	Series, Instances []int
	// Failed says that the evaluations failed.
	Failed bool
}

// Number is the number of an instance, which is added where it is new.
func (r *Record) Number(labels series.Labels) int {
	if len(r.Labels) == 0 {
		r.Labels = []series.Labels{{}}
	}
	if len(labels) == 0 {
		return Unlabelled
	}
	key := labels.String()
	if i := slices.IndexFunc(r.Labels, func(l series.Labels) bool { return l.String() == key }); i >= 0 {
		return i
	}
	r.Labels = append(r.Labels, labels)
	return len(r.Labels) - 1
}

// Play evaluates a rule over the times from Times[from] to Times[to-1].
func (r *Record) Play(rule Rule, from, to int) *Machine {
	m := NewMachine(rule)
	var ids []int
	var values []float64
	for _, run := range r.Runs {
		for i := max(run.From, from); i < min(run.To, to); i++ {
			if run.Failed {
				m.Fail(r.Times[i])
				continue
			}
			ids, values = ids[:0], values[:0]
			for k, s := range run.Series {
				v := r.Series[s][i]
				if r.Absent && math.IsNaN(v) {
					continue
				}
				ids, values = append(ids, run.Instances[k]), append(values, v)
			}
			m.Evaluate(r.Times[i], ids, values)
		}
	}
	return m
}

// Evaluated is how many values there are, and Answered how many of them are no
// gaps.
func (r *Record) Evaluated() (all, answered int) {
	for _, run := range r.Runs {
		for _, s := range run.Series {
			for i := run.From; i < run.To; i++ {
				all++
				if !math.IsNaN(r.Series[s][i]) {
					answered++
				}
			}
		}
	}
	return all, answered
}

// With is a record of the same evaluations with other values.
func (r *Record) With(values [][]float64) *Record {
	other := *r
	other.Series = values
	return &other
}

package breach

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Course is the probability of a crossing, as a rule evaluated it again and again.
type Course struct {
	// Latest is what the rule evaluated at the end of each span; NaN for no data.
	Latest []float64
	// Actual and Probability are of every point, in runs that do not overlap.
	Actual      []series.Series
	Probability [][]float64
}

// Replay predicts as Predict would at each of the spans, with what was known at
// their ends, bit for bit. The spans are in the order of time and begin in one
// epoch, as those of anomaly.Replay.
func Replay(r Request, spans []anomaly.Span) (Course, error) {
	var course Course
	for len(spans) > 0 {
		n := 1
		if anomaly.Settled(r.History, spans[0]) {
			for n < len(spans) && anomaly.Settled(r.History, spans[n]) {
				n++
			}
		}
		run := r
		run.From = spans[0].From
		last := r.History.Index(spans[n-1].To.Add(r.History.Step))
		run.History.Values = r.History.Values[:min(max(last, 0), r.History.Len())]
		result, err := Predict(run)
		if err != nil {
			return course, err
		}
		for _, s := range spans[:n] {
			course.Latest = append(course.Latest, result.latest(s))
		}
		course.add(result)
		spans = spans[n:]
	}
	return course, nil
}

// latest is the newest probability of a span, if it is recent.
func (r Result) latest(s anomaly.Span) float64 {
	from, to := max(r.Actual.Index(s.From), 0), min(r.Actual.Index(s.To), len(r.Probability)-1)
	if from > to {
		return math.NaN()
	}
	return anomaly.Latest(r.Probability[from : to+1])
}

// add takes in what was not judged before.
func (c *Course) add(r Result) {
	skip := 0
	if n := len(c.Actual); n > 0 {
		last := c.Actual[n-1]
		skip = min(max(r.Actual.Index(last.Time(last.Len())), 0), r.Actual.Len())
	}
	if skip == r.Actual.Len() {
		return
	}
	actual := r.Actual
	actual.Start, actual.Values = actual.Time(skip), actual.Values[skip:]
	c.Actual, c.Probability = append(c.Actual, actual), append(c.Probability, r.Probability[skip:])
}

package anomaly

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// apartTime is how far apart extremes are separate events.
const (
	apartTime   = 30 * time.Minute
	fewestApart = 5 // points
)

// judge appends the points of one epoch that lie in the window to the result.
func judge(r Request, e epoch, result *Result) error {
	y := series.Series{
		Start: r.History.Time(e.learn), Step: r.History.Step, Values: r.History.Values[e.learn:e.end],
	}
	learn := e.judge - e.learn
	if seen := (series.Series{Values: y.Values[:learn]}).Observed(); seen < fewestLearned {
		return fmt.Errorf("%w: %d points of history before %s, %d needed to tell what is usual",
			forecast.ErrShortHistory, seen, y.Time(learn).UTC().Format(time.RFC3339), fewestLearned)
	}
	expected, err := expect(r, y, learn)
	if err != nil {
		return err
	}
	first := r.History.Len() - result.Actual.Len() + len(result.Expected) - e.learn
	m := measure(r, y, expected, learn, first)
	below, above := m.points.Bounds(r.Probability)
	for i := first; i < len(y.Values); i++ {
		center := expected.expected[i]
		lower := center - below*m.scale.at(i, -1)
		upper := center + above*m.scale.at(i, 1)
		score := m.score(r, i, y.Values[i]-center)
		result.append(r.NonNegative, center, lower, upper, score)
	}
	for k := range result.Judgements {
		result.Judgements[k].Probability = append(result.Judgements[k].Probability, m.probability[k][first:]...)
	}
	result.Model, result.Season = expected.model, expected.season
	for name, v := range expected.parameters {
		result.Parameters[name] = v
	}
	for _, shift := range expected.shifts {
		if shift.at >= first {
			result.Shifts = append(result.Shifts, Shift{Time: y.Time(shift.at), By: shift.by})
			result.notice("a new level was accepted at %s", y.Time(shift.at).UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func (r *Result) append(nonNegative bool, center, lower, upper, score float64) {
	if nonNegative {
		center, lower, upper = max(center, 0), max(lower, 0), max(upper, 0)
	}
	r.Expected = append(r.Expected, center)
	r.Lower = append(r.Lower, lower)
	r.Upper = append(r.Upper, upper)
	r.Score = append(r.Score, score)
}

// measured is how unusual each point is in the eyes of each detector.
type measured struct {
	scale       scale
	points      detector.Calibration // of standardised residuals
	probability [][]float64          // by detector and point
}

func measure(r Request, y series.Series, e expectation, learn, first int) measured {
	residual := make([]float64, len(y.Values))
	for i, v := range y.Values {
		residual[i] = v - e.expected[i]
	}
	apart := max(int(apartTime/y.Step), fewestApart)
	m := measured{scale: learnScale(residual[:learn], y.Step)}
	in := detector.Input{
		Value: e.unshifted(y.Values), Residual: m.scale.standardise(residual), Learn: learn, From: first, Step: y.Step,
	}
	m.points = detector.Calibrate(in.Residual[:learn], apart)
	for _, name := range r.Detectors {
		d, _ := detector.Named(name) // validated
		m.probability = append(m.probability, probabilities(d, in, apart, r.Direction))
	}
	return m
}

// probabilities of the scores from in.From on, two-sided; NaN where the
// detector cannot judge.
func probabilities(d detector.Detector, in detector.Input, apart int, direction Direction) []float64 {
	scores := d.Score(in)
	calibration := detector.Calibrate(scores[:in.Learn], apart)
	found := make([]float64, len(scores))
	for i := in.From; i < len(scores); i++ {
		switch score := scores[i]; {
		case math.IsNaN(score):
			found[i] = math.NaN()
		case direction == Above && score < 0, direction == Below && score > 0:
			found[i] = 1
		default:
			found[i] = min(2*calibration.Probability(score), 1)
		}
	}
	return found
}

// score of point i: the surprise of all detectors together.
func (m measured) score(r Request, i int, residual float64) float64 {
	switch {
	case math.IsNaN(residual):
		return math.NaN()
	case math.Abs(residual) < r.MinDeviation, r.Direction == Above && residual <= 0, r.Direction == Below && residual >= 0:
		return 0
	}
	each := make([]float64, 0, len(m.probability))
	for k, name := range r.Detectors {
		// On one side only what knows sides can testify.
		if d, _ := detector.Named(name); r.Direction == Both || detector.Sided(d) {
			each = append(each, m.probability[k][i])
		}
	}
	combined, _ := detector.Combine(each)
	if math.IsNaN(combined) {
		return 0 // no detector has seen enough to say anything
	}
	return Score(combined)
}

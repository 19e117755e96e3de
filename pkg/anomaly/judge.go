package anomaly

import (
	"fmt"
	"math"
	"time"

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
	m := measure(y, expected.expected, learn)
	first := r.History.Len() - result.Actual.Len() + len(result.Expected) - e.learn
	below, above := m.points.bounds(r.Probability)
	for i := first; i < len(y.Values); i++ {
		center := expected.expected[i]
		lower := center - below*m.scale.at(i, -1)
		upper := center + above*m.scale.at(i, 1)
		score := m.score(r, i, y.Values[i]-center)
		result.append(r.NonNegative, center, lower, upper, score)
	}
	result.Model, result.Season = expected.model, expected.season
	for name, v := range expected.parameters {
		result.Parameters[name] = v
	}
	for _, shift := range expected.shifts {
		if shift >= first {
			result.notice("a new level was accepted at %s", y.Time(shift).UTC().Format(time.RFC3339))
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

// measured is how unusual each residual is, by itself and with those before it.
type measured struct {
	scale           scale
	z               []float64
	points          calibration
	rising, falling []float64    // sustained evidence above and below
	rises, falls    evidenceTail // of that evidence
}

func measure(y series.Series, expected []float64, learn int) measured {
	residual := make([]float64, len(y.Values))
	for i, v := range y.Values {
		residual[i] = v - expected[i]
	}
	apart := max(int(apartTime/y.Step), fewestApart)
	m := measured{scale: learnScale(residual[:learn], y.Step)}
	m.z = m.scale.standardise(residual)
	m.points = calibrate(m.z[:learn], apart)
	m.rising, m.falling = sustained(m.z, 1), sustained(m.z, -1)
	m.rises, m.falls = learnEvidence(m.rising[:learn]), learnEvidence(m.falling[:learn])
	return m
}

// score of point i: the smaller of the probabilities of the point itself and of
// the evidence that led to it, doubled for having looked twice.
func (m measured) score(r Request, i int, residual float64) float64 {
	z := m.z[i]
	switch {
	case math.IsNaN(z):
		return math.NaN()
	case math.Abs(residual) < r.MinDeviation, r.Direction == Above && residual <= 0, r.Direction == Below && residual >= 0:
		return 0
	}
	probability := m.points.probability(z)
	evidence := 1.0
	if z > evidenceSlack {
		evidence = m.rises.probability(m.rising[i])
	} else if z < -evidenceSlack {
		evidence = m.falls.probability(m.falling[i])
	}
	return Score(min(2*min(probability, 2*evidence), 1))
}

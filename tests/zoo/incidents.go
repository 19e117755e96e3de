package zoo

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Kind is what goes wrong.
type Kind string

// The kinds of incidents.
const (
	None       Kind = ""
	Drop       Kind = "drop to 30 %"
	Outage     Kind = "outage"
	Rise       Kind = "rise"
	Spike      Kind = "spike"
	Creep      Kind = "creep"
	Saturation Kind = "saturation"
	Burst      Kind = "burst"
	FlatLine   Kind = "flat line"
	LostRhythm Kind = "lost rhythm"
	Variance   Kind = "rise of variance"
	EarlyJob   Kind = "early job"
	MissingJob Kind = "late job"
)

// Incident is when something goes wrong. End is its last point.
type Incident struct {
	Kind       Kind
	Start, End time.Time
}

// effect is how an incident changes the values from its beginning on.
type effect struct {
	length time.Duration
	least  int // points
	apply  func(m Metric, from, to int, r *rand.Rand)
}

var effects = map[Kind]effect{
	Drop:   {90 * time.Minute, 2, scaled(0.3)},
	Outage: {40 * time.Minute, 2, scaled(0)},
	Rise: {time.Hour, 2, func(m Metric, from, to int, _ *rand.Rand) {
		m.each(from, to, func(v float64) float64 { return v + max(math.Abs(v), 8*m.spread(from)) })
	}},
	Spike: {4 * time.Minute, 1, func(m Metric, from, to int, _ *rand.Rand) {
		m.each(from, to, func(v float64) float64 { return v + 15*m.spread(from) + 0.3*m.span(from) })
	}},
	Creep: {3 * time.Hour, 4, func(m Metric, from, to int, _ *rand.Rand) {
		whole := 12*m.spread(from) + 0.3*m.span(from)
		for i := from; i < to; i++ {
			m.Series.Values[i] += whole * float64(i-from+1) / float64(to-from)
		}
	}},
	Saturation: {2 * time.Hour, 3, func(m Metric, from, to int, _ *rand.Rand) {
		top := m.quantile(from, 1) + 0.1*m.span(from) + 4*m.spread(from)
		m.each(from, to, func(float64) float64 { return top })
	}},
	Burst: {20 * time.Minute, 2, func(m Metric, from, to int, r *rand.Rand) {
		most := max(m.quantile(from, 1), 1)
		m.each(from, to, func(v float64) float64 { return v + math.Round(most*(3+2*r.Float64())) })
	}},
	FlatLine: {4 * time.Hour, 6, func(m Metric, from, to int, _ *rand.Rand) {
		still := m.Series.Values[from]
		m.each(from, to, func(float64) float64 { return still })
	}},
	LostRhythm: {8 * time.Hour, 4, func(m Metric, from, to int, _ *rand.Rand) {
		night := m.quantile(from, 0.1)
		m.each(from, to, func(v float64) float64 { return night + 0.05*(v-night) })
	}},
	Variance: {3 * time.Hour, 6, func(m Metric, from, to int, r *rand.Rand) {
		spread := m.spread(from)
		m.each(from, to, func(v float64) float64 { return v + 6*spread*r.NormFloat64() })
	}},
	// A job four hours early is seen where it should not be, a late one is
	// missing where it should be.
	EarlyJob:   {90 * time.Minute, 1, copied(4 * time.Hour)},
	MissingJob: {45 * time.Minute, 1, copied(-3 * time.Hour)},
}

func scaled(by float64) func(m Metric, from, to int, r *rand.Rand) {
	return func(m Metric, from, to int, _ *rand.Rand) {
		m.each(from, to, func(v float64) float64 { return by * v })
	}
}

// copied shows what is there some time later, or earlier.
func copied(ahead time.Duration) func(m Metric, from, to int, r *rand.Rand) {
	return func(m Metric, from, to int, _ *rand.Rand) {
		shift := int(ahead / m.Series.Step)
		before := slices.Clone(m.Series.Values)
		for i := from; i < to && i+shift < len(before); i++ {
			m.Series.Values[i] = before[i+shift]
		}
	}
}

// inject lets an incident happen on the first judged day, at noon or around the
// job.
func (m Metric) inject(kind Kind, r *rand.Rand) Incident {
	if kind == None {
		return Incident{}
	}
	e := effects[kind]
	hour := 11
	switch kind {
	case EarlyJob:
		hour = m.Shape.job - 4
	case MissingJob:
		hour = m.Shape.job
	}
	at := m.From.Add(time.Duration(hour) * time.Hour)
	if at.Before(m.From) {
		at = at.Add(24 * time.Hour)
	}
	if m.Shape.Location != nil {
		local := m.From.In(m.Shape.Location)
		at = time.Date(local.Year(), local.Month(), local.Day()+1, hour, 0, 0, 0, m.Shape.Location)
	}
	last := m.Series.Time(m.Series.Len())
	if at.Add(e.length).After(last) {
		at = m.From.Add(last.Sub(m.From) / 4) // a short judged part
	}
	from := m.Series.Index(at)
	to := min(from+max(int(e.length/m.Series.Step), e.least), m.Series.Len())
	e.apply(m, from, to, r)
	return Incident{Kind: kind, Start: m.Series.Time(from), End: m.Series.Time(to - 1)}
}

func (m Metric) each(from, to int, change func(v float64) float64) {
	for i := from; i < to; i++ {
		m.Series.Values[i] = change(m.Series.Values[i])
	}
}

// spread is how far neighbouring values lie apart at most times of the day
// before.
func (m Metric) spread(from int) float64 {
	past := m.before(from)
	changes := make([]float64, 0, len(past))
	for i := 1; i < len(past); i++ {
		changes = append(changes, past[i]-past[i-1])
	}
	return stats.Spread(changes) / math.Sqrt2
}

func (m Metric) span(from int) float64 { return m.quantile(from, 0.99) - m.quantile(from, 0.01) }

func (m Metric) quantile(from int, q float64) float64 {
	observed := stats.Observed(m.before(from))
	slices.Sort(observed)
	if len(observed) == 0 {
		return 0
	}
	return observed[int(q*float64(len(observed)-1))]
}

// before are the values of the day before.
func (m Metric) before(from int) []float64 {
	return m.Series.Values[max(from-int(24*time.Hour/m.Series.Step), 0):from]
}

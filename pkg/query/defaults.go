package query

import (
	"cmp"
	"time"
)

// The defaults of the query language, in one place.
const (
	DefaultModel               = "auto"
	DefaultHistory             = Duration(14 * 24 * time.Hour)
	DefaultForecastProbability = 0.95
	DefaultAnomalyProbability  = 0.99
	DefaultDirection           = "both"
	DefaultThreshold           = 75
	DefaultNonNegative         = true
	DefaultMaxTraces           = 400
)

// WithDefaults fills in what was not asked for. The horizon stays open: it
// follows from the window.
func (q Forecast) WithDefaults() Forecast {
	q.Common = q.Common.withDefaults()
	q.Model = cmp.Or(q.Model, DefaultModel)
	q.History = cmp.Or(q.History, DefaultHistory)
	q.Probability = cmp.Or(q.Probability, DefaultForecastProbability)
	q.NonNegative = orTrue(q.NonNegative)
	return q
}

// WithDefaults fills in what was not asked for.
func (q Anomaly) WithDefaults() Anomaly {
	q.Common = q.Common.withDefaults()
	q.Model = cmp.Or(q.Model, DefaultModel)
	q.History = cmp.Or(q.History, DefaultHistory)
	q.Probability = cmp.Or(q.Probability, DefaultAnomalyProbability)
	q.Direction = cmp.Or(q.Direction, DefaultDirection)
	q.Threshold = cmp.Or(q.Threshold, DefaultThreshold)
	q.NonNegative = orTrue(q.NonNegative)
	return q
}

// WithDefaults fills in what was not asked for. The populations stay open:
// they follow from the versions in the window.
func (q TraceDiff) WithDefaults() TraceDiff {
	q.Common = q.Common.withDefaults()
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// WithDefaults fills in what was not asked for.
func (q Deploys) WithDefaults() Deploys { return Deploys{q.Common.withDefaults(), q.Service} }

// WithDefaults fills in what was not asked for.
func (q Services) WithDefaults() Services { return Services{q.Common.withDefaults()} }

// WithDefaults fills in what was not asked for.
func (q Operations) WithDefaults() Operations {
	return Operations{q.Common.withDefaults(), q.Service}
}

// WithDefaults fills in what was not asked for.
func (q Versions) WithDefaults() Versions { return Versions{q.Common.withDefaults(), q.Service} }

// withDefaults leaves the format open: it depends on who asks, see FormatOf.
func (c Common) withDefaults() Common {
	c.SchemaVersion = cmp.Or(c.SchemaVersion, SchemaVersion)
	return c
}

func orTrue(b *bool) *bool {
	if b == nil {
		return new(true)
	}
	return b
}

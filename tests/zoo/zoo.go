// Package zoo draws the shapes that operations metrics have, quiet and with
// incidents, from fixed seeds: what a detector should leave alone and what it
// should find is then known.
package zoo

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// Shape is one kind of metric.
type Shape struct {
	Name string
	// begin starts a metric; the function that it gives draws the value at each
	// time, which ascend by step. The judged part begins at judged.
	begin func(r *rand.Rand, step time.Duration, judged time.Time) func(at time.Time) float64
	// Incidents are those that can be told from the shape.
	Incidents []Kind
	// Location is whose clock the metric follows; nil for UTC.
	Location *time.Location
	// From is the first judged day, where the calendar matters.
	From time.Time
	// job is the hour at which a job runs, where there is one.
	job int
}

// Metric is a drawn metric: what lies before From is history.
type Metric struct {
	Shape    Shape
	Series   series.Series
	From     time.Time
	Incident Incident // of kind None for a quiet metric
}

// monday is the first judged day of most metrics: the weekend comes later.
var monday = time.Date(2026, time.September, 14, 0, 0, 0, 0, time.UTC)

// Draw draws a metric with history before its judged part. A seed gives the same
// metric each time.
func Draw(s Shape, kind Kind, step, history, judged time.Duration, seed uint64) Metric {
	from := monday
	if !s.From.IsZero() {
		from = s.From
	}
	name := fnv.New64a()
	name.Write([]byte(s.Name))
	r := rand.New(rand.NewPCG(seed, name.Sum64()))
	start := from.Add(-history).Truncate(step)
	next := s.begin(r, step, from)
	values := make([]float64, int((history+judged)/step))
	for i := range values {
		at := start.Add(time.Duration(i) * step)
		if s.Location != nil {
			at = at.In(s.Location)
		}
		values[i] = next(at)
	}
	m := Metric{Shape: s, Series: series.Series{Start: start, Step: step, Values: values}, From: from}
	m.Incident = m.inject(kind, r)
	return m
}

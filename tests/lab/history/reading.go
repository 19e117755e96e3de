package history

import (
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

type kind int

const (
	counter kind = iota
	classic      // histogram with fixed bounds, one series per bucket
	native       // histogram with exponential bounds in one series
	gauge
)

// reading is the value of one series, or of one histogram, at an instant.
type reading struct {
	kind    kind
	name    string // as Prometheus names it
	labels  labels.Labels
	bounds  []float64       // classic: upper bounds without infinity
	schema  int32           // native
	buckets map[int]float64 // counts by bucket; a counter has one, number 0
	sum     float64         // histograms: of all observations
	value   float64         // gauge
	integer bool            // gauge: whole numbers only
}

func (r reading) key() string { return r.name + r.labels.String() }

// read turns a metric of the SDK into readings.
func read(m metricdata.Metrics, identity shop.Identity) ([]reading, error) {
	name, err := metricName(m)
	if err != nil {
		return nil, err
	}
	var readings []reading
	add := func(r reading, err error) error {
		r.name = name
		readings = append(readings, r)
		return err
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			r := reading{kind: gauge, value: float64(p.Value), integer: true}
			if data.IsMonotonic {
				r = reading{kind: counter, buckets: map[int]float64{0: float64(p.Value)}}
			}
			if r.labels, err = seriesLabels(identity, p.Attributes); add(r, err) != nil {
				return nil, err
			}
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			r := reading{kind: gauge, value: p.Value}
			if r.labels, err = seriesLabels(identity, p.Attributes); add(r, err) != nil {
				return nil, err
			}
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			r := reading{kind: classic, bounds: p.Bounds, sum: p.Sum, buckets: map[int]float64{}}
			for i, count := range p.BucketCounts {
				r.buckets[i] = float64(count)
			}
			if r.labels, err = seriesLabels(identity, p.Attributes); add(r, err) != nil {
				return nil, err
			}
		}
	case metricdata.ExponentialHistogram[float64]:
		for _, p := range data.DataPoints {
			r := reading{kind: native, schema: p.Scale, sum: p.Sum, buckets: map[int]float64{}}
			for i, count := range p.PositiveBucket.Counts {
				// OpenTelemetry numbers a bucket by its lower bound, Prometheus
				// by its upper.
				r.buckets[int(p.PositiveBucket.Offset)+i+1] = float64(count)
			}
			if r.labels, err = seriesLabels(identity, p.Attributes); add(r, err) != nil {
				return nil, err
			}
		}
	}
	return readings, nil
}

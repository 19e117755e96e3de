package history

import (
	"maps"
	"slices"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// measurement is what the shop shows at one level.
type measurement struct {
	began  map[string]reading              // counters and histograms at the end of the warm-up
	rates  map[string]rate                 // and their growth per second since
	gauges map[string][]map[string]reading // samples of a gauge at one instance
}

// rate is the growth of a counter or histogram per second.
type rate struct {
	reading
	calls bool // Tempo's span metrics: a counter repeats the histogram's count
}

func newMeasurement() *measurement {
	return &measurement{map[string]reading{}, map[string]rate{}, map[string][]map[string]reading{}}
}

func (m *measurement) begin(data metricdata.Metrics, identity shop.Identity) error {
	readings, err := read(data, identity)
	for _, r := range readings {
		m.began[r.key()] = r
	}
	return err
}

// finish books the growth of counters and histograms since begin.
func (m *measurement) finish(seconds float64, data metricdata.Metrics, identity shop.Identity) error {
	readings, err := read(data, identity)
	for _, r := range readings {
		if r.kind != gauge {
			m.rates[r.key()] = rate{reading: r.since(m.began[r.key()], seconds)}
		}
	}
	return err
}

// finishSpans books the span metrics, which began at zero.
func (m *measurement) finishSpans(seconds float64, spans *spanMetrics) {
	for key, counted := range spans.counts {
		r := reading{kind: classic, name: spanLatency, labels: key.labels(), bounds: spanBounds, sum: counted.sum, buckets: map[int]float64{}}
		for i, count := range counted.buckets {
			r.buckets[i] = count
		}
		m.rates[r.key()] = rate{reading: r.since(reading{}, seconds), calls: true}
	}
}

// sample books one sample of every gauge.
func (m *measurement) sample(data metricdata.Metrics, identity shop.Identity) error {
	readings, err := read(data, identity)
	samples := map[string]reading{}
	group := ""
	for _, r := range readings {
		if r.kind == gauge {
			group = r.name + r.labels.Get("instance")
			samples[r.key()] = r
		}
	}
	if group != "" {
		m.gauges[group] = append(m.gauges[group], samples)
	}
	return err
}

// since is the growth per second from an earlier reading.
func (r reading) since(before reading, seconds float64) reading {
	growth := r
	growth.buckets = make(map[int]float64, len(r.buckets))
	for bucket, count := range r.buckets {
		growth.buckets[bucket] = (count - before.buckets[bucket]) / seconds
	}
	growth.sum = (r.sum - before.sum) / seconds
	return growth
}

// family is a counter or histogram with its growth at every level.
type family struct {
	reading // of any level: its buckets and sum mean nothing
	calls   bool
	levels  []reading
}

// gaugeGroup is the series of one gauge at one instance, with the values seen
// at each level: values[level][sample][series].
type gaugeGroup struct {
	series []reading
	values [][][]float64
}

// sources turns the measurements of all levels into generators, in a fixed
// order.
func sources(measured []*measurement, seed uint64) []source {
	families := map[string]*family{}
	groups := map[string]*gaugeGroup{}
	for level, m := range measured {
		for key, r := range m.rates {
			if families[key] == nil {
				families[key] = &family{reading: r.reading, calls: r.calls, levels: make([]reading, len(measured))}
			}
			families[key].levels[level] = r.reading
		}
		for key := range m.gauges {
			if groups[key] == nil {
				groups[key] = newGaugeGroup(measured, key)
			}
		}
	}
	var all []source
	for _, key := range slices.Sorted(maps.Keys(families)) {
		all = append(all, newCounting(families[key], seed))
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, newGauging(groups[key], seed))
	}
	return all
}

func newGaugeGroup(measured []*measurement, key string) *gaugeGroup {
	byKey := map[string]reading{}
	for _, m := range measured {
		for _, sample := range m.gauges[key] {
			maps.Copy(byKey, sample)
		}
	}
	keys := slices.Sorted(maps.Keys(byKey))
	group := &gaugeGroup{values: make([][][]float64, len(measured))}
	for _, k := range keys {
		group.series = append(group.series, byKey[k])
	}
	for level, m := range measured {
		for _, sample := range m.gauges[key] {
			values := make([]float64, len(keys))
			for i, k := range keys {
				values[i] = sample[k].value
			}
			group.values[level] = append(group.values[level], values)
		}
	}
	return group
}

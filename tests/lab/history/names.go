package history

import (
	"fmt"
	"slices"

	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// promoted are the resource attributes that the lab's Prometheus turns into
// labels; see servers.prometheusConfig.
var promoted = []attribute.Key{"service.name", "service.namespace", "service.version", "deployment.environment.name"}

// seriesLabels are the labels that Prometheus' OTLP receiver gives to a point,
// without the metric's name.
func seriesLabels(identity shop.Identity, attributes attribute.Set) (labels.Labels, error) {
	namer := otlptranslator.LabelNamer{}
	builder := labels.NewBuilder(labels.EmptyLabels())
	set := func(a attribute.KeyValue) error {
		name, err := namer.Build(string(a.Key))
		if err != nil {
			return fmt.Errorf("label of attribute %s: %w", a.Key, err)
		}
		builder.Set(name, a.Value.Emit())
		return nil
	}
	resource := map[attribute.Key]string{}
	for _, a := range identity {
		resource[a.Key] = a.Value.Emit()
		if slices.Contains(promoted, a.Key) {
			if err := set(a); err != nil {
				return labels.EmptyLabels(), err
			}
		}
	}
	for _, a := range attributes.ToSlice() {
		if err := set(a); err != nil {
			return labels.EmptyLabels(), err
		}
	}
	builder.Set("job", resource["service.namespace"]+"/"+resource["service.name"])
	builder.Set("instance", resource["service.instance.id"])
	return builder.Labels(), nil
}

// metricName is the name that Prometheus' OTLP receiver gives to a metric.
func metricName(m metricdata.Metrics) (string, error) {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: metricType(m.Data)})
	if err != nil {
		return "", fmt.Errorf("name of metric %s: %w", m.Name, err)
	}
	return name, nil
}

func metricType(data metricdata.Aggregation) otlptranslator.MetricType {
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		if data.IsMonotonic {
			return otlptranslator.MetricTypeMonotonicCounter
		}
		return otlptranslator.MetricTypeNonMonotonicCounter
	case metricdata.Histogram[float64]:
		return otlptranslator.MetricTypeHistogram
	case metricdata.ExponentialHistogram[float64]:
		return otlptranslator.MetricTypeExponentialHistogram
	}
	return otlptranslator.MetricTypeGauge
}

func named(base labels.Labels, name string) labels.Labels {
	return labels.NewBuilder(base).Set(labels.MetricName, name).Labels()
}

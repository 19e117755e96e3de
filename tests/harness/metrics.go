package harness

import (
	"bytes"
	"context"
	"fmt"

	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Usage is what a plugin process takes at the moment.
type Usage struct {
	ResidentMiB float64
	CPUSeconds  float64 // since it started
	Goroutines  float64
}

// Usage reads the process' own metrics, as Grafana does.
func (p *Plugin) Usage(ctx context.Context) (Usage, error) {
	response, err := p.diagnostics.CollectMetrics(ctx, &pluginv2.CollectMetricsRequest{})
	if err != nil {
		return Usage{}, err
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(response.Metrics.Prometheus))
	if err != nil {
		return Usage{}, fmt.Errorf("reading the plugin's metrics: %w", err)
	}
	value := func(name string) float64 {
		family := families[name]
		if family == nil || len(family.Metric) != 1 {
			err = fmt.Errorf("the plugin does not report %s", name)
			return 0
		}
		return family.Metric[0].GetGauge().GetValue() + family.Metric[0].GetCounter().GetValue()
	}
	usage := Usage{
		ResidentMiB: value("process_resident_memory_bytes") / (1 << 20),
		CPUSeconds:  value("process_cpu_seconds_total"),
		Goroutines:  value("go_goroutines"),
	}
	return usage, err
}

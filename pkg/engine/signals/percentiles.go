package signals

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/query"
)

// usualQuantile of latency is what presets read.
const usualQuantile = 0.95

// Percentiles are the quantiles of latency, between 0 and 1, that are signals of a
// service, the one that stands for it alone first. Those of the service "" are those
// of every other.
type Percentiles map[string][]float64

// Check says what is wrong with the quantiles of a service; nil for nothing.
func (p Percentiles) Check(service string) error {
	if count := len(p[service]); count == 0 || count > query.MaxQuantiles {
		return fmt.Errorf("quantiles has %d numbers: write one to %d between 0 and 1, as 0.95", count, query.MaxQuantiles)
	}
	return query.CheckQuantiles(p[service])
}

// of are the quantiles of a service; none where the usual one suffices.
func (p Percentiles) of(service string) []float64 {
	if own, has := p[service]; has {
		return own
	}
	return p[""]
}

// Narrowed is the finder with these quantiles for every service; the settings' for
// none.
func (e Finder) Narrowed(quantiles []float64) Finder {
	if len(quantiles) > 0 {
		e.Percentiles = Percentiles{"": quantiles}
	}
	return e
}

// withPercentiles replaces the latency of a service by its quantiles. They tell
// nearly the same, so that together they weigh what one does.
func (e Finder) withPercentiles(service string, found []BoundPreset) (all []BoundPreset) {
	quantiles := e.Percentiles.of(service)
	for _, p := range found {
		if p.Kind != Latency || p.Custom || len(quantiles) == 0 {
			all = append(all, p)
			continue
		}
		for _, q := range quantiles {
			one := p.At(q)
			one.Weight /= float64(len(quantiles))
			all = append(all, one)
		}
	}
	return all
}

// At is a preset of latency at another quantile.
func (f BoundPreset) At(q float64) BoundPreset {
	f.Name = strings.Replace(f.Name, percentText(f.quantile())+" latency", percentText(q)+" latency", 1)
	f.promQL = strings.Replace(f.promQL, quantileOf(f.quantile()), quantileOf(q), 1)
	f.at = q
	return f
}

// quantile is that of a preset of latency.
func (f BoundPreset) quantile() float64 {
	if f.at == 0 {
		return usualQuantile
	}
	return f.at
}

func percentText(q float64) string { return strconv.FormatFloat(100*q, 'g', 6, 64) + " %" }

// quantileOf is the begin of PromQL for a quantile.
func quantileOf(q float64) string {
	return "histogram_quantile(" + strconv.FormatFloat(q, 'g', -1, 64) + ", "
}

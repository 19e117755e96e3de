package signals

import (
	"context"
	"testing"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/promqltest"
)

// customTemplates name a service in every kind of literal that PromQL has.
var customTemplates = []string{
	`x{app="$service", b=~".*\"$service"}`, `rate(x{app='$service'}[$interval]) # it's "$service"`, "x{app=`$service`} / y{a=~`$service|b`, c!~ '$service'}",
}

func FuzzNamesInPromQL(f *testing.F) {
	producers := []promqltest.Producer{func(n promqltest.Names) []string {
		server := &promqltest.Recorder{}
		_, _ = Finder{Sources: core.Sources{Metrics: server}}.Presets(context.Background(), n.Service, time.Time{}, time.Time{})
		return server.Queries()
	}}
	matchers := presetNamings
	for i, p := range presets {
		producers = append(producers, func(n promqltest.Names) []string {
			return []string{BoundPreset{preset: p, naming: matchers[i%len(matchers)]}.Expr(n.Service, time.Minute)}
		})
	}
	for _, p := range probes {
		producers = append(producers, func(n promqltest.Names) []string { return []string{p.For(n.Service, time.Minute)} })
	}
	for _, template := range customTemplates {
		producers = append(producers, func(n promqltest.Names) []string { return []string{fillCustom(template, n.Service, time.Minute)} })
	}
	promqltest.FuzzNames(f, producers, 1, len(customTemplates))
}

package plugin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func done(all []upstreamHealth) (phases map[string]int) {
	phases = map[string]int{}
	for _, one := range all {
		phase := strings.TrimPrefix(strings.SplitN(one.Name, ":", 2)[0], "Adoption, ")
		if one.OK {
			phases[phase]++
		}
	}
	return phases
}

func TestAdoption(t *testing.T) {
	full := adopted{
		metrics: &upstream.MetricsCapabilities{SpanMetrics: true, SpanVersions: true}, traces: &upstream.TraceCapabilities{}, journeys: 2,
		alerts: count{N: 3}, feedback: count{N: 1}, acts: count{N: 2}, announced: count{N: 5},
		playbooks: playbook.Config{Mode: playbook.Recommend, Modes: map[playbook.Pattern]playbook.Mode{playbook.RetryStorm: playbook.Auto}, Services: []string{"cart"}},
	}
	require.Equal(t, map[string]int{"phase 1": 4, "phase 2": 2, "phase 3": 3, "phase 4": 1}, done(full.steps()))
	require.Empty(t, done(adopted{traces: &upstream.TraceCapabilities{Freshness: -1}}.steps()), "nothing is done where nothing is known")
	for name, change := range map[string]func(*adopted){
		"a step never occurs":  func(a *adopted) { a.silent = []string{"Checkout: web GET /"} },
		"no journeys":          func(a *adopted) { a.journeys = 0 },
		"metrics are down":     func(a *adopted) { a.journeysProblem = "Prometheus is down" },
		"alerts are unknown":   func(a *adopted) { a.alerts = count{Problem: "Grafana is down"} },
		"observe only":         func(a *adopted) { a.playbooks.Mode, a.playbooks.Modes = "", nil },
		"the kill switch":      func(a *adopted) { a.playbooks.KillSwitch = true },
		"no service is named":  func(a *adopted) { a.playbooks.Services = nil },
		"nothing is announced": func(a *adopted) { a.announced = count{} },
	} {
		t.Run(name, func(t *testing.T) {
			one := full
			change(&one)
			open := 0
			for _, step := range one.steps() {
				if !step.OK {
					open++
					require.Len(t, step.Advice, 1)
				}
			}
			require.Positive(t, open)
			require.LessOrEqual(t, open, 2)
		})
	}
}

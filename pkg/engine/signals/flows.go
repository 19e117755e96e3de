package signals

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// PodLabels are those under which metrics distinguish pods; the first that a
// series has counts.
var PodLabels = []string{"k8s_pod_name", "pod", "service_instance_id", "instance"}

// Flow is what was counted of a pod, or of the calls from one service to another,
// at each step: requests, failed ones, and the mean duration in seconds; NaN where
// nothing was.
type Flow struct {
	Service, Version, Pod       string // of pods
	Caller, Callee              string // of calls
	Requests, Failed, Durations []float64
}

// flowKey is what tells flows apart.
type flowKey struct{ service, version, pod string }

// PodFlows are the requests that services served, by version and pod as far as
// metrics tell these. Of a service that several metrics know, the first tells.
func (e Finder) PodFlows(ctx context.Context, services []string, window upstream.Range, basis *core.Provenance) (flows []Flow, err error) {
	known := map[string]bool{}
	err = e.eachSource(ctx, servedSources, window, func(source callMetrics) error {
		labels := append([]string{source.server, "service_version"}, PodLabels...)
		counts, err := e.flowCounts(ctx, source, labels, serverIs(source.server, services), window, basis, func(labels map[string]string) flowKey {
			key := flowKey{service: serviceName(labels[source.server]), version: labels["service_version"]}
			for _, label := range PodLabels {
				if key.pod == "" {
					key.pod = labels[label]
				}
			}
			return key
		})
		here := map[string]bool{}
		for _, key := range sortedKeys(counts) {
			if key.version != "" && slices.Contains(services, key.service) && !known[key.service] {
				here[key.service] = true
				flow := flowOf(counts[key], window.Points())
				flow.Service, flow.Version, flow.Pod = key.service, key.version, key.pod
				flows = append(flows, flow)
			}
		}
		for service := range here {
			known[service] = true
		}
		return err
	})
	return flows, err
}

// CallFlows are the calls from services to others.
func (e Finder) CallFlows(ctx context.Context, callers []string, window upstream.Range, basis *core.Provenance) (flows []Flow, err error) {
	known := map[flowKey]bool{}
	err = e.eachSource(ctx, callSources, window, func(source callMetrics) error {
		counts, err := e.flowCounts(ctx, source, []string{source.client, source.server}, serverIs(source.client, callers), window, basis, func(labels map[string]string) flowKey {
			return flowKey{service: serviceName(labels[source.client]), pod: serviceName(labels[source.server])}
		})
		for _, key := range sortedKeys(counts) {
			flow := flowOf(counts[key], window.Points())
			if key.pod == "" || !slices.Contains(callers, key.service) || known[key] || !slices.ContainsFunc(flow.Durations, isNumber) {
				continue
			}
			known[key] = true
			flow.Caller, flow.Callee = key.service, key.pod
			flows = append(flows, flow)
		}
		return err
	})
	return flows, err
}

func isNumber(v float64) bool { return !math.IsNaN(v) }

// eachSource reads the sources that exist, in their order.
func (e Finder) eachSource(ctx context.Context, sources []callMetrics, window upstream.Range, read func(callMetrics) error) error {
	if e.Metrics == nil {
		return core.ErrNoMetrics
	}
	existing, err := e.existing(ctx, sources, window)
	if err != nil {
		return err
	}
	for _, source := range sources {
		if existing[source.metric] {
			if err := read(source); err != nil {
				return err
			}
		}
	}
	return nil
}

// serverIs matches services by their names, also as the last part of a job and
// the first of a host.
func serverIs(label string, services []string) string {
	names := make([]string, 0, len(services))
	for _, s := range services {
		names = append(names, regexp.QuoteMeta(s))
	}
	pattern := "(" + strings.Join(names, "|") + ")"
	switch label {
	case "job":
		pattern = "(.+/)?" + pattern
	case "service", "service_name", "client", "server":
	default:
		pattern += `(\..+)?`
	}
	return fmt.Sprintf("%s=~%q", label, pattern)
}

func (e Finder) flowCounts(ctx context.Context, source callMetrics, labels []string, matcher string, window upstream.Range, basis *core.Provenance, keyOf func(map[string]string) flowKey) (map[flowKey]*tally, error) {
	selectors := []string{source.requests, source.failed, source.sum, source.count}
	sets := make([]upstream.SeriesSet, len(selectors))
	group, ctx := parallel.WithContext(ctx)
	for i, selector := range selectors {
		promQL := fmt.Sprintf("sum by (%s) (increase(%s[%ds]))", strings.Join(labels, ", "), withMatcher(selector, matcher), int(window.Step.Seconds()))
		basis.AddQuery("%s", promQL)
		group.Go(func() (err error) {
			sets[i], err = e.Metrics.QueryRange(ctx, promQL, window)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	counts := map[flowKey]*tally{}
	for i, set := range sets {
		for _, one := range set.Series {
			key := keyOf(one.Labels)
			if counts[key] == nil {
				counts[key] = &tally{}
			}
			t := counts[key]
			values := []*[]float64{&t.requests, &t.failed, &t.seconds, &t.timed}[i]
			*values = plus(*values, one.Values)
		}
	}
	for _, t := range counts {
		for i := range t.seconds {
			t.seconds[i] /= source.perSecond
		}
	}
	return counts, nil
}

func sortedKeys(counts map[flowKey]*tally) []flowKey {
	keys := make([]flowKey, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b flowKey) int {
		return strings.Compare(a.service+"\x00"+a.version+"\x00"+a.pod, b.service+"\x00"+b.version+"\x00"+b.pod)
	})
	return keys
}

func flowOf(t *tally, points int) Flow {
	flow := Flow{Requests: padded(t.requests, points), Failed: make([]float64, points), Durations: ratio(t.seconds, t.timed, points)}
	for i := range min(points, len(t.failed)) {
		flow.Failed[i] = core.Count(t.failed[i])
	}
	return flow
}

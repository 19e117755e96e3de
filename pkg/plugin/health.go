package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// healthDeadline leaves time to say which upstream hangs before Grafana's own
// limit cuts the check off.
const healthDeadline = 10 * time.Second

// upstreamHealth is what the check found out about one upstream.
type upstreamHealth struct {
	Name         string   `json:"name"`
	OK           bool     `json:"ok"`
	Message      string   `json:"message"`
	Category     string   `json:"category,omitempty"`
	Advice       []string `json:"advice,omitempty"`
	Capabilities any      `json:"capabilities,omitempty"`
	absent       bool
}

// CheckHealth probes both upstreams at once and says a line on each.
func (d *DataSource) CheckHealth(ctx context.Context, request *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	if d.unusable != nil {
		return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: d.unusable.Error()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthDeadline)
	defer cancel()
	ctx, leave, err := admitted(budget.WithCaller(ctx, budget.Of(request.PluginContext, false)))
	if err != nil {
		return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: err.Error()}, nil
	}
	defer leave()
	var metrics, traces upstreamHealth
	deploys := make([]upstreamHealth, len(d.engine.DeployLogs))
	var facts adopted
	var objectives objectivesHealth
	var probes parallel.Group
	probes.Go(func() error { metrics = d.checkMetrics(ctx); return nil })
	probes.Go(func() error { traces = d.checkTraces(ctx); return nil })
	probes.Go(func() error { facts = d.adoption(ctx); return nil })
	probes.Go(func() error { objectives = d.checkObjectives(ctx); return nil })
	for i, source := range d.engine.DeployLogs {
		probes.Go(func() error { deploys[i] = checkDeployLog(ctx, source); return nil })
	}
	if err := probes.Wait(); err != nil { // a panic
		return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: err.Error()}, nil
	}

	status := backend.HealthStatusOk
	var lines, verbose []string
	if metrics.absent && traces.absent {
		status = backend.HealthStatusError
	}
	for _, health := range []upstreamHealth{metrics, traces} {
		if !health.OK && !health.absent { // one upstream alone suffices
			status = backend.HealthStatusError
		}
		lines = append(lines, health.Message)
		verbose = append(verbose, health.Advice...)
	}
	for _, health := range deploys { // without them deploys are found all the same
		lines = append(lines, health.Message)
		verbose = append(verbose, health.Advice...)
	}
	if objectives.Message != "" {
		lines = append(lines, objectives.Message)
	}
	verbose = append(verbose, slices.Concat(d.settings.Notices, d.settings.VisibleSecrets)...)
	if found, is := metrics.Capabilities.(upstream.MetricsCapabilities); is {
		facts.metrics = &found
	}
	if found, is := traces.Capabilities.(upstream.TraceCapabilities); is {
		facts.traces = &found
	}
	details, err := json.Marshal(map[string]any{
		"adoption":       facts.steps(),
		"prometheus":     metrics,
		"traces":         traces,
		"deploys":        deploys,
		"objectives":     objectives,
		"verboseMessage": strings.Join(verbose, "\n"),
	})
	if err != nil {
		return nil, err
	}
	return &backend.CheckHealthResult{Status: status, Message: strings.Join(lines, ".\n") + ".", JSONDetails: details}, nil
}

func (d *DataSource) checkMetrics(ctx context.Context) upstreamHealth {
	if d.engine.Metrics == nil {
		return notConfigured("Prometheus", "Forecasts and anomalies need it: set prometheus.url, or prometheus.mode: grafana with a uid.")
	}
	found, err := d.engine.Metrics.Probe(ctx)
	if err != nil {
		return failedHealth("Prometheus", err)
	}
	health := upstreamHealth{Name: "Prometheus", OK: true, Capabilities: found}
	health.Message = fmt.Sprintf("%s %s: connected; %s, %s, %s", found.Product, found.Version,
		presence("span metrics", found.SpanMetrics), presence("service graph", found.ServiceGraph), presence("native histograms", found.NativeHistograms))
	if !found.SpanMetrics {
		health.Advice = append(health.Advice, "No span metrics were found in Prometheus: enable the span-metrics and service-graphs processors of Tempo's metrics generator, with service.version as a dimension, to get request rates and latencies per service without instrumentation of their own.")
	}
	if found.SpanMetrics && !found.SpanVersions {
		health.Advice = append(health.Advice, "Span metrics do not distinguish versions: with service.version among the dimensions of Tempo's span-metrics processor (metrics_generator.processor.span_metrics.dimensions), a deploy is seen before the trace store shows its traces.")
	}
	if found.SpanMetrics && !found.Exemplars {
		health.Advice = append(health.Advice, "Span metrics came without exemplars in the last ten minutes: with send_exemplars in the remote_write of Tempo's metrics generator, and Prometheus' --enable-feature=exemplar-storage, the newest traces can be had by their ids before searches find them.")
	}
	return health
}

func (d *DataSource) checkTraces(ctx context.Context) upstreamHealth {
	if d.engine.Traces == nil {
		return notConfigured("Tempo", "Deploys and trace diffs need it: set traces.url, or traces.mode: grafana with a uid.")
	}
	found, err := d.engine.Traces.Probe(ctx)
	if err != nil {
		return failedHealth(d.settings.TracesKind.title(), err)
	}
	health := upstreamHealth{Name: found.Product, OK: true, Capabilities: found}
	health.Message = fmt.Sprintf("%s: connected; %s, %s", strings.TrimSpace(found.Product+" "+found.Version),
		presence("TraceQL metrics", found.TraceQLMetrics), freshness(found))
	if d.settings.TracesKind != Tempo {
		health.Advice = append(health.Advice, found.MetricsMessage+".")
		return health
	}
	if !found.TraceQLMetrics {
		health.Advice = append(health.Advice, fmt.Sprintf("TraceQL metrics are not available (%s): deploys cannot be found by themselves until Tempo's local-blocks processor is enabled.", found.MetricsMessage))
	}
	switch {
	case found.Hidden > maxHidden:
		health.Advice = append(health.Advice, fmt.Sprintf("Tempo hides the newest %s from searches and TraceQL metrics, not from fetches by id: a deploy is judged that much later. Set query_frontend.query_end_cutoff to %s (above 0 where live_store.fail_on_high_lag is on), and live_store.max_trace_idle and live_store.flush_check_period to a second or two.", found.Hidden, maxHidden))
	case found.Freshness > maxStale:
		health.Advice = append(health.Advice, fmt.Sprintf("The newest searchable trace is %s old: if traffic flows, lower how long Tempo waits before it shows a trace, to see a deploy sooner: ingester.trace_idle_period and ingester.flush_check_period (Tempo 2), live_store.max_trace_idle and live_store.flush_check_period (Tempo 3).", found.Freshness.Round(time.Second)))
	}
	return health
}

// announcements is how far back announced deploys are looked for.
const announcements = 7 * 24 * time.Hour

// checkDeployLog reports whether announced deploys can be read.
func checkDeployLog(ctx context.Context, log engine.DeployLog) upstreamHealth {
	name := fmt.Sprintf("Announced deploys (%s)", log.Source)
	now := time.Now()
	found, warnings, err := log.Deploys.Read(ctx, now.Add(-announcements), now)
	if err != nil {
		health := failedHealth(name, err)
		health.Message = name + ": " + health.Message
		health.Advice = append(health.Advice, "Announced deploys cannot be read, those in traces and metrics are used: let the service account read annotations (annotations:read), or set deploys.annotationTags to an empty list.")
		return health
	}
	return upstreamHealth{Name: name, OK: true, Message: fmt.Sprintf("%s: connected; %d in the last week", name, len(found)), Advice: warnings}
}

const (
	// maxHidden and maxStale are how late traces may be without a word: 30
	// seconds after a deploy are promised.
	maxHidden = 5 * time.Second
	maxStale  = 20 * time.Second
)

func presence(what string, present bool) string {
	if present {
		return what + " found"
	}
	return "no " + what
}

func freshness(found upstream.TraceCapabilities) string {
	if found.Freshness < 0 {
		return "no traces in the last hour"
	}
	text := fmt.Sprintf("newest trace %s old", found.Freshness.Round(time.Second))
	if found.Hidden > 0 {
		text += fmt.Sprintf(" (the newest %s are hidden from searches)", found.Hidden)
	}
	return text
}

func notConfigured(name, advice string) upstreamHealth {
	return upstreamHealth{Name: name, Message: name + ": not configured", Category: "config", Advice: []string{advice}, absent: true}
}

func failedHealth(name string, err error) upstreamHealth {
	health := upstreamHealth{Name: name, Message: err.Error()}
	var known *upstream.Error
	if errors.As(err, &known) {
		health.Category = string(known.Category)
		if known.Advice != "" {
			health.Advice = []string{known.Advice}
		}
	}
	return health
}

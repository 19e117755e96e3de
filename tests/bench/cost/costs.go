// Package cost measures time, memory and upstream load of questions.
package cost

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("costs", "what one answer of each query type asks of Prometheus and Tempo: requests, bytes and processor time, cold, a minute later", costs)
}

// cost is what one upstream was asked for.
type cost struct {
	Requests int     `json:"requests"`
	KiB      float64 `json:"kib"` // of answers, as they went over the wire
}

type costFigures struct {
	Query string `json:"query"`
	// Cold is a data source that has never asked, Later the same question with
	// the window a minute on.
	ColdPrometheus  cost    `json:"cold_prometheus"`
	ColdTempo       cost    `json:"cold_tempo"`
	LaterPrometheus cost    `json:"later_prometheus"`
	LaterTempo      cost    `json:"later_tempo"`
	ColdSeconds     float64 `json:"cold_seconds"`
	LaterSeconds    float64 `json:"later_seconds"`
	// Processor time, less what the servers take anyway.
	ColdPlugin     float64 `json:"cold_plugin_cpu_ms"`
	LaterPlugin    float64 `json:"later_plugin_cpu_ms"`
	ColdUpstreams  float64 `json:"cold_upstreams_cpu_ms"`
	LaterUpstreams float64 `json:"later_upstreams_cpu_ms"`
}

// processors tells the processor time of a question apart from what the servers
// take for the shop.
type processors struct {
	meter *loadMeter
	idle  float64 // processor seconds a second, of all servers
}

func newProcessors(ctx context.Context, s *environment.Environment) (*processors, error) {
	meter, err := meterLoad(ctx, s)
	if err != nil {
		return nil, err
	}
	const while = 30 * time.Second
	time.Sleep(while)
	_, servers, err := meter.spentSince(ctx)
	return &processors{meter, servers / while.Seconds()}, err
}

// of gives the milliseconds that plugin and servers took for what is done.
func (p *processors) of(ctx context.Context, s *environment.Environment, do func() error) (plugin, servers float64, err error) {
	if p.meter, err = meterLoad(ctx, s); err != nil {
		return 0, 0, err
	}
	took, err := runner.Timed(do)
	if err != nil {
		return 0, 0, err
	}
	plugin, servers, err = p.meter.spentSince(ctx)
	return 1000 * plugin, 1000 * max(0, servers-p.idle*took.Seconds()), err
}

// costOf sums up what a server was asked.
func costOf(queried []environment.Work) cost {
	sum := cost{Requests: len(queried)}
	for _, one := range queried {
		sum.KiB += float64(one.Bytes) / 1024
	}
	return sum
}

const (
	oneSeries  = `sum(rate(http_server_request_duration_seconds_count{service_name="orders"}[5m]))`
	manySeries = `sum by (service, span_name) (rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[5m]))`
)

// costs asks after a deploy in the lab, each question of a data source of its
// own.
func costs(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("costs", flag.ContinueOnError)
	rate := flags.String("rate", "15", "requests per second of the shop, of about 16 spans each")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	ctx := context.Background()
	lab, err := environment.Start(ctx, io.Discard, "-history", "15d", "-rate", *rate)
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	prometheus, tempo := environment.Watch(lab.Prometheus), environment.Watch(lab.Tempo)
	defer prometheus.Close()
	defer tempo.Close()
	settings := map[string]any{
		"prometheus": map[string]any{"url": prometheus.URL},
		"traces":     map[string]any{"kind": "tempo", "url": tempo.URL},
		"limits":     map[string]any{"timeout": "2m"},
	}
	time.Sleep(2 * time.Minute)
	if err := lab.Canary(ctx, "orders", "2.0.0", "slow-query", 0.5); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Minute)

	spent, err := newProcessors(ctx, lab)
	if err != nil {
		return nil, err
	}

	day, hour := 24*time.Hour, time.Hour
	var all []costFigures
	for _, q := range []struct {
		name  string
		back  time.Duration
		model map[string]any
	}{
		{"forecast, 1 series", 6 * hour, map[string]any{"queryType": "forecast", "expr": oneSeries}},
		{"anomaly, 1 series, 6 h", 6 * hour, map[string]any{"queryType": "anomaly", "expr": oneSeries}},
		{"anomaly, 20 series, 24 h", day, map[string]any{"queryType": "anomaly", "expr": manySeries, "step": "1m"}},
		{"breach, 1 series", hour, map[string]any{"queryType": "breach", "expr": oneSeries, "threshold": 100, "step": "1m"}},
		{"composite, 1 service, 6 h", 6 * hour, map[string]any{"queryType": "composite", "service": "orders"}},
		{"deploys, 1 service, 6 h", 6 * hour, map[string]any{"queryType": "deploys", "service": "orders"}},
		{"traceDiff", hour, map[string]any{"queryType": "traceDiff", "service": "orders"}},
		{"rootCause", hour, map[string]any{"queryType": "rootCause", "service": "orders"}},
		{"serviceMap", hour, map[string]any{"queryType": "serviceMap"}},
		{"patterns", hour, map[string]any{"queryType": "patterns", "service": "orders"}},
		{"verdict", hour, map[string]any{"queryType": "verdict", "service": "orders"}},
		{"sizing", hour, map[string]any{"queryType": "sizing", "service": "orders"}},
		{"impact, 7 d", 7 * day, map[string]any{"queryType": "impact"}},
	} {
		source := lab.Source(settings)
		figures := costFigures{Query: q.name}
		ask := func(to time.Time) (seconds, plugin, servers float64, p, t cost, err error) {
			prometheus.Take()
			tempo.Take()
			plugin, servers, err = spent.of(ctx, lab, func() error {
				took, err := runner.Timed(func() error {
					_, err := source.Ask(ctx, to.Add(-q.back), to, q.model)
					return err
				})
				seconds = took.Seconds()
				return err
			})
			if err != nil {
				err = fmt.Errorf("%s: %w", q.name, err)
			}
			return seconds, plugin, servers, costOf(prometheus.Take()), costOf(tempo.Take()), err
		}
		now := time.Now().Truncate(time.Minute)
		if figures.ColdSeconds, figures.ColdPlugin, figures.ColdUpstreams, figures.ColdPrometheus, figures.ColdTempo, err = ask(now.Add(-time.Minute)); err != nil {
			return nil, err
		}
		if figures.LaterSeconds, figures.LaterPlugin, figures.LaterUpstreams, figures.LaterPrometheus, figures.LaterTempo, err = ask(now); err != nil {
			return nil, err
		}
		all = append(all, figures)
	}
	return all, nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	register("costs", "what one answer of each query type asks of Prometheus and Tempo: requests and bytes, cold, a minute later", costs)
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
}

// meter stands before a server and counts.
type meter struct {
	proxy *httputil.ReverseProxy
	mutex sync.Mutex
	seen  cost
}

func newMeter(target string) (*meter, *httptest.Server, error) {
	address, err := url.Parse(target)
	if err != nil {
		return nil, nil, err
	}
	m := &meter{}
	// Compression is between the two ends: the meter passes it through.
	m.proxy = &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(address) },
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		ModifyResponse: func(r *http.Response) error {
			r.Body = &counted{ReadCloser: r.Body, meter: m}
			return nil
		},
	}
	return m, httptest.NewServer(m), nil
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.add(1, 0)
	m.proxy.ServeHTTP(w, r)
}

func (m *meter) add(requests, bytes int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.seen.Requests += requests
	m.seen.KiB += float64(bytes) / 1024
}

// take is what was seen since the last time.
func (m *meter) take() cost {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	seen := m.seen
	m.seen = cost{}
	return seen
}

type counted struct {
	io.ReadCloser
	meter *meter
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.meter.add(0, n)
	return n, err
}

const (
	oneSeries  = `sum(rate(http_server_request_duration_seconds_count{service_name="orders"}[5m]))`
	manySeries = `sum by (service, span_name) (rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[5m]))`
)

// costs asks after a deploy in the lab, each question of a data source of its
// own.
func costs(options) (any, error) {
	ctx := context.Background()
	lab, err := harness.StartLab(ctx, os.Stderr, "-history", "15d")
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	plugin, err := harness.StartPlugin(ctx, io.Discard)
	if err != nil {
		return nil, err
	}
	defer plugin.Stop()
	prometheus, before, err := newMeter(lab.Prometheus)
	if err != nil {
		return nil, err
	}
	defer before.Close()
	tempo, behind, err := newMeter(lab.Tempo)
	if err != nil {
		return nil, err
	}
	defer behind.Close()
	settings := map[string]any{
		"prometheus": map[string]any{"url": before.URL},
		"traces":     map[string]any{"kind": "tempo", "url": behind.URL},
		"limits":     map[string]any{"timeout": "2m"},
	}
	time.Sleep(2 * time.Minute)
	if err := lab.Canary(ctx, "orders", "2.0.0", "slow-query", 0.5); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Minute)

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
		source := harness.DataSource{Plugin: plugin, Context: harness.PluginContext(settings, nil)}
		figures := costFigures{Query: q.name}
		ask := func(to time.Time) (seconds float64, p, t cost, err error) {
			prometheus.take()
			tempo.take()
			took, err := timed(func() error {
				_, err := source.Ask(ctx, to.Add(-q.back), to, q.model)
				return err
			})
			if err != nil {
				err = fmt.Errorf("%s: %w", q.name, err)
			}
			return took.Seconds(), prometheus.take(), tempo.take(), err
		}
		now := time.Now().Truncate(time.Minute)
		if figures.ColdSeconds, figures.ColdPrometheus, figures.ColdTempo, err = ask(now.Add(-time.Minute)); err != nil {
			return nil, err
		}
		if figures.LaterSeconds, figures.LaterPrometheus, figures.LaterTempo, err = ask(now); err != nil {
			return nil, err
		}
		all = append(all, figures)
	}
	return all, nil
}

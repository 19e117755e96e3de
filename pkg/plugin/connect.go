package plugin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/proxy"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/cache"
	"github.com/foresight-observability/foresight/pkg/upstream/grafana"
	"github.com/foresight-observability/foresight/pkg/upstream/jaeger"
	"github.com/foresight-observability/foresight/pkg/upstream/prometheus"
	"github.com/foresight-observability/foresight/pkg/upstream/tempo"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// stores are the connected upstreams of one data source.
type stores struct {
	metrics upstream.Metrics // nil where none is configured
	traces  upstream.Traces
	markers []engine.MarkerSource
	// feedback is nil where annotations cannot be read.
	feedback, incidents, alerts upstream.Markers
	acts                        upstream.Markers // as feedback, but never remembered
	journal                     upstream.Journal // nil where nothing can be kept
	closers                     []func()
}

func (s stores) close() {
	for _, closer := range s.closers {
		closer()
	}
}

// connect makes the clients that the settings describe, with one cache over
// both.
func (s Settings) connect(ctx context.Context, instance backend.DataSourceInstanceSettings) (stores, error) {
	shared := cache.NewStore(int64(s.Limits.CacheMiB)<<20, time.Now)
	connected := stores{closers: []func(){shared.Close}}
	limits := transport.Limits{Concurrency: s.Limits.Concurrency, Timeout: s.Limits.Timeout}
	if s.Metrics != nil {
		config, err := s.Metrics.complete(ctx, instance)
		if err != nil {
			return connected, err
		}
		client, err := prometheus.New(config, limits, time.Now)
		if err != nil {
			return connected, err
		}
		connected.metrics = cache.Metrics(client, shared)
		connected.closers = append(connected.closers, client.Close)
	}
	if s.Traces != nil {
		config, err := s.Traces.complete(ctx, instance)
		if err != nil {
			return connected, err
		}
		client, err := s.TracesKind.open(config, limits)
		if err != nil {
			return connected, err
		}
		connected.traces = cache.Traces(client, shared)
		connected.closers = append(connected.closers, client.Close)
	}
	return connected, s.connectMarkers(ctx, instance, shared, limits, &connected)
}

// connectMarkers adds the places where deploys are announced, the most trusted
// first, those of feedback on events, incidents and alerts, and where all can be
// written down.
func (s Settings) connectMarkers(ctx context.Context, instance backend.DataSourceInstanceSettings, shared *cache.Store, limits transport.Limits, connected *stores) error {
	if s.Deploys.Grafana == nil {
		return nil
	}
	config, err := s.Deploys.Grafana.complete(ctx, instance)
	if err != nil || config.URL == "" {
		return err // without an address there are no annotations, and all else works
	}
	journal, err := grafana.New(config, limits, nil)
	if err != nil {
		return err
	}
	connected.journal = journal
	connected.closers = append(connected.closers, journal.Close)
	limits.Timeout = min(limits.Timeout, longestReading)
	verdicts, err := grafana.New(config, limits, grafana.Verdicts())
	if err != nil {
		return err
	}
	connected.feedback, connected.acts = cache.Markers("feedback", verdicts, shared), verdicts
	connected.closers = append(connected.closers, verdicts.Close)
	for kind, place := range map[string]*upstream.Markers{"incident": &connected.incidents, "alert": &connected.alerts} {
		client, err := grafana.New(config, limits, []string{kind})
		if err != nil {
			return err
		}
		*place = cache.Markers(kind, client, shared)
		connected.closers = append(connected.closers, client.Close)
	}
	if len(s.Deploys.AnnotationTags) == 0 {
		return nil
	}
	client, err := grafana.New(config, limits, s.Deploys.AnnotationTags)
	if err != nil {
		return err
	}
	connected.closers = append(connected.closers, client.Close)
	connected.markers = append(connected.markers, engine.MarkerSource{Source: engine.FromAnnotation, Markers: cache.Markers("deploys", client, shared)})
	return nil
}

// longestReading is how long annotations are waited for. They only add to most
// answers, and are little: a Grafana that takes longer has failed, and after some
// such failures is left alone for a while.
const longestReading = 4 * time.Second

// traceStore is the client of a trace store.
type traceStore interface {
	upstream.Traces
	Close()
}

func (k TracesKind) open(config transport.Config, limits transport.Limits) (traceStore, error) {
	if k == Jaeger {
		return jaeger.New(config, limits, time.Now)
	}
	return tempo.New(config, limits, time.Now)
}

// complete adds what Grafana itself knows: its own address, and its secure
// socks proxy.
func (u UpstreamSettings) complete(ctx context.Context, instance backend.DataSourceInstanceSettings) (transport.Config, error) {
	config := u.Config
	if config.URL == "" { // Grafana's own is meant: it is left out nowhere else
		if address, err := backend.GrafanaConfigFromContext(ctx).AppURL(); err == nil {
			config.URL = address
		}
	}
	if u.SecureSocks {
		options, err := socksProxy(ctx, instance)
		if err != nil {
			return config, err
		}
		config.Proxy = options
	}
	return config, nil
}

// socksProxy asks the SDK with settings of our own making: it panics on some
// types that provisioning files can hold.
func socksProxy(ctx context.Context, instance backend.DataSourceInstanceSettings) (*proxy.Options, error) {
	instance.JSONData = json.RawMessage(`{"enableSecureSocksProxy": true}`)
	return instance.ProxyOptionsFromContext(ctx)
}

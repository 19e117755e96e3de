package plugin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/proxy"
	"github.com/grafana/grafana-plugin-sdk-go/config"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/cache"
	"github.com/foresight-observability/foresight/pkg/upstream/dialect"
	"github.com/foresight-observability/foresight/pkg/upstream/grafana"
	"github.com/foresight-observability/foresight/pkg/upstream/jaeger"
	"github.com/foresight-observability/foresight/pkg/upstream/prometheus"
	"github.com/foresight-observability/foresight/pkg/upstream/tempo"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
	"github.com/foresight-observability/foresight/pkg/upstream/zipkin"
)

// stores are the connected upstreams of one data source.
type stores struct {
	metrics    upstream.Metrics // nil where none is configured
	traces     upstream.Traces
	deployLogs []engine.DeployLog
	// The sources of annotations are nil where none can be read.
	feedback  annotation.Source[annotation.Feedback]
	acts      annotation.Source[annotation.Act]
	incidents annotation.Source[annotation.Incident]
	alerts    annotation.Source[annotation.Alert]
	announced annotation.Source[annotation.Change]
	// newest are the annotations of acts and outcomes, never cached.
	newest annotation.Source[annotation.Annotation]
	// notified are those of notifications that were passed on, never cached.
	notified annotation.Source[annotation.Annotation]
	writer   annotation.Writer // nil where nothing can be saved
	closers  []func()
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
	leave := budget.Process.Caches.Join(int64(s.Limits.CacheMiB)<<20, shared.Resize)
	connected := stores{closers: []func(){leave, shared.Close}}
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
		connected.metrics = dialect.Metrics(cache.Metrics(client, shared))
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
	return connected, s.connectAnnotations(ctx, instance, shared, limits, &connected)
}

// connectAnnotations adds what is read of Grafana's annotations, and where they
// are written.
func (s Settings) connectAnnotations(ctx context.Context, instance backend.DataSourceInstanceSettings, shared *cache.Store, limits transport.Limits, connected *stores) error {
	if s.Deploys.Grafana == nil {
		return nil
	}
	config, err := s.Deploys.Grafana.complete(ctx, instance)
	if err != nil || config.URL == "" {
		return err // without an address there are no annotations, and all else works
	}
	writer, err := grafana.New(config, limits, nil)
	if err != nil {
		return err
	}
	connected.writer = writer
	connected.closers = append(connected.closers, writer.Close)
	limits.Timeout = min(limits.Timeout, maxAnnotationTime)
	read := func(kind string, tags []string) (client, cached annotation.Source[annotation.Annotation], err error) {
		c, err := grafana.New(config, limits, tags)
		if err != nil {
			return nil, nil, err
		}
		connected.closers = append(connected.closers, c.Close)
		return c, cache.Annotations(kind, c, shared), nil
	}
	newest, states, err := read("states", annotation.StateTags())
	if err != nil {
		return err
	}
	connected.newest = newest
	connected.feedback = annotation.Decoded(states, annotation.ReadFeedback)
	connected.acts = annotation.Decoded(states, annotation.ReadAct)
	_, incidents, err := read("incidents", []string{annotation.IncidentTag})
	if err != nil {
		return err
	}
	connected.incidents = annotation.Decoded(incidents, annotation.ReadIncident)
	_, alerts, err := read("alerts", []string{annotation.AlertTag})
	if err != nil {
		return err
	}
	connected.alerts = annotation.Decoded(alerts, annotation.ReadAlert)
	_, announced, err := read("changes", []string{annotation.ChangeTag})
	if err != nil {
		return err
	}
	connected.announced = annotation.Decoded(announced, annotation.ReadChange)
	if connected.notified, _, err = read("notified", []string{annotation.NotifiedTag}); err != nil {
		return err
	}
	tags := s.Deploys.AnnotationTags
	if len(tags) == 0 {
		return nil
	}
	_, deploys, err := read("deploys", tags)
	if err != nil {
		return err
	}
	connected.deployLogs = append(connected.deployLogs, engine.DeployLog{
		Source: engine.FromAnnotation, Deploys: annotation.Decoded(deploys, annotation.ReadDeploy(tags)),
	})
	return nil
}

// maxAnnotationTime is how long annotations are waited for. They only add to most
// answers, and are little: a Grafana that takes longer has failed, and after some
// such failures is not queried for a while.
const maxAnnotationTime = 4 * time.Second

// traceStore is the client of a trace store.
type traceStore interface {
	upstream.Traces
	Close()
}

func (k TracesKind) open(config transport.Config, limits transport.Limits) (traceStore, error) {
	switch k {
	case Jaeger:
		return jaeger.New(config, limits, time.Now)
	case Zipkin:
		return zipkin.New(config, limits, time.Now)
	}
	return tempo.New(config, limits, time.Now)
}

// complete adds what Grafana itself knows: its own address, and its secure
// socks proxy.
func (u UpstreamSettings) complete(ctx context.Context, instance backend.DataSourceInstanceSettings) (transport.Config, error) {
	settings := u.Config
	if settings.URL == "" { // Grafana's own is meant: it is left out nowhere else
		if address, err := config.GrafanaConfigFromContext(ctx).AppURL(); err == nil {
			settings.URL = address
		}
	}
	if u.SecureSocks {
		options, err := socksProxy(ctx, instance)
		if err != nil {
			return settings, err
		}
		settings.Proxy = options
	}
	return settings, nil
}

// socksProxy asks the SDK with settings of our own making: it panics on some
// types that provisioning files can hold.
func socksProxy(ctx context.Context, instance backend.DataSourceInstanceSettings) (*proxy.Options, error) {
	instance.JSONData = json.RawMessage(`{"enableSecureSocksProxy": true}`)
	return instance.ProxyOptionsFromContext(ctx)
}

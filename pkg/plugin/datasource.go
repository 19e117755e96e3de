// Package plugin is Grafana's face of Foresight, one file per endpoint of the
// plugin protocol.
package plugin

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
	"github.com/grafana/grafana-plugin-sdk-go/config"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/api"
	"github.com/foresight-observability/foresight/pkg/api/enrich"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// ID is the plugin's id in Grafana.
const ID = "foresight-observability-datasource"

// DataSource is one configured Foresight data source.
type DataSource struct {
	backend.CallResourceHandler
	settings Settings
	uid      string // of this data source in Grafana
	unusable error  // why nothing can be answered; nil where the settings are sound
	engine   *engine.Engine
	api      *api.API
	lifetime context.Context
	dispose  func()
	channels *channels
}

var (
	_ backend.QueryDataHandler      = (*DataSource)(nil)
	_ backend.CheckHealthHandler    = (*DataSource)(nil)
	_ backend.CallResourceHandler   = (*DataSource)(nil)
	_ backend.StreamHandler         = (*DataSource)(nil)
	_ instancemgmt.InstanceDisposer = (*DataSource)(nil)
)

// modelsPart of the cache's size is added to it for what histories taught: of
// the samples it was learned from a model takes a tenth, how a series goes on
// a third.
const modelsPart = 2

// replaysPart of the cache's size is added to it for what rules would have
// evaluated: a month of one rule over twenty series takes 50 MiB.
const replaysPart = 4

// New makes the data source that settings describe. Settings that cannot be
// used still make one, which answers every query and the health check with
// what is wrong: an error here would reach only the first query of a request.
func New(ctx context.Context, instance backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	lifetime, cancel := context.WithCancel(context.Background())
	d := &DataSource{lifetime: lifetime, channels: newChannels()}
	var connected stores
	settings, err := ParseSettings(instance)
	if err == nil {
		connected, err = settings.connect(ctx, instance)
	}
	var sender *webhook.Sender
	if err == nil {
		sender, err = webhook.New(settings.Webhooks, settings.WebhookSecrets, time.Now)
	}
	if err != nil {
		d.unusable = &badQuery{err}
	}
	d.settings, d.uid = settings, instance.UID
	models := anomaly.NewModels(settings.Limits.CacheMiB << 20 / modelsPart)
	leave := budget.Process.Caches.Join(int64(settings.Limits.CacheMiB)<<20/modelsPart, func(bytes int64) { models.Resize(int(bytes)) })
	replays := engine.NewReplayResults(0)
	leaveReplays := budget.Process.Caches.Join(int64(settings.Limits.CacheMiB)<<20/replaysPart, func(bytes int64) { replays.Resize(int(bytes)) })
	d.engine = &engine.Engine{
		Metrics: connected.metrics, Traces: connected.traces, Scrape: settings.Scrape, Now: time.Now,
		DeployLogs: connected.deployLogs, Feedback: connected.feedback, Acts: connected.acts, Incidents: connected.incidents, Alerts: connected.alerts, Announced: connected.announced,
		Signals: settings.Signals, Percentiles: settings.Percentiles, Journeys: settings.Journeys, Objectives: settings.Objectives, IgnoreVersions: !settings.Deploys.FromVersions,
		Models: models, ForecastModels: engine.NewForecastModels(), Replays: replays,
		Limits: engine.Limits{MaxSeries: settings.Limits.MaxSeries, MaxTraces: settings.Limits.MaxTraces},
	}
	d.api = api.New(d.engine, api.Settings{
		Series: settings.Series, Ask: d.ask, Unusable: d.unusable, Annotations: connected.writer,
		DeployTag: settings.Deploys.tag(), WebhookSecret: settings.WebhookSecret,
		Sender: sender, UID: instance.UID, Playbooks: settings.Playbooks, AuditTrail: connected.newest,
		EnrichDeadline: settings.EnrichDeadline, Notified: connected.notified,
		GrafanaURL: publicURL(ctx, settings), Traces: enrich.TraceSource(settings.traceSource()),
		CallerRate: settings.Limits.CallerRate, Timeout: settings.Limits.Timeout,
	})
	d.dispose = func() {
		cancel()
		leave()
		leaveReplays()
		d.api.Close()
		connected.close()
		d.engine.ForecastModels.Close()
	}
	d.CallResourceHandler = httpadapter.New(d.resources())
	return d, nil
}

// publicURL is where people open Grafana: as it is configured, or else where the
// plugin reaches it.
func publicURL(ctx context.Context, settings Settings) string {
	if address, err := config.GrafanaConfigFromContext(ctx).AppURL(); err == nil && address != "" {
		return address
	}
	if grafana := settings.Deploys.Grafana; grafana != nil {
		return grafana.URL
	}
	return ""
}

// Dispose ends what runs for this instance when its settings were replaced.
func (d *DataSource) Dispose() { d.dispose() }

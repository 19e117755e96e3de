package plugin

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/api/playbooks"
	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/upstream/jaeger"
	"github.com/foresight-observability/foresight/pkg/upstream/tempo"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
	"github.com/foresight-observability/foresight/pkg/upstream/zipkin"
)

// Settings are a data source's configuration: its jsonData and secureJsonData,
// decoded leniently and checked strictly.
type Settings struct {
	Metrics *UpstreamSettings // nil where no metrics server is configured
	Traces  *UpstreamSettings // nil where no trace store is configured
	// TracesKind is the trace store's protocol.
	TracesKind TracesKind
	// Scrape is how often metrics are scraped; 0 to learn it from the samples.
	Scrape  time.Duration
	Deploys DeploySettings
	// Signals are those of every service; empty for presets alone.
	Signals []engine.SignalSetting
	// Percentiles are the quantiles of latency by service; empty for 0.95.
	Percentiles engine.Percentiles
	Limits      Limits
	// WebhookSecret signs notifications of alerts; empty for unsigned ones.
	WebhookSecret string
	// Webhooks are where events may be sent, which know them by the secrets.
	Webhooks       []webhook.Target
	WebhookSecrets webhook.Secrets
	// Journeys are those of users.
	Journeys []engine.JourneySetting
	// Objectives are those of services.
	Objectives []engine.ObjectiveSetting
	// EnrichDeadline bounds the lookup of the causes of a notification.
	EnrichDeadline time.Duration
	// Playbooks are the limits of what playbooks may do.
	Playbooks playbooks.Settings
	// Series are what engines ask for by name.
	Series []promapi.NamedSeries
	// VisibleSecrets are warnings of what may be secret and is in jsonData.
	VisibleSecrets []string
	// Notices are settings that mean nothing to this version.
	Notices []string
}

// TracesKind names the protocol of a trace store.
type TracesKind string

// The trace stores.
const (
	Tempo  TracesKind = "tempo"
	Jaeger TracesKind = "jaeger"
	Zipkin TracesKind = "zipkin"
)

// title is how messages call the store.
func (k TracesKind) title() string {
	switch k {
	case Jaeger:
		return jaeger.Name
	case Zipkin:
		return zipkin.Name
	}
	return tempo.Name
}

// DeploySettings say where deploys are known from.
type DeploySettings struct {
	// FromVersions says that a new service.version in traces is a deploy.
	FromVersions bool
	// AnnotationTags are those of the annotations in Grafana that announce
	// deploys; empty for none.
	AnnotationTags []string
	// Grafana is where the annotations are read; nil without a token to read
	// them.
	Grafana *UpstreamSettings
}

// tag is that of the deploys which Foresight itself writes down.
func (d DeploySettings) tag() string {
	if len(d.AnnotationTags) == 0 {
		return "deploy"
	}
	return d.AnnotationTags[0]
}

// UpstreamSettings say how one upstream is reached.
type UpstreamSettings struct {
	transport.Config
	SecureSocks bool // through Grafana's secure socks proxy
}

// Limits bound what this data source asks of its upstreams.
type Limits struct {
	Concurrency int
	Timeout     time.Duration
	MaxSeries   int
	MaxTraces   int
	CacheMiB    int
	// CallerRate is how many requests per second one caller may send to hooks.
	CallerRate int
}

// ParseSettings reads a data source's configuration. The error names every
// problem at once, each with its field.
func ParseSettings(instance backend.DataSourceInstanceSettings) (Settings, error) {
	root, err := parseFields(instance.JSONData)
	if err != nil {
		return Settings{}, err
	}
	secrets := trimmed(instance.DecryptedSecureJSONData)
	grafana := root.object("grafana")
	shared := transport.Config{
		URL:          grafana.text("url", ""),
		OwnUID:       instance.UID,
		GrafanaToken: secrets["grafanaToken"],
		Labels: map[string]string{
			"datasource_uid": instance.UID, "datasource_name": instance.Name, "datasource_type": ID,
		},
	}
	metrics, traces, limits := root.object("prometheus"), root.object("traces"), root.object("limits")
	deploys := root.object("deploys")
	settings := Settings{
		TracesKind: TracesKind(traces.choice("kind", string(Tempo), string(Jaeger), string(Zipkin))),
		Metrics:    upstreamConfig(metrics, "prometheus", shared, secrets),
		Traces:     upstreamConfig(traces, "traces", shared, secrets),
		Scrape:     metrics.duration("scrapeInterval", 0, time.Second, time.Hour),
		Deploys: DeploySettings{
			FromVersions:   deploys.boolean("fromVersions", true),
			AnnotationTags: deploys.texts("annotationTags", "deploy"),
			Grafana:        annotationsConfig(shared),
		},
		WebhookSecret:  secrets["webhookSecret"],
		WebhookSecrets: webhook.Secrets{Signing: secrets["signingSecret"], RoutingKey: secrets["pagerDutyRoutingKey"]},
		Limits: Limits{
			Concurrency: limits.number("concurrency", 8, 1, 10),
			Timeout:     limits.duration("timeout", 25*time.Second, time.Second, 5*time.Minute),
			MaxSeries:   limits.number("maxSeries", 200, 1, 10_000),
			MaxTraces:   limits.number("maxTraces", 2000, 20, 20_000),
			CacheMiB:    limits.number("cacheMiB", 64, 1, 4096),
			CallerRate:  limits.number("callerRate", 200, 1, 10_000),
		},
	}
	sections := []fields{grafana, metrics, traces, deploys, limits}
	for _, one := range root.objects("series") {
		settings.Series = append(settings.Series, namedSeries(one))
		sections = append(sections, one)
	}
	for _, one := range root.objects("signals") {
		settings.Signals = append(settings.Signals, signalSetting(one))
		sections = append(sections, one)
	}
	settings.Percentiles = engine.Percentiles{}
	for _, one := range root.objects("percentiles") {
		percentileSetting(one, settings.Percentiles)
		sections = append(sections, one)
	}
	journeys, steps := journeySettings(root)
	settings.Journeys = journeys
	sections = append(sections, steps...)
	objectives, described, unused := objectiveSettings(root)
	settings.Objectives, settings.Notices = objectives, unused
	sections = append(sections, described...)
	for i, one := range root.objects("webhooks") {
		settings.Webhooks = append(settings.Webhooks, webhook.Target{
			Name: one.text("name", ""), URL: cmp.Or(secrets[fmt.Sprintf("webhookUrl%d", i+1)], one.text("url", "")), Private: one.boolean("private", false),
			Kind: webhook.Kind(one.choice("kind", webhookKinds()...)),
		})
		sections = append(sections, one)
	}
	enrich := root.object("enrich")
	settings.EnrichDeadline = enrich.duration("deadline", 8*time.Second, time.Second, 15*time.Second)
	playbooks := root.object("playbooks")
	settings.Playbooks = playbookSettings(playbooks, settings.Webhooks)
	sections = append(sections, playbooks, enrich)
	settings.VisibleSecrets = visibleSecrets(root)
	for _, section := range sections {
		for _, name := range section.unknown() {
			settings.Notices = append(settings.Notices, "The setting "+name+" is unknown and was ignored.")
		}
	}
	if problems := *root.problems; len(problems) > 0 {
		return settings, errors.New("settings: " + strings.Join(problems, "; "))
	}
	return settings, nil
}

func webhookKinds() (names []string) {
	for _, kind := range webhook.Kinds() {
		names = append(names, string(kind))
	}
	return names
}

// visibleSecrets are warnings of what may be secret and is where Grafana shows it
// to everyone who may see the settings.
func visibleSecrets(root fields) (warnings []string) {
	for _, name := range []string{"prometheus", "traces"} {
		if len(root.object(name).textMap("headers")) > 0 {
			warnings = append(warnings, fmt.Sprintf("The values of %s.headers are in jsonData, where viewers can see them: name the headers in %s.headerNames, and put their values into secureJsonData as %sHeaderValue1, %sHeaderValue2 and so on.", name, name, name, name))
		}
	}
	for i, one := range root.objects("webhooks") {
		if one.text("url", "") != "" {
			warnings = append(warnings, fmt.Sprintf("The url of webhooks[%d] is in jsonData, where viewers can see it: put it into secureJsonData as webhookUrl%d.", i, i+1))
		}
	}
	return warnings
}

// trimmed are secrets without the line end that mounted files have; tokens also
// without blanks around them, and without the "Bearer" that is sent before them.
func trimmed(secrets map[string]string) map[string]string {
	clean := map[string]string{}
	for name, secret := range secrets {
		secret = strings.TrimRight(secret, "\r\n")
		if !strings.HasSuffix(name, "Password") {
			secret = strings.TrimSpace(secret)
		}
		const scheme = "bearer "
		if strings.HasSuffix(name, "Token") && len(secret) > len(scheme) && strings.EqualFold(secret[:len(scheme)], scheme) {
			secret = strings.TrimSpace(secret[len(scheme):])
		}
		clean[name] = secret
	}
	return clean
}

// traceSource is the data source in Grafana to which traces are linked: the one
// that is asked or, with an address of its own, the one whose uid stands beside
// it.
func (s Settings) traceSource() frames.TraceSource {
	if s.Traces == nil {
		return frames.TraceSource{}
	}
	return frames.TraceSource{UID: s.Traces.UID, Type: string(s.TracesKind)}
}

// annotationsConfig is the way to Grafana's own API; nil without a token. Where
// its address is left out, Grafana tells it.
func annotationsConfig(shared transport.Config) *UpstreamSettings {
	if shared.GrafanaToken == "" {
		return nil
	}
	return &UpstreamSettings{Config: transport.Config{Mode: transport.Direct, URL: shared.URL, BearerToken: shared.GrafanaToken, Labels: shared.Labels}}
}

// namedSeries is one of the series that engines ask for by name.
func namedSeries(f fields) promapi.NamedSeries {
	named := promapi.NamedSeries{
		Name: f.text("name", ""), Expr: f.text("expr", ""), Threshold: f.quantity("threshold"),
		Below:     f.choice("thresholdDirection", "above", "below") == "below",
		Direction: f.choice("direction", "both", "above", "below"),
	}
	if least := f.quantity("minDeviation"); least != nil {
		named.MinDeviation = *least
	}
	if named.Name == "" || named.Expr == "" {
		f.problem("name", "and expr must both be given")
	}
	return named
}

// upstreamConfig is one upstream's part of the settings; nil where it is left
// empty.
func upstreamConfig(f fields, name string, shared transport.Config, secrets map[string]string) *UpstreamSettings {
	config := shared
	config.Mode = transport.Mode(f.choice("mode", string(transport.Direct), string(transport.Grafana)))
	address, uid := f.text("url", ""), f.text("uid", "")
	if config.Mode == transport.Direct {
		config.URL = address
	}
	config.UID = uid
	config.BasicUser, config.BasicPassword = f.text("basicAuthUser", ""), secrets[name+"Password"]
	config.BearerToken = secrets[name+"Token"]
	config.Tenant = f.text("tenant", "")
	if f.choice("httpMethod", http.MethodPost, http.MethodGet) == http.MethodGet {
		config.Method = http.MethodGet
	}
	if text := f.text("customQueryParameters", ""); text != "" {
		parameters, err := url.ParseQuery(strings.TrimLeft(text, "?&"))
		if err != nil {
			f.problem("customQueryParameters", "is not of the form dedup=true&partial_response=false: %v", err)
		}
		config.Parameters = parameters
	}
	config.Headers = http.Header{}
	for header, value := range f.textMap("headers") {
		config.Headers.Set(header, value)
	}
	for i, header := range f.texts("headerNames") {
		config.Headers.Set(header, secrets[fmt.Sprintf("%sHeaderValue%d", name, i+1)])
	}
	config.TLS = transport.TLS{
		CA:          secrets[name+"TlsCaCert"],
		Certificate: secrets[name+"TlsClientCert"],
		Key:         secrets[name+"TlsClientKey"],
		ServerName:  f.text("tlsServerName", ""),
		SkipVerify:  f.boolean("tlsSkipVerify", false),
	}
	socks := f.boolean("secureSocksProxy", false)
	if (config.Mode == transport.Direct && address == "") || (config.Mode == transport.Grafana && uid == "") {
		return nil
	}
	return &UpstreamSettings{Config: config, SecureSocks: socks}
}

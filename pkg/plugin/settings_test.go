package plugin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

func instance(jsonData string, secrets map[string]string) backend.DataSourceInstanceSettings {
	return backend.DataSourceInstanceSettings{UID: "foresight", Name: "Foresight", JSONData: json.RawMessage(jsonData), DecryptedSecureJSONData: secrets}
}

func TestParseSettingsMinimum(t *testing.T) {
	settings, err := ParseSettings(instance(`{
		"prometheus": {"mode": "direct", "url": "http://prometheus:9090", "tenant": ""},
		"traces": {"kind": "tempo", "mode": "direct", "url": "http://tempo:3200"}
	}`, nil))
	require.NoError(t, err)
	require.Equal(t, "http://prometheus:9090", settings.Metrics.URL)
	require.Equal(t, transport.Direct, settings.Traces.Mode)
	require.Equal(t, Limits{Concurrency: 8, Timeout: 25 * time.Second, MaxSeries: 200, MaxTraces: 2000, CacheMiB: 64, CallerRate: 200}, settings.Limits)
	require.Empty(t, settings.Notices)
}

func TestParseSettingsOfTraceStores(t *testing.T) {
	for kind, want := range map[string]TracesKind{`"jaeger"`: Jaeger, `"zipkin"`: Zipkin, `"tempo"`: Tempo, `""`: Tempo} {
		settings, err := ParseSettings(instance(`{"traces": {"kind": `+kind+`, "url": "http://traces:16686"}}`, nil))
		require.NoError(t, err)
		require.Equal(t, want, settings.TracesKind)
		store, err := settings.TracesKind.open(settings.Traces.Config, transport.Limits{})
		require.NoError(t, err)
		store.Close()
	}
	_, err := ParseSettings(instance(`{"traces": {"kind": "skywalking"}}`, nil))
	require.ErrorContains(t, err, `traces.kind is "skywalking"; choose tempo or jaeger or zipkin`)
}

func TestTracesAreLinked(t *testing.T) {
	for raw, want := range map[string]frames.TraceSource{
		`{}`: {},
		`{"traces": {"url": "http://tempo:3200"}}`:                                   {Type: "tempo"},
		`{"traces": {"url": "http://tempo:3200", "uid": "my-tempo"}}`:                {UID: "my-tempo", Type: "tempo"},
		`{"traces": {"kind": "jaeger", "url": "http://jaeger", "uid": "my-jaeger"}}`: {UID: "my-jaeger", Type: "jaeger"},
		`{"traces": {"mode": "grafana", "uid": "my-tempo"}}`:                         {UID: "my-tempo", Type: "tempo"},
	} {
		settings, err := ParseSettings(instance(raw, nil))
		require.NoError(t, err)
		require.Equal(t, want, settings.traceSource(), raw)
	}
}

func TestParseSettingsThroughGrafana(t *testing.T) {
	settings, err := ParseSettings(instance(`{
		"prometheus": {"mode": "grafana", "uid": "prom"},
		"grafana": {"url": "http://localhost:3000"}
	}`, map[string]string{"grafanaToken": "glsa_x"}))
	require.NoError(t, err)
	require.Equal(t, transport.Config{
		Mode: transport.Grafana, URL: "http://localhost:3000", UID: "prom", OwnUID: "foresight", GrafanaToken: "glsa_x",
		Headers: settings.Metrics.Headers,
		Labels:  map[string]string{"datasource_uid": "foresight", "datasource_name": "Foresight", "datasource_type": ID},
	}, settings.Metrics.Config)
	require.Nil(t, settings.Traces)
}

// TestParseSettingsOfDeploys checks where announced deploys are read.
func TestParseSettingsOfDeploys(t *testing.T) {
	for raw, want := range map[string]DeploySettings{
		`{}`:              {FromVersions: true, AnnotationTags: []string{"deploy"}},
		`{"deploys": {}}`: {FromVersions: true, AnnotationTags: []string{"deploy"}},
		`{"deploys": {"fromVersions": "false", "annotationTags": []}}`:             {},
		`{"deploys": {"annotationTags": "deploy, release,"}}`:                      {FromVersions: true, AnnotationTags: []string{"deploy", "release"}},
		`{"deploys": {"fromVersions": true, "annotationTags": [" rollout ", ""]}}`: {FromVersions: true, AnnotationTags: []string{"rollout"}},
	} {
		settings, err := ParseSettings(instance(raw, nil))
		require.NoError(t, err)
		require.Equal(t, want.FromVersions, settings.Deploys.FromVersions, raw)
		require.ElementsMatch(t, want.AnnotationTags, settings.Deploys.AnnotationTags, raw)
		require.Nil(t, settings.Deploys.Grafana, "no token to read them")
	}
	_, err := ParseSettings(instance(`{"deploys": {"annotationTags": [{}]}}`, nil))
	require.ErrorContains(t, err, "deploys.annotationTags holds an object")
	settings, err := ParseSettings(instance(`{"grafana": {"url": "http://localhost:3000"}}`, map[string]string{"grafanaToken": "glsa_x"}))
	require.NoError(t, err)
	require.Equal(t, "http://localhost:3000", settings.Deploys.Grafana.URL)
	require.Equal(t, "glsa_x", settings.Deploys.Grafana.BearerToken)
	require.Equal(t, transport.Direct, settings.Deploys.Grafana.Mode)
	connected, err := settings.connect(t.Context(), instance(`{}`, nil))
	require.NoError(t, err)
	require.Len(t, connected.deployLogs, 1)
	connected.close()
	settings.Deploys.Grafana.URL = ""
	connected, err = settings.connect(t.Context(), instance(`{}`, nil))
	require.NoError(t, err)
	require.Empty(t, connected.deployLogs, "without an address there are no annotations, and all else works")
	connected.close()
}

// TestParseSettingsIsLenient holds what YAML and Terraform make of texts.
func TestParseSettingsIsLenient(t *testing.T) {
	settings, err := ParseSettings(instance(`{
		"prometheus": {"url": " http://p ", "tlsSkipVerify": "true", "headers": {"X-Team": "sre"}},
		"limits": {"concurrency": "4", "timeout": 10, "maxSeries": 50.0},
		"somethingOfGrafana": true, "prometheuss": {}
	}`, map[string]string{"prometheusToken": "t"}))
	require.NoError(t, err)
	require.Equal(t, "http://p", settings.Metrics.URL)
	require.True(t, settings.Metrics.TLS.SkipVerify)
	require.Equal(t, "sre", settings.Metrics.Headers.Get("X-Team"))
	require.Equal(t, "t", settings.Metrics.BearerToken)
	require.Equal(t, 4, settings.Limits.Concurrency)
	require.Equal(t, 10*time.Second, settings.Limits.Timeout)
}

func TestParseSettingsNamesEveryProblem(t *testing.T) {
	_, err := ParseSettings(instance(`{
		"prometheus": {"url": [9090], "tenant": {}, "tlsSkipVerify": "maybe", "headers": {"X": []}, "customQueryParameters": "a=%zz", "httpMethod": "PUT"},
		"traces": "http://tempo",
		"limits": {"concurrency": 2.5, "timeout": "soon"}
	}`, nil))
	for _, part := range []string{
		"prometheus.url must be text, got a list", "prometheus.customQueryParameters", "prometheus.httpMethod",
		"prometheus.tenant must be text", "prometheus.tlsSkipVerify", "prometheus.headers.X must be text",
		"traces must be an object", "limits.concurrency", "limits.timeout",
	} {
		require.ErrorContains(t, err, part)
	}
}

func TestParseSettingsNoticesMisspellings(t *testing.T) {
	settings, err := ParseSettings(instance(`{"prometheus": {"url": "http://p", "tennant": "a"}}`, nil))
	require.NoError(t, err)
	require.Len(t, settings.Notices, 1)
	require.Contains(t, settings.Notices[0], "prometheus.tennant")
}

func TestParseSettingsSeries(t *testing.T) {
	settings, err := ParseSettings(backend.DataSourceInstanceSettings{JSONData: []byte(
		`{"series": [{"name": "checkout", "expr": "up", "threshold": "40", "direction": "below", "minDeviation": 2, "mood": 1}]}`)})
	require.NoError(t, err)
	require.Equal(t, []promapi.NamedSeries{{Name: "checkout", Expr: "up", Threshold: new(40.0), Direction: "below", MinDeviation: 2}}, settings.Series)
	require.Len(t, settings.Notices, 1, "series[0].mood means nothing")

	_, err = ParseSettings(backend.DataSourceInstanceSettings{JSONData: []byte(
		`{"series": [{"name": "a", "expr": "up", "threshold": "high"}, {"name": "b"}, 3]}`)})
	require.ErrorContains(t, err, "series[0].threshold")
	require.ErrorContains(t, err, "series[1].name")
	require.ErrorContains(t, err, "series must hold objects")
}

func TestParseSettingsSignals(t *testing.T) {
	settings, err := ParseSettings(instance(`{"signals": [{"name": "checkout", "kind": "latency", "unit": "s", "weight": "2", "mood": 1,
		"expr": "quantile($quantile, x{app=\"$service\"})", "quantiles": [0.5, "0.99"], "direction": "above", "minDeviation": 0.1}]}`, nil))
	require.NoError(t, err)
	require.Equal(t, []engine.SignalSetting{{
		Name: "checkout", Kind: "latency", Expr: `quantile($quantile, x{app="$service"})`, Unit: "s",
		Quantiles: []float64{0.5, 0.99}, Direction: anomaly.Above, MinDeviation: 0.1, Weight: 2,
	}}, settings.Signals)
	require.Len(t, settings.Notices, 1, "signals[0].mood means nothing")
	for raw, want := range map[string]string{
		`{"signals": [{"name": "a", "kind": "traffic"}]}`: "signals[0]: expr is missing",
		`{"signals": [1]}`:                     "signals must hold objects",
		`{"signals": {}}`:                      "signals must be a list",
		`{"signals": [{"quantiles": [null]}]}`: "holds nothing at place 0",
		`{"signals": [{"quantiles": "many"}]}`: "write a number",
	} {
		_, err := ParseSettings(instance(raw, nil))
		require.ErrorContains(t, err, want)
	}
}

func TestParseSettingsWebhooks(t *testing.T) {
	got, err := ParseSettings(instance(`{"webhooks": [{"name": "warm", "url": "https://example.com"}, {"name": "pd", "kind": "pagerDutyChanges"}]}`,
		map[string]string{"signingSecret": "whsec_x", "pagerDutyRoutingKey": "k"}))
	require.NoError(t, err)
	require.Equal(t, []webhook.Target{{Name: "warm", Kind: webhook.CloudEvents, URL: "https://example.com"}, {Name: "pd", Kind: webhook.PagerDutyChanges}}, got.Webhooks)
	require.Equal(t, webhook.Secrets{Signing: "whsec_x", RoutingKey: "k"}, got.WebhookSecrets)
	require.Empty(t, got.Notices)
	_, err = ParseSettings(instance(`{"webhooks": [{"name": "warm", "kind": "mail"}]}`, nil))
	require.ErrorContains(t, err, "webhooks[0].kind")
}

func TestParsePlaybooks(t *testing.T) {
	const webhooks = `"webhooks": [{"name": "automation", "url": "https://a.example"}, {"name": "pages", "kind": "pagerDutyChanges"}]`
	settings, err := ParseSettings(instance(`{`+webhooks+`, "playbooks": {
		"mode": "recommend", "services": ["orders", "cart"], "webhook": "automation", "cooldown": "2h", "perHour": 5, "maxShare": 0.5,
		"rules": {"slowQueryAfterDeploy": "auto", "trafficSpike": "observe"}}}`, nil))
	require.NoError(t, err)
	require.Empty(t, settings.Notices)
	p := settings.Playbooks
	require.Equal(t, playbook.Recommend, p.Mode)
	require.Equal(t, map[playbook.Pattern]playbook.Mode{playbook.SlowQueryAfterDeploy: playbook.Auto, playbook.TrafficSpike: playbook.Observe}, p.Modes)
	require.Equal(t, []any{2 * time.Hour, 5, 2, 0.5, 0.4, "automation"}, []any{p.Cooldown, p.PerHour, p.PerService, p.MaxShare, p.StopShare, p.Webhook})

	settings, err = ParseSettings(instance(`{}`, nil))
	require.NoError(t, err)
	require.Equal(t, playbook.Observe, settings.Playbooks.Mode)

	for raw, want := range map[string]string{
		`{"playbooks": {"mode": "yolo"}}`:                                                                 "playbooks.mode is",
		`{"playbooks": {"mode": "auto", "services": ["orders"]}}`:                                         "playbooks.webhook is",
		`{` + webhooks + `, "playbooks": {"mode": "auto", "services": ["orders"], "webhook": "pages"}}`:   "playbooks.webhook is",
		`{` + webhooks + `, "playbooks": {"mode": "auto", "webhook": "automation"}}`:                      "playbooks.services is empty",
		`{` + webhooks + `, "playbooks": {"rules": {"poolExhaustion": "auto"}, "webhook": "automation"}}`: "playbooks.services is empty",
		`{"playbooks": {"services": ["*"]}}`:                                                              "may stand for more than one service",
		`{"playbooks": {"rules": {"earthquake": "auto"}}}`:                                                "playbooks.rules names playbooks.rules.earthquake",
		`{"playbooks": {"rules": {"cacheLost": "always"}}}`:                                               "playbooks.rules.cacheLost is",
		`{"playbooks": {"stopShare": 1.5}}`:                                                               "playbooks.stopShare is 1.5",
		`{"playbooks": {"perHour": 0}}`:                                                                   "playbooks.perHour is 0",
		`{"playbooks": {"settle": "1h", "deadline": "30m"}}`:                                              "playbooks.deadline is 30m0s",
		`{"playbooks": {"killSwitch": "perhaps"}}`:                                                        "playbooks.killSwitch is",
	} {
		_, err := ParseSettings(instance(raw, nil))
		require.ErrorContains(t, err, want, raw)
	}
}

// TestSettingsAsProvisioningDeliversThem: environment variables that look like
// numbers become numbers, and mounted secrets end with a line.
func TestSettingsAsProvisioningDeliversThem(t *testing.T) {
	settings, err := ParseSettings(instance(`{
		"prometheus": {"url": " http://p:9090\n", "tenant": 12, "basicAuthUser": 1234567, "headers": {"X-Scope": 12345678901234567890, "X-Flag": true},
			"customQueryParameters": "dedup=true&partial_response=false", "httpMethod": "GET"},
		"traces": {"url": "http://t:3200"},
		"deploys": {"annotationTags": [2026, "deploy"]},
		"limits": {"concurrency": "4", "timeout": 10}
	}`, map[string]string{"prometheusPassword": " blank at the begin\r\n", "tracesToken": " s3cret\n", "grafanaToken": "glsa_x\n"}))
	require.NoError(t, err)
	require.Equal(t, "http://p:9090", settings.Metrics.URL)
	require.Equal(t, "12", settings.Metrics.Tenant)
	require.Equal(t, "1234567", settings.Metrics.BasicUser)
	require.Equal(t, "12345678901234567890", settings.Metrics.Headers.Get("X-Scope"))
	require.Equal(t, "true", settings.Metrics.Headers.Get("X-Flag"))
	require.Equal(t, "dedup=true&partial_response=false", settings.Metrics.Parameters.Encode())
	require.Equal(t, "GET", settings.Metrics.Method)
	require.Equal(t, " blank at the begin", settings.Metrics.BasicPassword)
	require.Equal(t, "s3cret", settings.Traces.BearerToken)
	require.Equal(t, "glsa_x", settings.Metrics.GrafanaToken)
	require.Equal(t, []string{"2026", "deploy"}, settings.Deploys.AnnotationTags)
	require.Equal(t, 4, settings.Limits.Concurrency)
	require.Equal(t, 10*time.Second, settings.Limits.Timeout)
	require.Empty(t, settings.Notices)
	require.NoError(t, settings.Metrics.Validate("Prometheus"))
}

// TestSettingsOfTheEnvironment: variables that are not set leave empty text, and
// those that are leave numbers, booleans and text in any case.
func TestSettingsOfTheEnvironment(t *testing.T) {
	settings, err := ParseSettings(instance(`{
		"prometheus": {"url": "http://p:9090", "mode": "Direct", "httpMethod": "get", "tenant": "", "scrapeInterval": "60", "tlsSkipVerify": 1, "headers": "", "headerNames": ""},
		"traces": {"url": "http://t:16686", "kind": "JAEGER", "tlsSkipVerify": " Yes ", "secureSocksProxy": ""},
		"deploys": {"fromVersions": "off", "annotationTags": [true, 7]}, "grafana": "", "signals": "", "webhooks": "",
		"limits": {"concurrency": "", "timeout": "", "maxSeries": " 300 ", "cacheMiB": "1e2"}
	}`, map[string]string{"prometheusToken": "Bearer s3cret\n", "tracesToken": "bearer", "tracesPassword": "\n"}))
	require.NoError(t, err)
	require.Empty(t, settings.Notices)
	require.Equal(t, http.MethodGet, settings.Metrics.Method)
	require.Equal(t, time.Minute, settings.Scrape)
	require.True(t, settings.Metrics.TLS.SkipVerify)
	require.True(t, settings.Traces.TLS.SkipVerify)
	require.Equal(t, Jaeger, settings.TracesKind)
	require.Equal(t, "s3cret", settings.Metrics.BearerToken)
	require.Equal(t, "bearer", settings.Traces.BearerToken, "a token of that name")
	require.False(t, settings.Deploys.FromVersions)
	require.Equal(t, []string{"true", "7"}, settings.Deploys.AnnotationTags)
	require.Equal(t, Limits{Concurrency: 8, Timeout: 25 * time.Second, MaxSeries: 300, MaxTraces: 2000, CacheMiB: 100, CallerRate: 200}, settings.Limits)

	settings, err = ParseSettings(instance(`{"prometheus": {"url": "http://p:9090"}}`, map[string]string{"prometheusToken": "two\nlines"}))
	require.NoError(t, err)
	require.ErrorContains(t, settings.Metrics.Validate("Prometheus"), "the token holds a line break")
}

// TestOneUpstreamAloneIsHealthy, and none is not.
func TestOneUpstreamAloneIsHealthy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Query().Get("dedup") != "true" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		body := `{"status":"success","data":[]}`
		switch {
		case strings.HasSuffix(r.URL.Path, "/query"):
			body = `{"status":"success","data":{"resultType":"vector","result":[]}}`
		case strings.HasSuffix(r.URL.Path, "/buildinfo"):
			body = `{"status":"success","data":{"version":"3.0.0"}}`
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	for settings, want := range map[string]backend.HealthStatus{
		`{"prometheus":{"url":"` + server.URL + `","httpMethod":"GET","customQueryParameters":"dedup=true"}}`: backend.HealthStatusOk,
		`{"prometheus":{"url":"` + server.URL + `"}}`:                                                         backend.HealthStatusError, // refuses to answer
		`{}`: backend.HealthStatusError,
	} {
		made, err := New(t.Context(), instance(settings, nil))
		require.NoError(t, err)
		d := made.(*DataSource)
		t.Cleanup(d.Dispose)
		health, err := d.CheckHealth(t.Context(), &backend.CheckHealthRequest{})
		require.NoError(t, err)
		require.Equal(t, want, health.Status, "%s: %s", settings, health.Message)
	}
}

//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/tests/harness"
)

// leaks is all that came out of the plugin process.
type leaks struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *leaks) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *leaks) say(where string, what any) { _, _ = fmt.Fprintf(l, "\n%s: %v", where, what) }

func (l *leaks) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// spans takes the plugin's own traces in.
type spans struct {
	collector.UnimplementedTraceServiceServer
	out *leaks
}

func (s spans) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.out.say("span", protojson.Format(request))
	return &collector.ExportTraceServiceResponse{}, nil
}

// indiscreet are servers that repeat what they were sent, each where another
// one might.
var indiscreet = map[string]func(w http.ResponseWriter, reported string){
	"plain refusal": func(w http.ResponseWriter, reported string) { http.Error(w, reported, http.StatusUnauthorized) },
	"plain failure": func(w http.ResponseWriter, reported string) { http.Error(w, reported, http.StatusInternalServerError) },
	"JSON failure": answerJSON(http.StatusBadRequest, func(reported string) any {
		return map[string]any{"status": "error", "errorType": "bad_data", "error": reported, "message": reported, "errors": []any{map[string]any{"msg": reported}}}
	}),
	"failure in 200": answerJSON(http.StatusOK, func(reported string) any {
		return map[string]any{"status": "error", "errorType": "execution", "error": reported, "errors": []any{map[string]any{"msg": reported}}}
	}),
	"warnings": answerJSON(http.StatusOK, func(reported string) any {
		return map[string]any{"status": "PARTIAL", "message": reported, "data": map[string]any{"resultType": "matrix", "result": []any{}}, "warnings": []string{reported}, "infos": []string{reported}, "errors": []any{map[string]any{"msg": reported}}}
	}),
	"success with warnings": answerJSON(http.StatusOK, func(reported string) any {
		return map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": []any{}}, "warnings": []string{reported}, "infos": []string{reported}}
	}),
	"wrong types": answerJSON(http.StatusOK, func(reported string) any {
		return map[string]any{"status": reported, "data": reported, "traces": []any{map[string]any{"startTimeUnixNano": reported}}, "series": []any{map[string]any{"samples": []any{map[string]any{"value": reported, "timestampMs": reported}}}}, "tagValues": reported}
	}),
	"no JSON": func(w http.ResponseWriter, reported string) { _, _ = w.Write([]byte(reported)) },
	"web page": func(w http.ResponseWriter, reported string) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><title>" + html.EscapeString(reported) + "</title>"))
	},
	"redirect": func(w http.ResponseWriter, reported string) {
		w.Header().Set("Location", "http://elsewhere.invalid/"+reported)
		w.WriteHeader(http.StatusTemporaryRedirect)
	},
}

func answerJSON(status int, content func(reported string) any) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, reported string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(content(reported))
	}
}

// TestSecretsStayInside configures a secret that nobody could mistake in every
// field that holds one, asks every type of query, every route and a live
// channel of servers that repeat what they are sent, and looks for the secrets
// in all that comes out: answers, errors, health, log, spans and metrics.
func TestSecretsStayInside(t *testing.T) {
	out := &leaks{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	exporter := grpc.NewServer()
	collector.RegisterTraceServiceServer(exporter, spans{out: out})
	go func() { _ = exporter.Serve(listener) }()
	t.Cleanup(exporter.Stop)
	t.Setenv("GF_INSTANCE_OTLP_ADDRESS", listener.Addr().String())
	t.Setenv("GF_INSTANCE_OTLP_PROPAGATION", "w3c")
	p, err := harness.StartLoggingPlugin(t.Context(), hclog.Trace, out)
	require.NoError(t, err)
	defer p.Stop()

	secrets := map[string]string{
		"prometheusPassword": `hunter2-prometheus"Password<&>`, "prometheusToken": "hunter2-prometheusToken", "prometheusTlsClientKey": "",
		"tracesPassword": "hunter2-tracesPassword", "tracesToken": "hunter2-tracesToken", "grafanaToken": "hunter2-grafanaToken",
		"webhookSecret": "hunter2-webhookSecret", "signingSecret": "whsec_aHVudGVyMi1zaWduaW5nLXNlY3JldC1zaWduaW5n", "pagerDutyRoutingKey": "hunter2-pagerDutyRoutingKey-1234",
	}
	require.Len(t, secrets["pagerDutyRoutingKey"], 32)
	forms := []string{"hunter2", secrets["signingSecret"]}
	for _, credentials := range []string{"upstream:" + secrets["prometheusPassword"], "upstream:" + secrets["tracesPassword"]} {
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(credentials)))
	}

	ways, kinds := []string{"basic", "token", "grafana"}, []string{"tempo", "jaeger"}
	for i, title := range slices.Sorted(maps.Keys(indiscreet)) {
		reported := sync.Map{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reported.Store(r.Header.Get("Authorization"), true)
			indiscreet[title](w, strings.Repeat("x", 60)+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Key"))
		}))
		source := func(n int) (harness.DataSource, string) { // each way in, each kind of trace store
			way, given := ways[n%len(ways)], maps.Clone(secrets)
			upstream := map[string]any{"url": server.URL, "headers": map[string]any{"X-Key": "hunter2-header"}}
			switch way {
			case "basic":
				upstream["basicAuthUser"] = "upstream"
				delete(given, "prometheusToken")
				delete(given, "tracesToken")
			case "token":
				delete(given, "prometheusPassword")
				delete(given, "tracesPassword")
			case "grafana":
				upstream = map[string]any{"mode": "grafana", "uid": "other"}
			}
			traces := maps.Clone(upstream)
			traces["kind"] = kinds[n%len(kinds)]
			settings := map[string]any{
				"prometheus": upstream, "traces": traces, "grafana": map[string]any{"url": server.URL}, "limits": map[string]any{"timeout": "10s"},
				"webhooks":  []any{map[string]any{"name": "warm", "url": server.URL, "private": true}, map[string]any{"name": "pages", "kind": "pagerDutyChanges", "url": server.URL, "private": true}},
				"playbooks": map[string]any{"mode": "recommend"},
			}
			return harness.DataSource{Plugin: p, Context: harness.PluginContext(settings, given)}, title + " " + way
		}
		for j, kind := range query.Types() {
			queried, name := source(i + j)
			driveQuery(t, out, queried, name, string(kind))
		}
		queried, name := source(i)
		driveRoutes(t, out, queried, name)
		reported.Delete("")
		sent := 0
		reported.Range(func(any, any) bool { sent++; return true })
		require.GreaterOrEqual(t, sent, 4, "%s: the secrets are sent to the server", title)
		server.Close()
	}

	// Settings that cannot be used say so, without the secrets in them.
	secrets["prometheusTlsClientKey"], secrets["prometheusTlsClientCert"] = "-----BEGIN PRIVATE KEY-----\nhunter2\n", "hunter2"
	secrets["signingSecret"], secrets["pagerDutyRoutingKey"] = "hunter2", "hunter2"
	for _, settings := range []map[string]any{
		{"prometheus": map[string]any{"url": "http://u:hunter2@p"}}, {"prometheus": map[string]any{"url": "http://p"}},
		{"webhooks": []any{map[string]any{"name": "a", "url": "https://x.example"}}}, {"webhooks": []any{map[string]any{"name": "a", "kind": "pagerDutyChanges"}}},
	} {
		source := harness.DataSource{Plugin: p, Context: harness.PluginContext(settings, secrets)}
		driveQuery(t, out, source, "unusable", "anomaly")
		driveRoutes(t, out, source, "unusable")
	}

	metrics, err := p.Metrics(t.Context())
	require.NoError(t, err)
	out.say("metrics", metrics)
	eventually(t, time.Minute, "spans arrive", func() error {
		return unless(strings.Contains(out.String(), "span: "), "no span")
	})
	everything := out.String()
	require.Contains(t, everything, "[DEBUG]", "the log is there, down to its details")
	for _, form := range forms {
		if i := strings.Index(everything, form); i >= 0 {
			t.Errorf("%q came out:\n… %s …", form, everything[max(0, i-500):min(len(everything), i+200)])
		}
	}
	t.Logf("%d bytes came out", len(everything))
}

func driveQuery(t *testing.T, out *leaks, source harness.DataSource, title, kind string) {
	to := time.Now()
	answers, err := source.AskAll(t.Context(), harness.Query("A", to.Add(-time.Hour), to, map[string]any{
		"queryType": kind, "expr": "up", "service": "cart", "threshold": 1.0, "objective": "up",
	}))
	require.NoError(t, err)
	raw, err := json.Marshal(answers["A"])
	require.NoError(t, err)
	out.say(title+" "+kind, string(raw))
	out.say(title+" "+kind, answers["A"].Error)
}

func driveRoutes(t *testing.T, out *leaks, source harness.DataSource, title string) {
	health, err := source.Plugin.Health(t.Context(), source.Context)
	require.NoError(t, err)
	out.say(title+" health", health.Message+string(health.JSONDetails))
	live := json.RawMessage(`{"query": {"queryType": "anomaly", "expr": "up"}, "seconds": 900}`)
	var channel struct{ Path string }
	for _, one := range []struct{ method, path, body string }{
		{"POST", "live", string(live)}, {"GET", "services", ""}, {"GET", "operations?service=cart", ""}, {"GET", "versions?service=cart", ""},
		{"GET", "labels", ""}, {"GET", "labels/job", ""}, {"GET", "prom/api/v1/query?query=foresight_anomaly_score{service=%22cart%22}", ""},
		{"GET", "prom/api/v1/query?query=foresight_up", ""}, {"GET", "prom/api/v1/series?match[]=foresight_up", ""}, {"GET", "keda/cart", ""},
		{"GET", "verdict?service=cart", ""}, {"POST", "flagger/rollback", `{"name":"cart"}`}, {"POST", "flagger/confirm-rollout", `{"name":"cart"}`},
		{"GET", "recommendations?service=cart", ""}, {"GET", "impact?service=cart", ""}, {"GET", "playbooks?service=cart", ""}, {"POST", "playbooks", `{"service":"cart"}`},
		{"POST", "hooks/deploy", `{"service":"cart"}`}, {"POST", "hooks/alert", `{"version":"4"}`}, {"POST", "hooks/send", `{"webhook":"warm","query":"foresight_up"}`},
		{"POST", "hooks/annotate", `{"query":"foresight_up"}`}, {"POST", "feedback", `{"time":"now","real":true}`},
	} {
		asker := source.Context
		asker.User = &backend.User{Login: "sa-1", Role: "Admin"}
		path, _, _ := strings.Cut(one.path, "?")
		status, body, err := source.Plugin.Resource(t.Context(), &backend.CallResourceRequest{PluginContext: asker, Path: path, Method: one.method, URL: one.path, Body: []byte(one.body)})
		out.say(fmt.Sprint(title, " ", one.path, " ", status), string(body))
		require.NoError(t, err)
		if one.path == "live" {
			_ = json.Unmarshal(body, &channel)
		}
	}
	_, frame, err := source.Plugin.Subscribe(t.Context(), &backend.SubscribeStreamRequest{PluginContext: source.Context, Path: channel.Path, Data: live})
	out.say(title+" channel "+channel.Path, fmt.Sprint(frame, err))
}

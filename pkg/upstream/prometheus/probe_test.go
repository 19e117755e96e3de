package prometheus_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const one = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`

func TestProbe(t *testing.T) {
	for name, test := range map[string]struct {
		build  http.HandlerFunc
		names  string
		native string
		want   upstream.MetricsCapabilities
		bare   bool // span metrics without versions and exemplars
	}{
		"Prometheus": {build: answer(`{"status":"success","data":{"version":"3.5.0"}}`), names: `[]`, want: upstream.MetricsCapabilities{Product: "Prometheus", Version: "3.5.0"}},
		"Mimir with everything": {build: answer(`{"status":"success","data":{"application":"Grafana Mimir","version":"2.17.1","features":{}}}`),
			names:  `["traces_service_graph_request_total","traces_spanmetrics_calls_total","traces_spanmetrics_latency"]`,
			native: one,
			want:   upstream.MetricsCapabilities{Product: "Mimir", Version: "2.17.1", SpanMetrics: true, ServiceGraph: true, NativeHistograms: true, SpanVersions: true, Exemplars: true}},
		"Thanos, span metrics connector": {build: answer(`{"status":"success","data":{"version":"0.39.2"}}`), names: `["traces_span_metrics_calls_total"]`,
			want: upstream.MetricsCapabilities{Product: "Thanos", Version: "0.39.2", SpanMetrics: true}, bare: true},
		"VictoriaMetrics": {build: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Server-Hostname", "vm-0")
			answer(`{"status":"success","data":{"version":"2.24.0"}}`)(w, r)
		}, names: `[]`, want: upstream.MetricsCapabilities{Product: "VictoriaMetrics", Version: "2.24.0"}},
		"no such endpoint, name without histogram": {build: http.NotFound, names: `["http_server_request_duration_seconds"]`,
			native: `{"status":"success","data":{"resultType":"vector","result":[]}}`, want: upstream.MetricsCapabilities{Product: "Prometheus"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
				require.NoError(t, r.ParseForm())
				switch {
				case r.URL.Path == "/api/v1/status/buildinfo":
					test.build(w, r)
				case r.URL.Path == "/api/v1/label/__name__/values":
					require.Contains(t, r.Form.Get("match[]"), "traces_service_graph_request_total")
					answer(`{"status":"success","data":`+test.names+`}`)(w, r)
				case r.URL.Path == "/api/v1/label/service_version/values" && test.bare:
					answer(`{"status":"success","data":[]}`)(w, r)
				case r.URL.Path == "/api/v1/label/service_version/values":
					require.Contains(t, r.Form.Get("match[]"), "traces_spanmetrics_calls_total")
					answer(`{"status":"success","data":["2.0.0"]}`)(w, r)
				case r.URL.Path == "/api/v1/query_exemplars" && test.bare:
					answer(`{"status":"success","data":[]}`)(w, r)
				case r.URL.Path == "/api/v1/query_exemplars":
					require.Contains(t, r.Form.Get("query"), "traces_spanmetrics_latency_bucket")
					answer(exemplars)(w, r)
				case r.Form.Get("query") == "vector(1)":
					answer(one)(w, r)
				case strings.HasPrefix(r.Form.Get("query"), "count(histogram_count("):
					answer(test.native)(w, r)
				default:
					t.Error("unexpected", r.URL.Path, r.Form)
				}
			}).Probe(context.Background())
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

// exemplars is an answer with one trace twice, one later, and labels that name
// none.
const exemplars = `{"status":"success","data":[
	{"seriesLabels":{"service":"orders"},"exemplars":[
		{"labels":{"trace_id":"0af7651916cd43dd8448eb211c80319c"},"value":"0.1","timestamp":1767225600.5},
		{"labels":{"trace_id":"0af7651916cd43dd8448eb211c80319c"},"value":"0.2","timestamp":1767225602}]},
	{"seriesLabels":{"service":"cart"},"exemplars":[
		{"labels":{"traceID":"1"},"value":"0.1","timestamp":1767225601},
		{"labels":{"trace_id":"00"},"value":"0.1","timestamp":1767225601},
		{"labels":{"trace_id":"not an id"},"value":"0.1","timestamp":1767225601},
		{"labels":{"span":"1"},"value":"0.1","timestamp":1767225601}]}]}`

func TestExemplars(t *testing.T) {
	found, err := serve(t, answer(exemplars)).Exemplars(context.Background(), "up", hour.Start, hour.End)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", found[0].Trace.String(), "the newest first, each once")
	require.Equal(t, int64(1767225602), found[0].At.Unix())
	require.Equal(t, trace.TraceID{15: 1}, found[1].Trace)
	for body, want := range map[string]upstream.Category{
		`{"status":"success","data":{"a":1}}`: upstream.Malformed, `[]`: upstream.Malformed,
		`{"status":"error","errorType":"bad_data","error":"parse error"}`: upstream.Rejected,
	} {
		_, err := serve(t, answer(body)).Exemplars(context.Background(), "up", hour.Start, hour.End)
		require.Equal(t, want, category(t, err), body)
	}
}

func TestProbeFailsWhereQueriesFail(t *testing.T) {
	_, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/status/buildinfo" {
			answer(`{"status":"success","data":{"version":"3.5.0"}}`)(w, r)
			return
		}
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	}).Probe(context.Background())
	require.Equal(t, upstream.Auth, category(t, err))
}

func TestProbeSaysWhatItCouldNotFindOut(t *testing.T) {
	got, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query" {
			answer(one)(w, r)
			return
		}
		http.Error(w, "not today", http.StatusServiceUnavailable)
	}).Probe(context.Background())
	require.NoError(t, err)
	require.Len(t, got.Warnings, 2)
	require.Contains(t, got.Warnings[0], "not today")
}

func TestLabelValues(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/api/v1/label/service_name/values", r.URL.Path)
		require.Equal(t, []string{`up`, `{job="x"}`}, r.URL.Query()["match[]"])
		answer(`{"status":"success","data":["web","cart","cart"],"warnings":["partial"]}`)(w, r)
	})
	values, warnings, err := client.LabelValues(context.Background(), "service_name", []string{"up", `{job="x"}`}, hour.Start, hour.End)
	require.NoError(t, err)
	require.Equal(t, []string{"cart", "web"}, values)
	require.Equal(t, []string{"Prometheus: partial"}, warnings)

	dotted := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Contains(t, []string{"/api/v1/label/U__service_2e_name/values", "/api/v1/label/U___2e__2e__2f_admin/values"}, r.URL.Path, "no name leads elsewhere")
		answer(`{"status":"success","data":["cart"]}`)(w, r)
	})
	for _, label := range []string{"service.name", "../admin"} {
		values, _, err = dotted.LabelValues(context.Background(), label, nil, hour.Start, hour.End)
		require.NoError(t, err)
		require.Equal(t, []string{"cart"}, values)
	}
	_, _, err = client.LabelValues(context.Background(), "bad\xff", nil, hour.Start, hour.End)
	require.Equal(t, upstream.Rejected, category(t, err))
}

func TestGetWherePostIsForbidden(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		require.Equal(t, "up", r.URL.Query().Get("query"))
		answer(matrix())(w, r)
	})
	_, err := client.QueryRange(context.Background(), "up", hour)
	require.NoError(t, err)
}

func TestLabelNamesAreThoseOfTheSelectors(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		require.Equal(t, "/api/v1/labels", r.URL.Path)
		require.Equal(t, []string{"up"}, r.Form["match[]"])
		answer(`{"status":"success","data":["job","__name__"]}`)(w, r)
	})
	names, err := client.LabelNames(t.Context(), []string{"up"}, hour.Start, hour.End)
	require.NoError(t, err)
	require.Equal(t, []string{"__name__", "job"}, names)
}

func TestDescribe(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		require.Equal(t, "/api/v1/metadata", r.URL.Path)
		if r.Form.Get("metric") == "up" {
			answer(`{"status":"success","data":{"up":[{"type":"gauge","help":"Whether the scrape worked.","unit":""}]}}`)(w, r)
			return
		}
		answer(`{"status":"success","data":{}}`)(w, r)
	})
	described, err := client.Describe(t.Context(), "up")
	require.NoError(t, err)
	require.Equal(t, upstream.MetricDescription{Type: "gauge", Help: "Whether the scrape worked."}, described)
	described, err = client.Describe(t.Context(), "down")
	require.NoError(t, err)
	require.Empty(t, described)
}

package plugin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/api"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
)

// What people report of tools of this trade, asked as panels and rules ask it,
// with Prometheus' own engine behind.

// reported is a data source over series that are scraped so often: counters of
// services named in several ways, gauges that differ by one label or by their
// names alone, and 250 disks of which the last is full.
func reported(every time.Duration) (*DataSource, backend.TimeRange) {
	end := enginetest.Noon
	from := end.Add(-26 * time.Hour)
	var all []enginetest.Scraped
	add := func(value func(time.Time) float64, name string, pairs ...string) {
		all = append(all, enginetest.Scraped{Labels: enginetest.Named(name, pairs...), From: from, To: end, Every: every, Value: value})
	}
	level := func(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }
	add(enginetest.Counter(from, 10), "http.server.requests", "service.name", "shop", "k8s.io/name", "a")
	add(enginetest.Counter(from, 20), "http.server.requests", "service.name", "other", "k8s.io/name", "b")
	for _, service := range []string{"cart", "orders", "team/pay"} {
		add(enginetest.Counter(from, 10), "http_server_request_duration_seconds_count", "service_name", service)
	}
	add(enginetest.Counter(from, 10), "http_server_request_duration_seconds_count", "job", "shop/otlp")
	add(level(1), "target_info", "job", "shop/otlp")
	for i := range 3 {
		add(level(5), "process_resident_memory_bytes", "namespace", "data", "pod", fmt.Sprintf("kafka-%d", i))
		add(level(5), fmt.Sprintf("load%d", i), "instance", "a")
	}
	for i := range 250 {
		add(level(map[bool]float64{true: 0.99, false: 0.2}[i == 249]), "disk_used_ratio", "instance", fmt.Sprintf("node-%03d", i))
	}
	now := func() time.Time { return end }
	e := &engine.Engine{Metrics: enginetest.NewPromServer(all...), Now: now, Limits: engine.Limits{MaxSeries: 200}}
	return &DataSource{engine: e, api: api.New(e, api.Settings{CallerRate: 100})}, backend.TimeRange{From: end.Add(-time.Hour), To: end}
}

// numbers are those of a rule's answer.
func numbers(t *testing.T, answer backend.DataResponse) (all []float64, labels []data.Labels) {
	t.Helper()
	require.NoError(t, answer.Error)
	for _, field := range answer.Frames[0].Fields {
		value, _ := field.At(0).(*float64)
		require.NotNil(t, value, "%v", field.Labels)
		all, labels = append(all, *value), append(labels, field.Labels)
	}
	return all, labels
}

// TestReportsOfRules: H1 to H7 and H26, each also with other spellings.
func TestReportsOfRules(t *testing.T) {
	const counter = "http_server_request_duration_seconds_count"
	for every, queried := range map[time.Duration]map[string]float64{
		time.Minute: {
			`"expr":"sum(rate(` + counter + `[$__rate_interval]))"`:                                       40,
			`"expr":"sum(rate(` + counter + `[[[__rate_interval]]]))"`:                                    40,
			`"expr":"sum(increase(` + counter + `[$__range]))"`:                                           144_000,
			`"expr":"sum(increase(` + counter + `[${__range_s:raw}s]))"`:                                  144_000,
			`"expr":"sum(increase(` + counter + `[${__range_ms}ms]))"`:                                    144_000,
			`"expr":"rate({\"http.server.requests\",\"service.name\"=~\"s.+\"}[5m])"`:                     10,
			`"expr":"rate({\"http.server.requests\"}[5m])","filters":[{"key":"k8s.io/name","value":"b"}]`: 20,
		},
		10 * time.Minute: {`"expr":"sum(rate(` + counter + `[$__rate_interval]))"`: 40},
		30 * time.Minute: {`"expr":"sum(rate(` + counter + `[$__rate_interval]))"`: 40},
	} {
		d, within := reported(every)
		for fields, want := range queried {
			answer := answered(t, d, within, true, `{"queryType":"forecast","history":"1d",`+fields+`}`)
			found, _ := numbers(t, answer)
			require.Len(t, found, 1, fields)
			require.InEpsilon(t, want, found[0], 0.02, "%s %s", every, fields)
			panel := answered(t, d, within, false, `{"queryType":"forecast","history":"1d",`+fields+`}`)
			require.NoError(t, panel.Error)
			drawn := panel.Frames[0].Fields[1]
			observed := 0
			for i := range drawn.Len() {
				if value := drawn.At(i).(*float64); value != nil {
					observed++
					require.InEpsilon(t, want, *value, 0.02, fields)
				}
			}
			require.NotZero(t, observed, fields)
		}
	}

	d, within := reported(time.Minute)
	found, labels := numbers(t, answered(t, d, within, true, `{"queryType":"breach","history":"1d","threshold":0.9,"expr":"disk_used_ratio"}`))
	require.Len(t, found, 250, "H6: no series is left out")
	require.Equal(t, data.Labels{"instance": "node-249"}, labels[249])
	require.Equal(t, 1.0, found[249])
	for _, fields := range []string{`"queryType":"anomaly"`, `"queryType":"forecast"`, `"queryType":"breach","threshold":9`} {
		_, labels = numbers(t, answered(t, d, within, true, `{`+fields+`,"history":"1d","expr":"process_resident_memory_bytes"}`))
		require.Equal(t, []data.Labels{{"namespace": "data", "pod": "kafka-0"}, {"namespace": "data", "pod": "kafka-1"}, {"namespace": "data", "pod": "kafka-2"}}, labels, "H7")
		_, labels = numbers(t, answered(t, d, within, true, `{`+fields+`,"history":"1d","expr":"{__name__=~\"load.\"}"}`))
		require.Equal(t, []data.Labels{{"instance": "a", "metric": "load0"}, {"instance": "a", "metric": "load1"}, {"instance": "a", "metric": "load2"}}, labels, "H7")
	}
	_, labels = numbers(t, answered(t, d, within, true, `{"queryType":"composite","history":"1d","service":"(cart|team\\/pay)"}`))
	require.Equal(t, []data.Labels{{"service_name": "cart"}, {"service_name": "team/pay"}}, labels, "H5")
	found, _ = numbers(t, answered(t, d, within, true, `{"queryType":"composite","history":"1d","service":"otlp"}`))
	require.Len(t, found, 1, "H26")
}

// TestReportsOfLegends: H3 and H4 where the legend is filled in.
func TestReportsOfLegends(t *testing.T) {
	d, within := reported(time.Minute)
	answer := answered(t, d, within, false, `{"queryType":"anomaly","history":"1d","expr":"rate({\"http.server.requests\"}[5m])","filters":[{"key":"service.name","operator":"=","value":"shop"}],"legend":"rps of {{service.name}} {{ \"k8s.io/name\" }}"}`)
	require.NoError(t, answer.Error)
	require.Equal(t, "rps of shop a", answer.Frames[0].Fields[1].Config.DisplayNameFromDS)
}

// TestReportsOfMistakes: H19 and H20: what is misspelt or of another type is the
// asker's error, and named, in rules and, but for unknown fields, in panels.
func TestReportsOfMistakes(t *testing.T) {
	d, within := reported(time.Minute)
	for fields, want := range map[string]string{
		`"model":"Prophet"`:                     `model is "Prophet": choose one of`,
		`"model":5`:                             `model is "5": choose one of`,
		`"detectors":["cussum"]`:                `did you mean "cusum"?`,
		`"detectors":"cussum"`:                  `did you mean "cusum"?`,
		`"feedback":[{"time":{},"real":false}]`: "feedback[0].time must be text",
		`"feedback":[{"time":1795969208100,"real":"perhaps"}]`: "feedback[0].real must be true or false",
		`"filters":[{"key":"pod","value":{}}]`:                 "filters[0].value must be text",
		`"threshold":"50%"`:                                    "threshold must be a number",
		`"history":"two weeks"`:                                "history:",
		`"timeZone":"Europe/Berlinn"`:                          "timeZone:",
	} {
		for _, fromRule := range []bool{true, false} {
			answer := answered(t, d, within, fromRule, `{"queryType":"anomaly","expr":"load1",`+fields+`}`)
			require.ErrorContains(t, answer.Error, want)
			require.Equal(t, http.StatusBadRequest, int(answer.Status), fields)
		}
	}
	for fields, want := range map[string]string{
		`"treshold":50`:                                        `did you mean "threshold"?`,
		`"filters":[{"key":"pod","vlaue":"a"}]`:                `filters[0].vlaue (did you mean "filters[0].value"?)`,
		`"feedback":[{"time":"-1h","reall":true,"real":true}]`: `feedback[0].reall (did you mean "feedback[0].real"?)`,
	} {
		answer := answered(t, d, within, true, `{"queryType":"anomaly","expr":"load1",`+fields+`}`)
		require.ErrorContains(t, answer.Error, want)
		require.Equal(t, http.StatusBadRequest, int(answer.Status), fields)
	}
	answer := answered(t, d, within, true, `{"queryType":"anomaly","expr":"rate(x{job=\"$job\"}[5m])"}`)
	require.ErrorContains(t, answer.Error, "expr holds $job, a variable without a value")
	require.Equal(t, http.StatusBadRequest, int(answer.Status))
}

// TestValuesOfLabelsOfAnyName: H3: Grafana decodes the path before it passes it on.
func TestValuesOfLabelsOfAnyName(t *testing.T) {
	d, _ := reported(time.Minute)
	end := enginetest.Noon.UnixMilli()
	for _, path := range []string{"/labels/service.name", "/labels/k8s.io/name", "/labels/k8s.io%2Fname", "/labels?name=k8s.io%2Fname"} {
		answer := httptest.NewRecorder()
		separator := map[bool]string{true: "&", false: "?"}[path == "/labels?name=k8s.io%2Fname"]
		d.resources().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s%sfrom=%d&to=%d", path, separator, end-3_600_000, end), http.NoBody))
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		require.NotContains(t, answer.Body.String(), `"names":null`, path)
	}
}

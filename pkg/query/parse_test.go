package query_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

const day = query.Duration(24 * time.Hour)

var common = query.Common{SchemaVersion: 1}

func TestParseFillsInDefaults(t *testing.T) {
	for name, test := range map[string]struct {
		queryType, raw string
		want           query.Query
	}{
		"forecast": {"forecast", `{"expr":"up"}`, query.Forecast{
			Common: common, Expr: "up", Model: "auto", History: 14 * day, Probability: 0.95, NonNegative: new(true)}},
		"anomaly": {"anomaly", `{"expr":"up"}`, query.Anomaly{
			Common: common, Expr: "up", Model: "auto", History: 14 * day, Probability: 0.99,
			Direction: "both", Threshold: 75, NonNegative: new(true)}},
		"deploys":    {"deploys", `{}`, query.Deploys{Common: common}},
		"traceDiff":  {"traceDiff", `{"service":"orders"}`, query.TraceDiff{Common: common, Service: "orders", MaxTraces: 400}},
		"services":   {"services", ``, query.Services{Common: common}},
		"operations": {"operations", `{"service":"orders"}`, query.Operations{Common: common, Service: "orders"}},
		"patterns": {"patterns", `{"service":"orders"}`, query.Patterns{
			Common: common, Service: "orders", Compare: query.SinceDeploy, MaxTraces: 400}},
		"serviceMap": {"serviceMap", `{}`, query.ServiceMap{Common: common, Compare: query.SinceDeploy, MaxTraces: 400}},
		"rootCause":  {"rootCause", `{"service":"orders"}`, query.RootCause{Common: common, Service: "orders", MaxTraces: 400}},
		"verdict":    {"verdict", `{"service":"orders"}`, query.Verdict{Common: common, Service: "orders", Margin: 0.001, MaxTraces: 400}},
		"incidents":  {"incidents", `{}`, query.Incidents{Common: common, Lookback: query.Duration(3 * time.Hour)}},
		"impact":     {"impact", `{}`, query.Impact{Common: common, Budget: query.Duration(15 * time.Minute), FailsWithin: query.Duration(time.Hour), Measure: "precision"}},
		"rollout": {"rollout", `{"service":"orders"}`, query.Rollout{Common: common, Service: "orders", Ratio: 3, Probability: 0.95, MaxHarmed: 1000, From: 0.01, MaxWeight: 0.5,
			MinPause: query.Duration(5 * time.Minute), MaxDuration: query.Duration(6 * time.Hour), Margin: 0.001, History: 14 * day}},
		"sizing": {"sizing", `{"service":"orders"}`, query.Sizing{Common: common, Service: "orders",
			Lead: query.Duration(10 * time.Minute), Quantile: 0.95, Use: 0.7, MaxWait: query.Duration(50 * time.Millisecond), History: 14 * day}},
		"versions": {"versions", `{"service":"orders"}`, query.Versions{Common: common, Service: "orders"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := query.Parse(test.queryType, json.RawMessage(test.raw))
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestParseReadsWhatGrafanaSends(t *testing.T) {
	got, err := query.Parse("", json.RawMessage(`{
		"refId": "A", "datasource": {"type": "foresight-observability-datasource", "uid": "foresight"}, "datasourceId": 7,
		"intervalMs": 1000, "maxDataPoints": 43200, "hide": false, "key": "Q-1", "instant": true, "list": [1, {"a": null}],
		"queryType": " traceDiff ", "schemaVersion": 1, "format": "annotations",
		"service": " orders ", "operation": "POST /orders", "maxTraces": 50,
		"baseline": {"version": "1.0.0", "from": "-2h", "to": "-1h", "note": 1}, "candidate": {"traceQL": " { status = error } "}
	}`))
	require.NoError(t, err)
	require.Equal(t, query.TraceDiff{
		Common:  query.Common{SchemaVersion: 1, Format: query.Annotations},
		Service: "orders", Operation: "POST /orders", MaxTraces: 50,
		Baseline:  query.Population{Version: "1.0.0", From: "-2h", To: "-1h"},
		Candidate: query.Population{TraceQL: "{ status = error }"},
	}, got)

	got, err = query.Parse("anomaly", json.RawMessage(`{"queryType":"forecast","expr":"up","nonNegative":false,"history":3600,
		"step":"1m30s","probability":0.9,"direction":"above","minDeviation":0.2,"threshold":50,"model":null}`))
	require.NoError(t, err, "the request's queryType wins over the body's")
	require.Equal(t, query.Anomaly{
		Common: common, Expr: "up", Model: "auto", History: query.Duration(time.Hour), Step: query.Duration(90 * time.Second),
		Probability: 0.9, Direction: "above", MinDeviation: 0.2, Threshold: 50, NonNegative: new(false),
	}, got)
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ queryType, raw, want string }{
		"no type":               {"", `{}`, "queryType is missing: choose one of anomaly, breach, budget, changes, composite, deploys, explain, forecast, impact, incidents, journey, journeys, objectives, operations, patterns, replay, rollout, rootCause, serviceMap, services, sizing, traceDiff, verdict, versions"},
		"unknown type":          {"divination", `{}`, `unknown queryType "divination": choose one of anomaly, breach, budget, changes, composite, deploys`},
		"type is no text":       {"", `{"queryType":5}`, `unknown queryType "5"`},
		"not JSON":              {"forecast", `{"expr":`, "the query is not valid JSON: unexpected end of JSON input"},
		"a list":                {"forecast", `[1]`, "the query must be an object, got a list"},
		"newer version":         {"forecast", `{"schemaVersion":3,"expr":5}`, "the query is written in version 3 of the query language, this plugin speaks version 1: update the plugin"},
		"negative version":      {"forecast", `{"schemaVersion":-1}`, "schemaVersion -1 does not exist"},
		"version in words":      {"forecast", `{"schemaVersion":"two"}`, "schemaVersion must be a whole number, got \"two\""},
		"expr is true":          {"forecast", `{"expr":true}`, "expr must be text, got true"},
		"expr is an object":     {"forecast", `{"expr":{}}`, "expr must be text, got an object"},
		"probability is text":   {"forecast", `{"expr":"up","probability":"high"}`, "probability must be a number, got \"high\""},
		"probability too large": {"forecast", `{"expr":"up","probability":1e999}`, "probability must be a number, got the number 1e999"},
		"nonNegative is text":   {"forecast", `{"expr":"up","nonNegative":"yes"}`, "nonNegative must be true or false, got \"yes\""},
		"half a trace":          {"traceDiff", `{"service":"a","maxTraces":1.5}`, "maxTraces must be a whole number, got the number 1.5"},
		"duration":              {"forecast", `{"expr":"up","history":"a fortnight"}`, `history: "a fortnight" is not a duration: write it like "14d" or "90s"`},
		"duration is a list":    {"forecast", `{"expr":"up","history":[1]}`, `history: [1] is not a duration`},
		"negative duration":     {"forecast", `{"expr":"up","history":-5}`, `history: a duration of -5 seconds is out of range`},
		"population is text":    {"traceDiff", `{"service":"a","baseline":"1.0.0"}`, "baseline must be an object, got text"},
		"version is an object":  {"traceDiff", `{"service":"a","candidate":{"version":{}}}`, "candidate.version must be text, got an object"},
		"too long":              {"forecast", `{"expr":"` + strings.Repeat("a", 64<<10+1) + `"}`, "expr has 65537 bytes; at most 65536 are allowed"},
		"far too long":          {"forecast", `{"expr":"` + strings.Repeat("a", 1<<20) + `"}`, "the query is 1024 KiB of JSON; at most 1024 KiB are read"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := query.Parse(test.queryType, json.RawMessage(test.raw))
			require.ErrorContains(t, err, test.want)
			require.Nil(t, got)
		})
	}
}

func TestFormatOf(t *testing.T) {
	for name, test := range map[string]struct {
		query     query.Query
		fromAlert bool
		want      query.Format
		problem   string
	}{
		"panel by default":       {query.Forecast{}, false, query.Panel, ""},
		"alert for a rule":       {query.Anomaly{}, true, query.Alert, ""},
		"as asked, for a rule":   {query.Anomaly{Common: query.Common{Format: query.Panel}}, true, query.Panel, ""},
		"as asked, for a panel":  {query.Deploys{Common: query.Common{Format: query.Annotations}}, false, query.Annotations, ""},
		"no rule on names":       {query.Services{}, true, query.Alert, `a services query has no format "alert": choose one of panel`},
		"forecasts mark nothing": {query.Forecast{Common: query.Common{Format: query.Annotations}}, false, query.Annotations, "choose one of panel, alert"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := query.FormatOf(test.query, test.fromAlert)
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

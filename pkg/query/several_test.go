package query_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

// names are the queries that a query stands for.
func names(t *testing.T, queryType, raw string) (names []string) {
	t.Helper()
	parsed, err := query.Parse(queryType, json.RawMessage(raw))
	require.NoError(t, err, raw)
	several, is := parsed.(query.Several)
	require.True(t, is, raw)
	require.Equal(t, query.Type(queryType), several.Type())
	for _, one := range several.Each {
		names = append(names, one.Name())
	}
	return names
}

func TestSeveralServicesOperationsAndVersions(t *testing.T) {
	for _, queryType := range []string{"composite", "deploys", "impact", "sizing", "traceDiff", "rootCause", "serviceMap", "patterns", "verdict", "operations", "versions"} {
		for _, raw := range []string{
			`{"service":["cart","orders"]}`,
			`{"service":[" cart ","orders","cart",""]}`,
			// As Grafana's formats write the values of a variable.
			`{"service":"{cart,orders}"}`,
			`{"service":"(cart|orders)"}`,
			`{"service":"cart|orders"}`,
			`{"service":"cart, orders"}`,
			`{"service":"\"cart\",\"orders\""}`,
			`{"service":"'cart','orders'"}`,
			`{"service":"[\"cart\",\"orders\"]"}`,
		} {
			require.Equal(t, []string{"cart", "orders"}, names(t, queryType, raw))
		}
		one, err := query.Parse(queryType, json.RawMessage(`{"service":["cart"]}`))
		require.NoError(t, err)
		alone, err := query.Parse(queryType, json.RawMessage(`{"service":"cart"}`))
		require.NoError(t, err)
		require.Equal(t, alone, one, "a list of one is that one")
	}
	require.Equal(t, []string{"cart GET /", "cart GET /{id}", "orders GET /", "orders GET /{id}"},
		names(t, "traceDiff", `{"service":["cart","orders"],"operation":["GET /","GET /{id}"]}`))
}

// TestWhatIsOneName: names of operations have commas and bars of their own.
func TestWhatIsOneName(t *testing.T) {
	parsed, err := query.Parse("traceDiff", json.RawMessage(`{"service":"team/cart","operation":"SELECT a,b|c (x)"}`))
	require.NoError(t, err)
	require.Equal(t, "SELECT a,b|c (x)", parsed.(query.TraceDiff).Operation)
	require.Equal(t, "team/cart", parsed.(query.TraceDiff).Service)
	require.Equal(t, []string{"a.b", "team/pay"}, names(t, "composite", `{"service":"(a\\.b|team\\/pay)"}`), "as escaped in a regular expression")
	for _, name := range []string{"$service", "${service}", "${service:regex}", "[[service]]"} {
		_, err = query.Parse("composite", json.RawMessage(`{"service":"`+name+`"}`))
		require.ErrorContains(t, err, `service holds "`+name+`", a variable without a value`)
	}
	for _, name := range []string{"null", "42", "{", "(", "a$b"} {
		parsed, err = query.Parse("composite", json.RawMessage(`{"service":"`+name+`"}`))
		require.NoError(t, err)
		require.Equal(t, name, parsed.(query.Composite).Service)
	}
}

func TestSeveralVersions(t *testing.T) {
	require.Equal(t, []string{"2", "3"}, names(t, "verdict", `{"service":"cart","baseline":{"version":1},"candidate":{"version":["2",3]}}`))
	require.Equal(t, []string{"1 2", "2 1"}, names(t, "traceDiff", `{"service":"cart","baseline":{"version":["1","2"]},"candidate":{"version":["1","2"]}}`),
		"no version is compared with itself")
	_, err := query.Parse("traceDiff", json.RawMessage(`{"service":"cart","baseline":{"version":["1"]},"candidate":{"version":["1"]}}`))
	require.ErrorContains(t, err, "same population")
}

func TestEveryService(t *testing.T) {
	for _, raw := range []string{`{"service":"$__all"}`, `{"service":".*"}`, `{"service":["$__all"]}`, `{"service":["cart","*"]}`} {
		parsed, err := query.Parse("deploys", json.RawMessage(raw))
		require.NoError(t, err)
		require.Empty(t, parsed.(query.Deploys).Service, "deploys know a query for every service")

		parsed, err = query.Parse("composite", json.RawMessage(raw))
		require.NoError(t, err)
		several := parsed.(query.Several)
		require.True(t, several.EveryService())
		several, err = several.Of([]string{"cart", "orders"})
		require.NoError(t, err)
		require.Len(t, several.Each, 2)
		require.Equal(t, "orders", several.Each[1].Query.(query.Composite).Service)
		require.Equal(t, map[string]string{"service_name": "orders"}, several.Each[1].Labels)
		require.Equal(t, query.DefaultHistory, several.Each[1].Query.(query.Composite).History)
	}
	parsed, err := query.Parse("traceDiff", json.RawMessage(`{"service":"cart","operation":["$__all"],"candidate":{"version":".*"}}`))
	require.NoError(t, err)
	require.Empty(t, parsed.(query.TraceDiff).Operation, "all operations are no operation in particular")
	require.Empty(t, parsed.(query.TraceDiff).Candidate.Version)
}

func TestWhatSeveralCannotBe(t *testing.T) {
	many, err := json.Marshal(map[string]any{"service": make([]int, 0)})
	require.NoError(t, err)
	_, err = query.Parse("composite", many)
	require.ErrorContains(t, err, "service is an empty list")
	list := make([]int, 101)
	for i := range list {
		list[i] = i
	}
	many, err = json.Marshal(map[string]any{"service": list})
	require.NoError(t, err)
	_, err = query.Parse("composite", many)
	require.ErrorContains(t, err, "service: 101 names are too many")
	_, err = query.Parse("composite", json.RawMessage(`{"service":["cart",{"a":1}]}`))
	require.ErrorContains(t, err, "service[1] must be text, got an object")
	_, err = query.Parse("composite", json.RawMessage(`{"service":["cart","orders"],"threshold":200}`))
	require.ErrorContains(t, err, "threshold is 200")
	_, err = query.Parse("anomaly", json.RawMessage(`{"expr":["a","b"]}`))
	require.ErrorContains(t, err, "expr must be text, got a list", "an expression is one")
}

// TestValuesAsVariablesWriteThem: a variable is text, also where a number, a
// boolean or a list stands.
func TestValuesAsVariablesWriteThem(t *testing.T) {
	parsed, err := query.Parse("breach", json.RawMessage(`{"expr":"up","threshold":" 0.9 ","horizon":"2h","history":""}`))
	require.NoError(t, err)
	require.Equal(t, 0.9, *parsed.(query.Breach).Threshold)
	parsed, err = query.Parse("anomaly", json.RawMessage(`{"expr":"up","threshold":"80","probability":"","nonNegative":"false","detectors":"{cusum,esd}","live":"true"}`))
	require.NoError(t, err)
	q := parsed.(query.Anomaly)
	require.Equal(t, 80.0, q.Threshold)
	require.Equal(t, query.DefaultAnomalyProbability, q.Probability)
	require.False(t, *q.NonNegative)
	require.Equal(t, []string{"cusum", "esd"}, q.Detectors)
	parsed, err = query.Parse("sizing", json.RawMessage(`{"service":7,"minReplicas":"3","use":"0.5"}`))
	require.NoError(t, err)
	require.Equal(t, "7", parsed.(query.Sizing).Service)
	require.Equal(t, 3, parsed.(query.Sizing).MinReplicas)

	parsed, err = query.Parse("breach", json.RawMessage(`{"expr":"up","threshold":1,"step":"300","history":" 1d ","horizon":"7200","filters":[{"key":"code","value":500}]}`))
	require.NoError(t, err)
	b := parsed.(query.Breach)
	require.Equal(t, query.Duration(5*time.Minute), b.Step)
	require.Equal(t, query.Duration(24*time.Hour), b.History)
	require.Equal(t, query.Duration(2*time.Hour), b.Horizon)
	require.Equal(t, []query.Filter{{Key: "code", Value: "500"}}, b.Filters)

	for raw, want := range map[string]string{
		`{"expr":"up","threshold":1,"filters":{}}`:           "filters must be a list of objects, got an object",
		`{"expr":"up","threshold":1,"filters":["x"]}`:        "filters[0] must be an object, got text",
		`{"expr":"up","threshold":1,"filters":[{"key":[]}]}`: "filters[0].key must be text, got a list",
		`{"expr":"up","threshold":1,"history":"soon"}`:       `history: "soon" is not a duration`,
		`{"expr":"up","threshold":1,"history":[]}`:           `history: [] is not a duration`,
		`{"expr":"up","threshold":"$limit"}`:                 `threshold holds "$limit", a variable without a value`,
		`{"expr":"up","threshold":"high"}`:                   `threshold must be a number, got "high"`,
		`{"expr":"up","threshold":1,"filters":"x"}`:          "filters must be a list of objects",
		`{"expr":"up","threshold":1,"schemaVersion":"x"}`:    `schemaVersion must be a whole number, got "x"`,
	} {
		_, err := query.Parse("breach", json.RawMessage(raw))
		require.ErrorContains(t, err, want)
	}
}

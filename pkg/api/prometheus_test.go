package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
)

const instant = "/prom/api/v1/query"

func TestNumbersOfInstantQueries(t *testing.T) {
	handler := testHooks(t)
	for expr, test := range map[string]struct {
		low, high float64
		labels    map[string]string
	}{
		`vector(1)`:                                                             {1, 1, nil},
		`foresight_anomaly_score{series="good"}`:                                {0, 49, map[string]string{"series": "good"}},
		`foresight_anomaly_score{series="collapsed"}`:                           {75, 100, nil},
		`foresight_anomaly_score{series="late"}`:                                {0, 49, nil},
		`foresight_anomaly_score{service="cart", signal="latency"}`:             {0, 49, map[string]string{"service": "cart", "signal": "latency"}},
		`foresight_anomaly_score{service="cart"}`:                               {0, 49, map[string]string{"service": "cart"}},
		`foresight_anomaly_score{series="collapsed"} > bool 75`:                 {1, 1, nil},
		`foresight_forecast{series="good", lead="6h"}`:                          {92, 108, map[string]string{"lead": "6h", "quantile": "0.5"}},
		`foresight_forecast{service="cart", lead="30m"}`:                        {120, 135, map[string]string{"signal": "traffic"}},
		`foresight_predicted_demand{series="good", lead="6h", quantile="0.95"}`: {128, 150, nil},
		`max(foresight_predicted_demand{service="cart"} or vector(500))`:        {500, 500, nil},
		`foresight_breach_probability{series="rising", horizon="30m"}`:          {0.8, 1, nil},
		`foresight_breach_probability{series="good", threshold="1000"}`:         {0, 0.2, map[string]string{"horizon": "1h"}},
		`foresight_breach_seconds{series="good", threshold="1000"}`:             {3600, 3600, nil},
		`foresight_breach_seconds{series="rising", threshold="100"}`:            {60, 3600, nil},
		`foresight_breach_seconds{series="rising", threshold="20"}`:             {0, 0, nil},
		`foresight_model_age_seconds{series="late"}`:                            {180, 180, nil},
		`foresight_up`: {1, 1, nil},
		`sum(foresight_anomaly_score{series=~"good|late"} * 0) + 7`:       {7, 7, nil},
		`max(foresight_anomaly_score{series="ended"})`:                    {0, 49, nil},
		`max(foresight_anomaly_score{series="two"})`:                      {0, 49, nil},
		`foresight_anomaly_score{series="two", zone="b"}`:                 {0, 49, map[string]string{"zone": "b"}},
		`max_over_time(foresight_anomaly_score{series="collapsed"}[10m])`: {75, 100, nil},
		`foresight_anomaly_score{series="collapsed"} offset 1h`:           {0, 49, nil},
	} {
		t.Run(expr, func(t *testing.T) {
			status, found := serve(t, handler, get(instant, "query", expr))
			require.Equal(t, http.StatusOK, status, found.Error)
			vector := found.vector(t)
			require.Len(t, vector, 1)
			text, ok := vector[0].Value[1].(string)
			require.True(t, ok, "KEDA does not survive a number that is not a text")
			value, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			require.GreaterOrEqual(t, value, test.low)
			require.LessOrEqual(t, value, test.high)
			for name, want := range test.labels {
				require.Equal(t, want, vector[0].Metric[name], name)
			}
		})
	}
}

func TestWithoutANumberEveryEngineIsTold(t *testing.T) {
	handler := testHooks(t)
	for expr, test := range map[string]struct {
		status int
		reason string
	}{
		`foresight_anomaly_score{series="missing"}`:               {422, "no series"},
		`foresight_anomaly_score{series="stale"}`:                 {422, "no sample since 2026-03-02T11:50:00Z"},
		`foresight_predicted_demand{series="stale"}`:              {422, "no sample since"},
		`foresight_predicted_demand{series="young"}`:              {422, "not enough"},
		`foresight_anomaly_score{series="nan"}`:                   {422, "no recent samples"},
		`foresight_anomaly_score{series="two"}`:                   {422, "2 series"},
		`foresight_anomaly_score{series="failing"}`:               {422, "disk full"},
		`foresight_anomaly_score{series="stale"} or vector(0)`:    {422, "no sample since"},
		`foresight_anomaly_score{series="good"} > 75`:             {422, "empty"},
		`foresight_anomaly_score{series="good"} / 0`:              {422, "finite"},
		`scalar(foresight_anomaly_score{series="good"})`:          {422, "scalar"},
		`foresight_anomaly_score{series="good"}[5m]`:              {422, "matrix"},
		`absent(foresight_anomaly_score{series="missing"})`:       {422, "no series"},
		`foresight_anomaly_score{series="unheard"}`:               {422, "not in the data source's settings"},
		`foresight_anomaly_score`:                                 {422, "of which service"},
		`foresight_anomaly_score{service="unheard"}`:              {422, "no metrics of service"},
		`foresight_forecast{service="cart", signal="saturation"}`: {422, "has no saturation metric"},
		`foresight_forecast{service="cart", signal="mood"}`:       {422, "is unknown"},
		`foresight_forecast{series="good", lead="soon"}`:          {422, "lead"},
		`foresight_forecast{series="good", quantile="0.6"}`:       {422, "quantile"},
		`foresight_breach_probability{service="cart"}`:            {422, "needs a threshold"},
		`up`:                         {422, "only foresight_*"},
		`{__name__=~"foresight_.*"}`: {422, "must name its metric"},
		`foresight_anomaly_score{series="good", zone="x"}`: {422, "no series matches"},
		`foresight_anomaly_score{`:                         {400, "parse error"},
		``:                                                 {400, "parse error"},
	} {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			status, found := serve(t, handler, get(instant, "query", expr))
			require.Equal(t, test.status, status, found.Error)
			require.Equal(t, "error", found.Status)
			require.Contains(t, found.Error, test.reason)
			require.NotEmpty(t, found.ErrorType)
			require.Empty(t, found.Data)
		})
	}
}

func TestASlowServerIsNotWaitedForForEver(t *testing.T) {
	handler := testHooks(t, func(s *Settings) { s.Timeout = time.Second / 2 })
	for _, request := range []*http.Request{
		get(instant, "query", `foresight_anomaly_score{series="slow"}`),
		get("/keda/slow"),
	} {
		status, found := serve(t, handler, request)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, found.Error, "no answer in time")
	}
}

func TestConfidenceIsAWarning(t *testing.T) {
	_, found := serve(t, testHooks(t), get(instant, "query", `foresight_forecast{series="good"}`))
	require.NotEmpty(t, found.Warnings)
	require.Contains(t, strings.Join(found.Warnings, "\n"), "n=")
	require.Contains(t, strings.Join(found.Warnings, "\n"), "newest sample 2026-03-02T12:00:00Z")
	_, found = serve(t, testHooks(t), get(instant, "query", `max(foresight_anomaly_score{series="ended"})`))
	require.Contains(t, strings.Join(found.Warnings, "\n"), `left out`)
}

func TestRequestsAsEnginesSendThem(t *testing.T) {
	handler := testHooks(t)
	const form = "application/x-www-form-urlencoded"
	const query = "query=foresight_up"
	for name, request := range map[string]*http.Request{
		"Argo Rollouts":      post(instant, form, query+"&time=1772452800.123"),
		"Flagger":            get(instant, "query", "foresight_up"),
		"KEDA":               get(instant, "query", "foresight_up", "time", "2026-03-02T12:00:00Z"),
		"prometheus-adapter": get(instant, "query", "foresight_up", "time", "1772452800", "timeout", ""),
		"further parameters": get(instant, "query", "foresight_up", "dedup", "true", "stats", "", "namespace", "shop", "timeout", "3s"),
		"a zone":             get(instant, "query", "foresight_up", "time", "2026-03-02T13:00:00.5+01:00"),
	} {
		status, found := serve(t, handler, request)
		require.Equal(t, http.StatusOK, status, name+found.Error)
		require.Len(t, found.vector(t), 1, name)
	}
	for name, test := range map[string]struct {
		request *http.Request
		status  int
	}{
		"a time that is none": {get(instant, "query", "vector(1)", "time", "now"), 400},
		"a time beyond all":   {get(instant, "query", "vector(1)", "time", "1e300"), 400},
		"NaN":                 {get(instant, "query", "vector(1)", "time", "NaN"), 400},
		"a timeout of dreams": {get(instant, "query", "vector(1)", "timeout", "never"), 400},
		"DELETE":              {httptest.NewRequest(http.MethodDelete, instant, nil), 405},
		"a flood":             {post(instant, form, query+strings.Repeat("&a=b", 1<<19)), 413},
		"an empty form":       {&http.Request{Method: http.MethodPost, URL: &url.URL{Path: instant}, Header: http.Header{"Content-Type": {form}}}, 400},
		"another path":        {get("/prom/api/v1/admin/tsdb/snapshot"), 404},
		"no step":             {get("/prom/api/v1/query_range", "query", "vector(1)", "start", "1", "end", "2"), 400},
		"too many points":     {get("/prom/api/v1/query_range", "query", "vector(1)", "start", "0", "end", "1772452800", "step", "1"), 400},
		"a backward range":    {get("/prom/api/v1/query_range", "query", "vector(1)", "start", "10", "end", "1", "step", "1"), 400},
		"series of nothing":   {get("/prom/api/v1/series"), 400},
	} {
		status, found := serve(t, handler, test.request)
		require.Equal(t, test.status, status, name)
		require.Equal(t, "error", found.Status, name)
		require.NotEmpty(t, found.Error, name)
	}
}

func TestRangeQueries(t *testing.T) {
	handler := testHooks(t)
	ask := func(expr, step string) (int, map[string][][2]any, string) {
		status, found := serve(t, handler, get("/prom/api/v1/query_range", "query", expr, "step", step,
			"start", noon.Add(-time.Hour).Format(time.RFC3339), "end", noon.Format(time.RFC3339)))
		var data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
		if status == http.StatusOK {
			require.NoError(t, json.Unmarshal(found.Data, &data))
		}
		lines := map[string][][2]any{}
		for _, one := range data.Result {
			lines[one.Metric["zone"]] = one.Values
		}
		return status, lines, found.Error
	}
	_, lines, _ := ask(`foresight_anomaly_score{series="two"}`, "60")
	require.Len(t, lines, 2)
	require.Len(t, lines["a"], 61)
	_, lines, _ = ask(`foresight_forecast{series="good", lead="1h"}`, "15m")
	require.Len(t, lines[""], 5, "each point is what was foretold then")
	status, _, reason := ask(`foresight_anomaly_score{series="missing"}`, "60")
	require.Equal(t, 422, status)
	require.Contains(t, reason, "no series")
}

// TestRangesAsLongAsDashboardsAsk: each derived series of the past has a point for
// every step, up to Prometheus' own limit, and each is what was known then.
func TestRangesAsLongAsDashboardsAsk(t *testing.T) {
	handler := testHooks(t)
	values := func(expr string, length, step time.Duration) [][2]any {
		status, found := serve(t, handler, get("/prom/api/v1/query_range", "query", expr, "step", strconv.Itoa(int(step.Seconds())),
			"start", noon.Add(-length).Format(time.RFC3339), "end", noon.Format(time.RFC3339)))
		require.Equal(t, http.StatusOK, status, "%s: %s", expr, found.Error)
		var data struct{ Result []struct{ Values [][2]any } }
		require.NoError(t, json.Unmarshal(found.Data, &data))
		require.Len(t, data.Result, 1, expr)
		return data.Result[0].Values
	}
	for _, expr := range []string{
		`foresight_anomaly_score{series="good"}`, `foresight_forecast{series="good", lead="1h"}`, `foresight_predicted_demand{series="good"}`,
		`foresight_breach_probability{series="good", threshold="1000"}`, `foresight_breach_seconds{series="good", threshold="1000"}`,
		`foresight_model_age_seconds{series="good"}`,
	} {
		require.Len(t, values(expr, 70*time.Minute, time.Minute), 71, expr)
	}
	require.Len(t, values(`foresight_model_age_seconds{series="good"}`, 10_999*time.Minute, time.Minute), 11_000)

	// What is foretold between two computations is ahead of each instant, not of
	// the computation.
	fine := values(`foresight_forecast{series="good", lead="1h"}`, 10*time.Minute, time.Minute)
	long := values(`foresight_forecast{series="good", lead="1h"}`, 2*time.Hour, time.Minute)
	for i := range fine {
		now, err := strconv.ParseFloat(fine[i][1].(string), 64)
		require.NoError(t, err)
		held, err := strconv.ParseFloat(long[len(long)-len(fine)+i][1].(string), 64)
		require.NoError(t, err)
		require.Equal(t, fine[i][0], long[len(long)-len(fine)+i][0])
		require.InEpsilon(t, now, held, 0.15, "at %v", fine[i][0])
	}
}

func TestDiscovery(t *testing.T) {
	handler := testHooks(t)
	list := func(path string, pairs ...string) (found []any) {
		status, answer := serve(t, handler, get("/prom/api/v1/"+path, pairs...))
		require.Equal(t, http.StatusOK, status, answer.Error)
		require.NoError(t, json.Unmarshal(answer.Data, &found))
		return found
	}
	require.Equal(t, []any{map[string]any{"__name__": "foresight_predicted_demand", "service": "cart", "lead": "10m", "quantile": "0.95"}},
		list("series", "match[]", `foresight_predicted_demand{service="cart"}`, "start", "1772449200"))
	var ofSeries []string
	for _, one := range list("series", "match[]", `{__name__=~"foresight_.*", series="good"}`) {
		ofSeries = append(ofSeries, one.(map[string]any)["__name__"].(string))
	}
	require.ElementsMatch(t, []string{
		"foresight_anomaly_score", "foresight_forecast", "foresight_predicted_demand",
		"foresight_breach_probability", "foresight_breach_seconds", "foresight_model_age_seconds",
	}, ofSeries)
	require.Contains(t, list("labels"), any("quantile"))
	require.Contains(t, list("label/__name__/values"), any("foresight_up"))
	require.Equal(t, []any{"cart"}, list("label/service/values"))
	require.Equal(t, []any{}, list("series", "match[]", `up`))
	// Whatever is listed can be asked, with an answer or a reason.
	for _, one := range list("series", "match[]", `{__name__=~".+", service="cart"}`) {
		var matchers []string
		for name, value := range one.(map[string]any) {
			matchers = append(matchers, name+"="+strconv.Quote(value.(string)))
		}
		status, answer := serve(t, handler, get(instant, "query", "{"+strings.Join(matchers, ",")+"}"))
		if name := one.(map[string]any)["__name__"].(string); strings.HasPrefix(name, "foresight_canary_") {
			require.Equal(t, http.StatusUnprocessableEntity, status, "nothing is rolled out")
			require.NotEmpty(t, answer.Error)
			continue
		}
		require.Equal(t, http.StatusOK, status, answer.Error)
	}
}

func TestEachCallerHasALimit(t *testing.T) {
	handler := testHooks(t, func(s *Settings) { s.CallerRate = 1 })
	for i, want := range []int{200, 200, 429} {
		status, _ := serve(t, handler, get(instant, "query", "vector(1)"))
		require.Equal(t, want, status, i)
	}
	callers := newRateLimiter(1)
	for i := range 3 * maxCallers {
		require.True(t, callers.allow(strconv.Itoa(i), noon))
	}
	require.LessOrEqual(t, len(callers.callers), maxCallers)
	require.True(t, callers.allow("x", noon))
	require.True(t, callers.allow("x", noon))
	require.False(t, callers.allow("x", noon))
	require.True(t, callers.allow("x", noon.Add(time.Second)))
}

func TestUnusableSettingsAreToldByEveryRoute(t *testing.T) {
	handler := testHooks(t, func(s *Settings) { *s = Settings{Unusable: errors.New("settings: no good")} })
	status, found := serve(t, handler, get(instant, "query", "vector(1)"))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "settings: no good", found.Error)
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"vector(1)", `foresight_up`, `foresight_forecast{series="good",lead=~"10m|1h"}`, `{`, "\x00", `foresight_anomaly_score{series="good"}[1m:1s]`} {
		f.Add(seed, "0", "1m")
	}
	h := New(testEngine(), Settings{CallerRate: 1 << 20, Timeout: time.Second, Series: []promapi.NamedSeries{{Name: "good", Expr: "missing"}}})
	mux := http.NewServeMux()
	h.Register(mux)
	f.Fuzz(func(t *testing.T, query, at, step string) {
		serve(t, mux, get(instant, "query", query, "time", at, "timeout", step))
		serve(t, mux, get("/prom/api/v1/query_range", "query", query, "start", at, "end", at, "step", step))
		values := url.Values{"match[]": {query}, "start": {at}}
		serve(t, mux, httptest.NewRequest(http.MethodGet, "/prom/api/v1/series?"+values.Encode(), nil))
	})
}

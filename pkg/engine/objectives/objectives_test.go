package objectives_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/slo"
)

var (
	noon  = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	begin = noon.Add(-8 * 24 * time.Hour)
)

// series is one that is scraped every minute.
func scraped(labels map[string]string, value func(time.Time) float64) enginetest.Scraped {
	return enginetest.Scraped{Labels: labels, From: begin, To: noon, Every: time.Minute, Value: value}
}

// counter sums up what grows a second.
func counter(perSecond func(time.Time) float64) func(time.Time) float64 {
	sum, last := 0.0, begin
	return func(at time.Time) float64 {
		sum += perSecond(at) * at.Sub(last).Seconds()
		last = at
		return sum
	}
}

func constant(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

// broken is since when checkout fails.
var broken = noon.Add(-2 * time.Hour)

func failing(at time.Time) float64 {
	if at.After(broken) {
		return 5
	}
	return 0.02
}

// shop serves 20 requests a second; its calls to payment fail for two hours.
func shop(more ...enginetest.Scraped) *engine.Engine {
	name := "http_server_request_duration_seconds"
	count := func(code string, perSecond func(time.Time) float64) enginetest.Scraped {
		return scraped(map[string]string{"__name__": name + "_count", "service_name": "shop", "http_response_status_code": code}, counter(perSecond))
	}
	bucket := func(le string, perSecond float64) enginetest.Scraped {
		return scraped(map[string]string{"__name__": name + "_bucket", "service_name": "shop", "le": le}, counter(constant(perSecond)))
	}
	call := func(metric string, perSecond func(time.Time) float64) enginetest.Scraped {
		return scraped(map[string]string{"__name__": metric, "client": "shop", "server": "payment"}, counter(perSecond))
	}
	all := []enginetest.Scraped{
		count("200", func(at time.Time) float64 { return 20 - failing(at) }), count("500", failing),
		bucket("0.25", 19), bucket("0.5", 19.9), bucket("+Inf", 20),
		call("traces_service_graph_request_total", constant(20)), call("traces_service_graph_request_failed_total", failing),
	}
	return &engine.Engine{Metrics: enginetest.NewPromServer(append(all, more...)...), IgnoreVersions: true, Scrape: time.Minute, Now: func() time.Time { return noon }}
}

var window = engine.Window{From: noon.Add(-time.Hour), To: noon, Step: time.Minute}

func asked(t *testing.T, raw string) query.Budget {
	t.Helper()
	parsed, err := query.Parse("budget", []byte(raw))
	require.NoError(t, err)
	return parsed.(query.Budget)
}

func ask(t *testing.T, e *engine.Engine, raw string) engine.BudgetsAnswer {
	t.Helper()
	answer, err := e.Budgets(context.Background(), asked(t, raw), window, false)
	require.NoError(t, err)
	return answer
}

func TestAnObjectiveOfAService(t *testing.T) {
	answer := ask(t, shop(), `{"service":"shop","target":0.99,"window":"7d"}`)
	require.Len(t, answer.Budgets, 1)
	b := answer.Budgets[0]
	require.Empty(t, b.Problem)
	require.Equal(t, "availability", b.Objective.Name)
	week := 7 * 24 * 3600.0
	bad := 0.02*(week-7200) + 5*7200
	require.InEpsilon(t, 20*week, b.Now.Total, 0.01)
	require.InEpsilon(t, bad, b.Now.Bad, 0.02)
	require.InEpsilon(t, 1-bad/(0.01*20*week), b.Now.Left, 0.02)
	require.InDelta(t, 25, b.BurnHour, 0.5)
	require.InEpsilon(t, b.Now.Left, b.Left.Values[b.Left.Len()-1], 1e-9)
	require.WithinDuration(t, broken, b.Outlook.Since, 10*time.Minute)
	require.Greater(t, b.Outlook.Probability, 0.2)
	require.Equal(t, 1.0, b.Firing("page"))
	sum := 0.0
	burnt := map[slo.Cause]float64{}
	for _, p := range b.Parts {
		sum += p.Bad
		burnt[p.Cause] += p.Bad
	}
	require.InEpsilon(t, b.Now.Bad, sum, 1e-9)
	require.InEpsilon(t, 5*7200, burnt[slo.Dependency], 0.05, "payment failed")
	for _, promQL := range answer.Queries {
		require.NotContains(t, promQL, "$__")
	}
	require.Contains(t, b.Alerts[0].PromQL, "[1h]")
	require.Contains(t, b.Alerts[0].PromQL, "[5m]")
}

// The PromQL of an alert, for a rule or a replay, is the burn rate while it fires.
func TestPromQLOfAlerts(t *testing.T) {
	e := shop()
	b := ask(t, e, `{"service":"shop","target":0.99,"window":"7d"}`).Budgets[0]
	recent, err := e.Recent(context.Background(), b.Alerts[0].PromQL, window)
	require.NoError(t, err)
	require.Len(t, recent.Series, 1)
	require.InDelta(t, b.BurnHour, recent.Series[0].Values[recent.Series[0].Len()-1], 0.5)
}

func TestALatencyObjective(t *testing.T) {
	answer := ask(t, shop(), `{"service":"shop","target":0.99,"window":"7d","latency":"600ms"}`)
	b := answer.Budgets[0]
	require.Equal(t, "latency", b.Objective.Name)
	require.InDelta(t, 0.5, b.Now.Left, 0.02, "0.5 % are slower than 0.5 s, of 1 %")
	require.Contains(t, strings.Join(answer.Notices, "\n"), "within 500ms")
	_, err := shop().Budgets(context.Background(), asked(t, `{"service":"nobody","target":0.99}`), window, false)
	require.ErrorContains(t, err, "write PromQL of its requests")
}

func TestExpressions(t *testing.T) {
	const total, bad, good = `sum(rate(http_server_request_duration_seconds_count[$__rate_interval]))`,
		`sum(rate(http_server_request_duration_seconds_count{http_response_status_code="500"}[$__rate_interval]))`,
		`sum(rate(http_server_request_duration_seconds_count{http_response_status_code="200"}[$__rate_interval]))`
	ask := func(fields string) engine.ErrorBudget {
		return ask(t, shop(), `{"objective":"x","target":0.99,"window":"7d",`+fields+`}`).Budgets[0]
	}
	quote := func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
	byErrors := ask(`"errors":"` + quote(bad) + `","total":"` + quote(total) + `"`)
	byGood := ask(`"good":"` + quote(good) + `","total":"` + quote(total) + `"`)
	byShare := ask(`"errors":"` + quote(bad) + ` / ` + quote(total) + `"`)
	require.InDelta(t, byErrors.Now.Left, byGood.Now.Left, 1e-6)
	require.InDelta(t, byErrors.Now.Left, byShare.Now.Left, 1e-3)
	require.True(t, byShare.Shares)
	never := ask(`"errors":"sum(rate(never[$__rate_interval]))","total":"` + quote(total) + `"`)
	require.Equal(t, 1.0, never.Now.Left, "errors that never were are none")
	absent := ask(`"good":"sum(rate(never[$__rate_interval]))","total":"` + quote(total) + `"`)
	require.Contains(t, absent.Problem, "no series with the labels of the total")
	require.True(t, math.IsNaN(absent.Now.Left))
	swapped := ask(`"good":"` + quote(total) + ` * 2","total":"` + quote(total) + `"`)
	require.Contains(t, swapped.Problem, "do not count the same requests")
	nothing := ask(`"errors":"never","total":"never"`)
	require.Contains(t, nothing.Problem, "returned no series")
	require.True(t, math.IsNaN(nothing.Outlook.Probability))
}

// recorded are the series of Sloth and of Pyrra.
func recorded() []enginetest.Scraped {
	sloth := func(name string, v float64) enginetest.Scraped {
		return scraped(map[string]string{"__name__": name, "sloth_id": "shop-search", "sloth_service": "shop", "sloth_slo": "search"}, constant(v))
	}
	pyrra := func(name string, v float64) enginetest.Scraped {
		return scraped(map[string]string{"__name__": name, "slo": "api", "namespace": "prod"}, constant(v))
	}
	return []enginetest.Scraped{
		sloth("slo:objective:ratio", 0.99), sloth("slo:time_period:days", 7), sloth("slo:sli_error:ratio_rate5m", 0.005),
		pyrra("pyrra_objective", 0.95), pyrra("pyrra_window", 7*86400), pyrra("pyrra_requests:rate5m", 10), pyrra("pyrra_errors:rate5m", 0.1),
	}
}

func TestRecordedObjectives(t *testing.T) {
	e := shop(recorded()...)
	names, err := e.ObjectiveNames(context.Background(), window)
	require.NoError(t, err)
	require.Equal(t, []string{"prod/api", "search"}, names.Names)
	answer := ask(t, e, `{}`)
	require.Len(t, answer.Budgets, 2)
	left := map[string]float64{}
	for _, b := range answer.Budgets {
		require.Empty(t, b.Problem, b.Objective.Name)
		require.Zero(t, b.Outlook.Probability)
		left[b.Source+b.Objective.Name] = b.Now.Left
	}
	require.InDelta(t, 0.5, left["Slothsearch"], 1e-6)
	require.InDelta(t, 0.8, left["Pyrraprod/api"], 1e-6)
	require.Len(t, ask(t, e, `{"service":"shop"}`).Budgets, 1)
	require.Len(t, ask(t, e, `{"objective":"$__all"}`).Budgets, 2, "as a variable says it")
	require.Len(t, ask(t, e, `{"objective":"{search,prod/api}"}`).Budgets, 2)
	_, err = e.Budgets(context.Background(), asked(t, `{"objective":"serach"}`), window, true)
	require.ErrorContains(t, err, "prod/api, shop search")
	none := ask(t, shop(), `{}`)
	require.Empty(t, none.Budgets)
	require.Contains(t, none.Notices[0], "no objectives are found")
}

// An objective of the settings that contradicts a recorded one has no answer; the
// others have.
func TestContradictingObjectives(t *testing.T) {
	e := shop(recorded()...)
	e.Objectives = []engine.ObjectiveSetting{{Name: "search", Service: "shop", Target: 0.999, Window: 7 * 24 * time.Hour, Errors: "x", Source: "settings"}}
	answer := ask(t, e, `{}`)
	require.Len(t, answer.Budgets, 2)
	require.Contains(t, answer.Budgets[0].Problem, "the targets 0.999 and 0.99")
	require.True(t, math.IsNaN(answer.Budgets[0].Now.Left))
	require.Empty(t, answer.Budgets[1].Problem)
}

// A past shorter than twice the horizon says what is left, and nothing of what comes.
func TestTooLittlePast(t *testing.T) {
	b := ask(t, shop(), `{"service":"shop","target":0.99,"window":"60d","horizon":"10d"}`).Budgets[0]
	require.Contains(t, b.Problem, "not enough data")
	require.True(t, math.IsNaN(b.Outlook.Probability))
	require.False(t, math.IsNaN(b.Now.Left))
}

package journeys_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// store is span metrics of a shop, and a trace store.
type store struct {
	*enginetest.PromServer
	searches []upstream.TraceFilter
}

func (*store) LabelValues(_ context.Context, label string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if label == "__name__" && strings.Contains(selectors[0], "traces_spanmetrics_calls_total") {
		return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_sum"}, nil, nil
	}
	return nil, nil, nil
}

type traceStore struct {
	upstream.Traces
	store *store
}

func (s traceStore) Search(_ context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	s.store.searches = append(s.store.searches, filter)
	one := func(failed bool, took time.Duration) trace.Trace {
		return trace.Trace{Spans: []trace.Span{
			{ID: trace.SpanID{2}, ParentID: trace.SpanID{1}, Duration: int64(time.Hour)}, {ID: trace.SpanID{1}, Failed: failed, Duration: int64(took)},
		}}
	}
	return upstream.TraceSet{Traces: []trace.Trace{one(false, time.Second), one(true, 3*time.Second), one(false, 2*time.Second), one(false, 2*time.Second)}}, nil
}

func (traceStore) SpanCounts(context.Context, string, upstream.Range) (upstream.SeriesSet, error) {
	return upstream.SeriesSet{}, nil
}

// shop counts home and checkout of web over two days; the last half hour a share
// of checkouts fails.
func shop(failing float64) *store {
	begin, broken := noon.Add(-48*time.Hour), noon.Add(-30*time.Minute)
	counter := func(perSecond func(time.Time) float64) func(time.Time) float64 {
		sum, last := 0.0, begin
		return func(at time.Time) float64 {
			sum += perSecond(at) * at.Sub(last).Seconds()
			last = at
			return sum
		}
	}
	load := func(at time.Time, share float64) float64 {
		return share * 10 * (1 + 0.3*math.Sin(2*math.Pi*float64(at.Unix())/86400) + 0.05*math.Sin(float64(at.Unix()/60)*1.7))
	}
	var all []enginetest.Scraped
	add := func(name, operation, kind, status string, value func(time.Time) float64) {
		labels := map[string]string{"__name__": name, "service": "web", "span_name": operation, "span_kind": kind}
		if status != "" {
			labels["status_code"] = status
		}
		all = append(all, enginetest.Scraped{Labels: labels, From: begin, To: noon, Every: time.Minute, Value: value})
	}
	for operation, share := range map[string]float64{"GET /": 1, "POST /checkout": 0.4} {
		fails := func(at time.Time) float64 {
			if operation == "POST /checkout" && at.After(broken) {
				return max(failing, 0.001)
			}
			return 0.001
		}
		add("traces_spanmetrics_calls_total", operation, "SPAN_KIND_SERVER", "STATUS_CODE_UNSET", counter(func(at time.Time) float64 { return (1 - fails(at)) * load(at, share) }))
		add("traces_spanmetrics_calls_total", operation, "SPAN_KIND_SERVER", "STATUS_CODE_ERROR", counter(func(at time.Time) float64 { return fails(at) * load(at, share) }))
		add("traces_spanmetrics_latency_sum", operation, "SPAN_KIND_SERVER", "", counter(func(at time.Time) float64 { return 0.2 * load(at, share) }))
	}
	// A client's span of the same name is no request that is served.
	add("traces_spanmetrics_calls_total", "GET /", "SPAN_KIND_CLIENT", "STATUS_CODE_UNSET", counter(func(at time.Time) float64 { return 100 }))
	return &store{PromServer: enginetest.NewPromServer(all...)}
}

var checkout = engine.JourneySetting{Name: "Checkout", Steps: []query.JourneyStep{
	{Service: "web", Operation: "GET /"}, {Service: "web", Operation: "GET /typo"}, {Service: "web", Operation: "POST /checkout"},
}}

func ask(t *testing.T, s *store, q query.Journey, brief bool, journeys ...engine.JourneySetting) (engine.JourneysAnswer, error) {
	t.Helper()
	e := &engine.Engine{
		Metrics: s, Traces: traceStore{store: s}, Journeys: journeys, Now: func() time.Time { return noon }, Scrape: time.Minute,
		Limits: engine.Limits{MaxSeries: 50, MaxTraces: 100},
	}
	q.History = query.Duration(36 * time.Hour)
	return e.UserJourneys(t.Context(), q.WithDefaults(), engine.Window{From: noon.Add(-30 * time.Minute), To: noon}, brief)
}

func TestAJourneyThatLosesUsers(t *testing.T) {
	s := shop(0.2)
	answer, err := ask(t, s, query.Journey{}, false, checkout)
	require.NoError(t, err)
	require.Len(t, answer.Journeys, 1)
	j := answer.Journeys[0]
	require.Equal(t, 1.0, j.State, "%v %s", j.Result.Score, j.Problem)
	require.Len(t, j.Losses, 1)
	require.Equal(t, 2, j.Losses[0].Step)
	require.True(t, j.Losses[0].Errors)
	require.Equal(t, "web", j.Cause)
	require.InDelta(t, 0.82, j.Steps[2].Now.Success, 0.03)
	require.InDelta(t, 0.999, j.Steps[2].Usual.Success, 0.001)
	require.InDelta(t, 0.2, j.Steps[2].Now.Latency, 0.01)
	require.InDelta(t, 600, j.Steps[0].Now.Requests, 300, "not those of clients")
	require.InDelta(t, 0.4, j.Conversion, 0.01)
	require.Contains(t, j.Steps[1].Problem, "never occurred")
	require.Contains(t, strings.Join(answer.Notices, " "), "Checkout, step 2: web GET /typo never occurred")
	require.NotEmpty(t, j.Forecast.Mean)
	grouped := slices.DeleteFunc(slices.Clone(s.Queries), func(q string) bool { return !strings.Contains(q, "span_name=~") })
	require.LessOrEqual(t, len(grouped), 2*3+1, "one for each measure of all steps, in two parts, and the quantiles")

	brief, err := ask(t, shop(0.2), query.Journey{}, true, checkout)
	require.NoError(t, err)
	require.Equal(t, 1.0, brief.Journeys[0].State, "a rule sees what a panel sees")
	require.Empty(t, brief.Journeys[0].Forecast.Mean)
}

func TestAJourneyThatIsWell(t *testing.T) {
	answer, err := ask(t, shop(0), query.Journey{Journey: "Checkout"}, false, checkout)
	require.NoError(t, err)
	require.Equal(t, 0.0, answer.Journeys[0].State)
	require.Empty(t, answer.Journeys[0].Losses)
	require.Empty(t, answer.Journeys[0].Cause)
}

func TestStepsOfTraceQL(t *testing.T) {
	s := shop(0)
	steps := []query.JourneyStep{{Service: "web", Operation: "GET /"}}
	for range 7 {
		steps = append(steps, query.JourneyStep{Name: "search", TraceQL: `{ name = "search" }`})
	}
	answer, err := ask(t, s, query.Journey{Journey: "Search", Steps: steps}, false)
	require.NoError(t, err)
	require.Len(t, s.searches, 5, "within the budget")
	require.LessOrEqual(t, s.searches[0].Limit, 100)
	found := answer.Journeys[0].Steps
	require.Equal(t, 0.75, found[1].Now.Success)
	require.Equal(t, 2.0, found[1].Now.Latency)
	require.Equal(t, 3.0, found[1].P95)
	require.InDelta(t, 4.0/30, found[1].Now.Requests, 1e-9)
	require.Contains(t, found[7].Problem, "at most 5 steps")

	_, err = ask(t, s, query.Journey{Journey: "Search", Steps: steps}, true)
	require.NoError(t, err)
	require.Len(t, s.searches, 5, "a rule reads no traces")
}

func TestJourneysThatAreNotThere(t *testing.T) {
	_, err := ask(t, shop(0), query.Journey{Journey: "Checkout"}, false)
	require.ErrorContains(t, err, "no journeys are configured")
	for _, brief := range []bool{true, false} {
		silent, err := ask(t, shop(0), query.Journey{}, brief)
		require.NoError(t, err, "the rule and the dashboard that come with the plugin are empty")
		require.Empty(t, silent.Journeys)
		require.Contains(t, silent.Notices[0], "no journeys are configured")
	}
	_, err = ask(t, shop(0), query.Journey{Journey: "Nobody's"}, false, checkout)
	require.ErrorContains(t, err, "those there are: Checkout")
	answer, err := ask(t, shop(0), query.Journey{}, false, engine.JourneySetting{Name: "Typos", Steps: []query.JourneyStep{{Service: "wep", Operation: "GET /"}}})
	require.NoError(t, err)
	require.Equal(t, "none of its steps occurs", answer.Journeys[0].Problem)
	require.True(t, math.IsNaN(answer.Journeys[0].State), "a rule has no data")
}

package replays

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

var end = time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)

// store is a metrics server of some series, of one sample a minute: one is there
// all the time, one comes two days before the end, one goes, and one has gaps.
type store struct {
	upstream.Metrics
	now   time.Time // what comes after it is not there yet; the zero time for all
	count int       // how many series there are, 4 for 0
}

const kept = 16 * 24 * time.Hour

func (s store) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	if err := ctx.Err(); err != nil {
		return upstream.SeriesSet{}, err
	}
	var set upstream.SeriesSet
	if strings.Contains(promQL, "count_over_time(") {
		return set, nil
	}
	count := max(s.count, 4)
	if strings.HasPrefix(promQL, "count(") {
		return upstream.SeriesSet{Series: []series.Series{{Start: window.Start, Step: window.Step, Values: []float64{float64(count)}}}}, nil
	}
	for k := range count {
		one := series.Series{Labels: series.Labels{"__name__": "x", "service_name": "shop", "instance": strconv.Itoa(k), "pod": fmt.Sprint("p", k/2)}, Start: window.Start, Step: window.Step}
		there := false
		for i := range window.Points() {
			v := value(k, promQL, one.Time(i))
			if !s.now.IsZero() && one.Time(i).After(s.now) {
				v = math.NaN()
			}
			there = there || !math.IsNaN(v)
			one.Values = append(one.Values, v)
		}
		if there {
			set.Series = append(set.Series, one)
		}
	}
	if strings.Contains(promQL, "sum") { // a signal of a service
		set.Series = set.Series[:min(len(set.Series), 1)]
	}
	return set, nil
}

// value of a series at an instant.
func value(k int, promQL string, at time.Time) float64 {
	left := end.Sub(at)
	switch {
	case left > kept, k%4 == 1 && left > 49*time.Hour, k%4 == 2 && left < 20*time.Hour, k%4 == 3 && at.Hour()%7 == 3:
		return math.NaN()
	}
	minute := at.Unix() / 60
	r := rand.New(rand.NewPCG(uint64(minute), uint64(k)+uint64(len(promQL))))
	v := 100 + 20*math.Sin(2*math.Pi*float64(minute)/1440) + 3*r.NormFloat64()
	if (minute+int64(k)*100)%1700 < 25 {
		v += 60
	}
	return v
}

func (s store) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if strings.Contains(selectors[0], `service="shop"`) {
		return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}, nil, nil
	}
	return nil, nil, nil
}

func evaluator(now time.Time, s store) metrics.Evaluator {
	sources := core.Sources{Metrics: s, Limits: core.Limits{MaxSeries: 200}, Now: func() time.Time { return now }}
	return metrics.Evaluator{Sources: sources, Signals: signals.Finder{Sources: sources}, Models: anomaly.NewModels(256 << 20)}
}

// TestAReplayIsAsManyLiveEvaluations compares, instant by instant, with what the
// rule's query would have answered then, over a store that holds nothing later:
// the same instances and the same numbers, bit for bit.
func TestAReplayIsAsManyLiveEvaluations(t *testing.T) {
	const question = `{"queryType": %q, "expr": "x", "history": "5d", "step": "2m" %s}`
	for name, test := range map[string]struct{ question, look, interval, past string }{
		"anomaly":      {fmt.Sprintf(question, "anomaly", `, "direction": "above", "minDeviation": 5`), "30m", "9m", "50h"},
		"whole day":    {fmt.Sprintf(question, "anomaly", ""), "1d", "67m", "3d"},
		"peers":        {fmt.Sprintf(question, "anomaly", `, "peers": true`), "30m", "13m", "30h"},
		"by a clock":   {fmt.Sprintf(question, "anomaly", `, "timeZone": "Europe/Berlin"`), "30m", "31m", "2d"},
		"breach":       {fmt.Sprintf(question, "breach", `, "threshold": 150`), "30m", "31m", "30h"},
		"composite":    {`{"queryType": "composite", "service": "shop", "history": "5d", "step": "2m"}`, "30m", "9m", "50h"},
		"store forgot": {fmt.Sprintf(question, "anomaly", ""), "30m", "1h", "16d"},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := query.Parse("replay", fmt.Appendf(nil, `{"question": %s, "look": %q, "interval": %q, "past": %q}`, test.question, test.look, test.interval, test.past))
			require.NoError(t, err)
			q := parsed.(query.Replay)
			e := Replayer{Evaluator: evaluator(end, store{})}
			p, err := e.plan(t.Context(), q, core.Window{From: end.Add(-time.Hour), To: end})
			require.NoError(t, err)
			d, err := e.played(t.Context(), p)
			require.NoError(t, err)
			compared, positive := 0, 0
			live := evaluator(end, store{})
			for _, run := range d.record.Runs {
				for i := run.From; i < run.To; i++ {
					at := p.times[i]
					live.Metrics = store{now: at}
					live.Signals.Metrics = live.Metrics
					live.Now = func() time.Time { return at }
					want := liveValues(t, live, p.asked, p.window(at))
					got := map[string]float64{}
					for k, s := range run.Series {
						got[d.record.Labels[run.Instances[k]].String()] = d.record.Series[s][i]
					}
					require.Len(t, got, len(want), at)
					for labels, w := range want {
						g, has := got[labels]
						require.True(t, has, "%s has no %s among %v", at, labels, got)
						require.Equal(t, math.Float64bits(w), math.Float64bits(g), "%s %s: want %v, got %v", at, labels, w, g)
						compared++
						if w > 0 {
							positive++
						}
					}
				}
			}
			require.Greater(t, compared, 30)
			require.Positive(t, positive)
		})
	}
}

// liveValues are the instances that the query has in its alert form.
func liveValues(t *testing.T, e metrics.Evaluator, asked query.Query, window core.Window) map[string]float64 {
	found := map[string]float64{}
	var labels []series.Labels
	var numbers []float64
	switch q := asked.(type) {
	case query.Anomaly:
		a, err := e.Anomaly(t.Context(), q, window)
		require.NoError(t, err)
		for _, s := range a.Series {
			labels, numbers = append(labels, s.Labels), append(numbers, s.Result.CurrentScore())
		}
	case query.Breach:
		a, err := e.Breach(t.Context(), q, window)
		require.NoError(t, err)
		for _, s := range a.Series {
			labels, numbers = append(labels, s.Labels), append(numbers, anomaly.Latest(s.Result.Probability))
		}
	case query.Composite:
		a, err := e.Composite(t.Context(), q, window)
		require.NoError(t, err)
		labels, numbers = []series.Labels{{"service_name": q.Service}}, []float64{a.Result.CurrentScore()}
	}
	instances, _ := series.InstanceLabels(labels)
	for i, one := range instances {
		found[one.String()] = numbers[i]
	}
	require.Len(t, found, len(numbers), slices.Clone(labels))
	return found
}

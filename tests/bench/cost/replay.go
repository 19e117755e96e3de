package cost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("replay", "30 days of one rule over 20 series at one evaluation a minute: processor time, and whether sampled evaluations equal live ones", replayCost)
}

type replayFigures struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	EqualsLive  bool    `json:"equals_live"`
	Series      int     `json:"series"`
	Days        int     `json:"days"`
	Evaluations int     `json:"evaluations"`
	Pages       int     `json:"pages"`
	Compared    int     `json:"compared"`     // numbers, with live evaluations
	AgainMillis float64 `json:"again_millis"` // a second look
	TuneSeconds float64 `json:"tune_seconds"` // the curve and a proposal
	LiveSeconds float64 `json:"live_seconds"` // of processor time that one live evaluation of a fresh process takes
}

// replayCost replays over a store in memory: what the store takes is not counted.
func replayCost(runner.Options) (any, error) {
	const count, days = 20, 30
	end := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	store := newMemoryStore(count, end, (days+16)*24*time.Hour)
	at := func(now time.Time) *engine.Engine {
		return &engine.Engine{
			Metrics: store, Now: func() time.Time { return now }, Models: anomaly.NewModels(256 << 20), Replays: engine.NewReplayResults(512 << 20),
			Limits: engine.Limits{MaxSeries: 200},
		}
	}
	const question = `{"queryType": "anomaly", "expr": "x", "step": "1m", "direction": "above", "minDeviation": 5}`
	ask := func(e *engine.Engine, view string) (engine.ReplayAnswer, error) {
		parsed, err := query.Parse("replay", fmt.Appendf(nil, `{"question": %s, "for": "2m", "keepFiringFor": "5m", "view": %q}`, question, view))
		if err != nil {
			return engine.ReplayAnswer{}, err
		}
		return e.Replay(context.Background(), parsed.(query.Replay), engine.Window{From: end.Add(-time.Hour), To: end})
	}
	e := at(end)
	begun := processorTime()
	answer, err := ask(e, "pages")
	if err != nil {
		return nil, err
	}
	figures := replayFigures{CPUSeconds: processorTime() - begun, Series: count, Days: days, Evaluations: answer.Evaluations, Pages: len(answer.Pages), EqualsLive: true}
	clock := time.Now()
	if _, err := ask(e, "summary"); err != nil {
		return nil, err
	}
	figures.AgainMillis = float64(time.Since(clock).Microseconds()) / 1000
	begun = processorTime()
	if _, err := ask(e, "proposal"); err != nil {
		return nil, err
	}
	figures.TuneSeconds = processorTime() - begun

	parsed, err := query.Parse("", []byte(question))
	if err != nil {
		return nil, err
	}
	// Every page's start, and instants all over the month, asked live.
	instants := []time.Time{end}
	for _, p := range answer.Pages[:min(len(answer.Pages), 40)] {
		instants = append(instants, p.Start)
	}
	for i := range 40 {
		instants = append(instants, answer.From.Add(time.Duration(i)*17*time.Hour+time.Duration(i*7)*time.Minute))
	}
	live := at(end)
	for i, now := range instants {
		live.Now = func() time.Time { return now }
		begun := processorTime()
		found, err := live.Anomaly(context.Background(), parsed.(query.Anomaly), engine.Window{From: now.Add(-30 * time.Minute), To: now, Complete: true})
		if err != nil {
			return nil, err
		}
		if i == 0 {
			figures.LiveSeconds = processorTime() - begun
		}
		for _, s := range found.Series {
			want, has := answer.At(now, s.Labels)
			got := s.Result.CurrentScore()
			figures.Compared++
			if !has || math.Float64bits(want) != math.Float64bits(got) {
				figures.EqualsLive = false
			}
		}
	}
	return figures, nil
}

// processorTime is what this process has used, in seconds.
func processorTime() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return math.NaN()
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// memoryStore is a metrics server of series with a daily rhythm and incidents.
type memoryStore struct {
	upstream.Metrics
	series []series.Series
}

func newMemoryStore(count int, end time.Time, length time.Duration) memoryStore {
	s := memoryStore{}
	for k := range count {
		r := rand.New(rand.NewPCG(uint64(k), 1))
		one := series.Series{Labels: series.Labels{"service_name": fmt.Sprintf("service-%02d", k)}, Start: end.Add(-length), Step: time.Minute, Values: make([]float64, int(length/time.Minute)+1)}
		noise := 0.0
		for i := range one.Values {
			minute := float64(one.Time(i).Unix() / 60)
			noise = 0.5*noise + r.NormFloat64()
			one.Values[i] = 100 + 20*math.Sin(2*math.Pi*minute/1440+float64(k)) + 10*math.Sin(2*math.Pi*minute/10080) + 3*noise
			if (i+k*977)%20011 < 30 {
				one.Values[i] += 50
			}
		}
		s.series = append(s.series, one)
	}
	return s
}

// QueryRange answers any expression with all series.
func (s memoryStore) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	var set upstream.SeriesSet
	switch {
	case strings.Contains(promQL, "count_over_time("):
		return set, nil
	case strings.HasPrefix(promQL, "count("):
		return upstream.SeriesSet{Series: []series.Series{{Start: window.Start, Step: window.Step, Values: []float64{float64(len(s.series))}}}}, nil
	case strings.Contains(promQL, "ALERTS"), !strings.HasPrefix(promQL, "x"):
		return set, nil
	}
	for _, whole := range s.series {
		one := series.Series{Labels: whole.Labels, Start: window.Start, Step: window.Step}
		for i := range window.Points() {
			at := whole.Index(one.Time(i))
			v := math.NaN()
			if at >= 0 && at < whole.Len() {
				v = whole.Values[at]
			}
			one.Values = append(one.Values, v)
		}
		set.Series = append(set.Series, one)
	}
	return set, nil
}

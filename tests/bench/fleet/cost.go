package fleet

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/cache"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("fleet", "what one incidents rule a minute over 500 services costs", cost)
}

type costFigures struct {
	Services         int     `json:"services"`
	QueriesPerMinute float64 `json:"queries_per_minute"`
	CPUPerMinute     float64 `json:"cpu_seconds_per_minute"`
	FirstQueries     int64   `json:"queries_of_the_first_minute"`
	Incidents        int     `json:"incidents"`
}

const (
	costServices = 500
	costMinutes  = 30
	costSpan     = 8 * 60 // minutes of data
)

// recorder is a metrics server with span metrics and a service graph of a quiet
// fleet, which counts its queries. Its answers are made beforehand.
type recorder struct {
	upstream.Metrics
	start   time.Time
	queries atomic.Int64
	noise   []float64
}

func newRecorder(start time.Time) *recorder {
	random := rand.New(rand.NewPCG(1, 18))
	r := &recorder{start: start}
	for range 2 * costSpan {
		r.noise = append(r.noise, 1+0.03*random.NormFloat64())
	}
	return r
}

func (r *recorder) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	r.queries.Add(1)
	return []string{"traces_service_graph_request_total", "traces_spanmetrics_calls_total"}, nil, nil
}

func (r *recorder) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	r.queries.Add(1)
	set := upstream.SeriesSet{}
	if strings.Contains(promQL, "count_over_time(") {
		return set, nil
	}
	minutes := window.Step.Minutes()
	level := 600 * minutes
	switch {
	case strings.Contains(promQL, "ERROR"), strings.Contains(promQL, "failed"):
		level = 0.5 * minutes
	case strings.Contains(promQL, "_sum"):
		level = 60 * minutes
	}
	pairs := strings.Contains(promQL, "client, server")
	for i := range costServices {
		values := make([]float64, window.Points())
		for k := range values {
			at := int(window.Start.Sub(r.start).Minutes()+float64(k)*minutes) + 7*i
			values[k] = math.Round(100*level*r.noise[at%len(r.noise)]) / 100
		}
		name := fmt.Sprintf("svc-%03d", i)
		one := series.Series{Labels: series.Labels{"service": name, "server": name}, Start: window.Start, Step: window.Step, Values: values}
		if !pairs {
			set.Series = append(set.Series, one)
			continue
		}
		for j := range 3 {
			call := one
			call.Labels = series.Labels{"client": fmt.Sprintf("svc-%03d", (i*(j+2)+1)%costServices), "server": name}
			set.Series = append(set.Series, call)
		}
	}
	return set, nil
}

func cost(runner.Options) (any, error) {
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	now := start.Add(8*time.Hour + 7*time.Minute)
	upstreamOnly := newRecorder(start)
	remembered := cache.Metrics(upstreamOnly, cache.NewStore(256<<20, func() time.Time { return now }))
	e := &engine.Engine{Metrics: remembered, Now: func() time.Time { return now }, Limits: engine.Limits{MaxSeries: 100}}
	f := costFigures{Services: costServices}
	ask := func() error {
		answer, err := e.FleetIncidents(context.Background(), query.Incidents{}.WithDefaults(), engine.Window{From: now.Add(-10 * time.Minute), To: now, Complete: true})
		f.Incidents += len(answer.Incidents)
		if err == nil && answer.Services < costServices {
			err = fmt.Errorf("%d services were looked at, of %d", answer.Services, costServices)
		}
		return err
	}
	if err := ask(); err != nil { // what is remembered is learned
		return nil, err
	}
	f.FirstQueries = upstreamOnly.queries.Load()
	before, begun := upstreamOnly.queries.Load(), runner.ProcessorTime()
	for range costMinutes {
		now = now.Add(time.Minute)
		if err := ask(); err != nil {
			return nil, err
		}
	}
	f.QueriesPerMinute = runner.Round(float64(upstreamOnly.queries.Load()-before) / costMinutes)
	f.CPUPerMinute = runner.Round((runner.ProcessorTime() - begun).Seconds() / costMinutes)
	return f, nil
}

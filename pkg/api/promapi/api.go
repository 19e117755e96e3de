// Package promapi is Prometheus' own read API over the metrics that Foresight
// derives on request. KEDA, Argo Rollouts, Flagger, prometheus-adapter and
// Grafana itself speak it.
//
// An engine acts on what it reads, and misreads odd answers, each in its own
// way: an empty vector scales in, a NaN promotes. So an expression is answered
// with one finite number, or it fails with status 422 and the reason.
package promapi

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/api/cache"
	"github.com/foresight-observability/foresight/pkg/api/verdict"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
)

const (
	// maxSamples bounds what one expression may hold in memory.
	maxSamples = 100_000
	// lookback is how old a sample may be to count as the value of now, as in
	// Prometheus.
	lookback = 5 * time.Minute
)

// Engine computes the answers behind the derived metrics.
type Engine interface {
	Anomaly(ctx context.Context, q query.Anomaly, window engine.Window) (engine.AnomalyAnswer, error)
	Composite(ctx context.Context, q query.Composite, window engine.Window) (engine.CompositeAnswer, error)
	Forecast(ctx context.Context, q query.Forecast, window engine.Window) (engine.ForecastAnswer, error)
	Breach(ctx context.Context, q query.Breach, window engine.Window) (engine.BreachAnswer, error)
	Sizing(ctx context.Context, q query.Sizing, window engine.Window) (engine.SizingAnswer, error)
	// Recent is what was measured of an expression, and Signal the expression of a
	// service's signal.
	Recent(ctx context.Context, expr string, window engine.Window) (engine.RecentAnswer, error)
	Signal(ctx context.Context, service, kind string, window engine.Window) (engine.Signal, error)
	MeasuredServices(ctx context.Context, window engine.Window) ([]string, error)
}

// Decider decides over canaries.
type Decider interface {
	Decide(ctx context.Context, r verdict.Request) (engine.VerdictAnswer, error)
}

// Config is what an API is made of.
type Config struct {
	Engine  Engine
	Decider Decider
	// Probes ask each configured upstream whether it answers.
	Probes []func(context.Context) error
	Series []NamedSeries
	Now    func() time.Time
	// Timeout bounds the work for one request.
	Timeout time.Duration
}

// NamedSeries is a PromQL expression under a name that engines ask for.
type NamedSeries struct {
	Name         string
	Expr         string
	Threshold    *float64 // that must not be reached; nil for none
	Below        bool     // the threshold must not be reached from above
	Direction    string   // of deviations that count: both, above, below
	MinDeviation float64
}

// API evaluates PromQL over the derived metrics.
type API struct {
	Config
	results *cache.Cache[[]timeSeries]
	promQL  *promql.Engine
	parser  parser.Parser
}

// New makes the API of one data source.
func New(config Config) *API {
	p := parser.NewParser(parser.Options{})
	return &API{Config: config, results: cache.New(config.Now, sizeOf), parser: p, promQL: promql.NewEngine(promql.EngineOpts{
		MaxSamples: maxSamples, Timeout: config.Timeout, LookbackDelta: lookback, Parser: p,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return resolution.Milliseconds() },
	})}
}

// Close ends the API's own work.
func (a *API) Close() { a.results.Close() }

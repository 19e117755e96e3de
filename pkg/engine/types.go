package engine

import (
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/fleet"
	"github.com/foresight-observability/foresight/pkg/engine/journeys"
	"github.com/foresight-observability/foresight/pkg/engine/ledger"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/objectives"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/engine/replays"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
)

// Types that callers of the engine need, under its own name.

type (
	Window     = core.Window
	Limits     = core.Limits
	Provenance = core.Provenance

	UserError     = core.UserError
	NotFoundError = core.NotFoundError

	ForecastAnswer  = metrics.ForecastAnswer
	ForecastSeries  = metrics.ForecastSeries
	ForecastModels  = metrics.ForecastModels
	AnomalyAnswer   = metrics.AnomalyAnswer
	AnomalySeries   = metrics.AnomalySeries
	BreachAnswer    = metrics.BreachAnswer
	BreachSeries    = metrics.BreachSeries
	CompositeAnswer = metrics.CompositeAnswer
	ExplainAnswer   = metrics.ExplainAnswer

	Signal        = signals.Signal
	SignalSetting = signals.Setting
	SignalPreview = signals.Preview
	Percentiles   = signals.Percentiles

	DeploysAnswer = deploys.Answer
	Deploy        = deploys.Deploy
	DeploySource  = deploys.Source
	DeployLog     = deploys.Log

	IncidentsAnswer = fleet.IncidentsAnswer

	BudgetsAnswer    = objectives.Answer
	ErrorBudget      = objectives.Budget
	ObjectiveSetting = objectives.Setting

	JourneysAnswer = journeys.Answer
	Journey        = journeys.Journey
	JourneyStep    = journeys.Step
	JourneySetting = journeys.Setting

	LedgerAnswer = ledger.Answer
	LedgerChange = ledger.Change

	NamesAnswer      = core.NamesAnswer
	RecentAnswer     = core.RecentAnswer
	TraceDiffAnswer  = traces.TraceDiffAnswer
	PatternsAnswer   = traces.PatternsAnswer
	ServiceMapAnswer = traces.ServiceMapAnswer
	RootCauseAnswer  = traces.RootCauseAnswer
	MetricCauses     = traces.MetricCauses
	Change           = traces.Change

	VerdictAnswer = ops.VerdictAnswer
	TraceVerdict  = ops.TraceVerdict
	RolloutAnswer = ops.RolloutAnswer
	SizingAnswer  = ops.SizingAnswer
	ImpactAnswer  = ops.ImpactAnswer
	FactsAnswer   = ops.FactsAnswer

	ReplayAnswer     = replays.Answer
	ReplayResults    = replays.Results
	ReplayCourse     = replays.Course
	ReplayCurvePoint = replays.CurvePoint
	ReplayProposal   = replays.Proposal
	ReplayHalf       = replays.Half
	ReplayLabelled   = replays.Labelled
	ReplayRival      = replays.Rival
	ReplayCost       = core.Cost
	JudgedPage       = replays.Judged
)

// The sources of a deploy's time, the most trusted first.
const (
	FromMarker     = deploys.FromMarker
	FromAnnotation = deploys.FromAnnotation
	FromVersion    = deploys.FromVersion
	FromMetrics    = deploys.FromMetrics
)

// StepLength is the time at one share of a progressive delivery for which a
// verdict states its power.
const StepLength = ops.StepLength

// SignalKinds are the kinds of signals that a service can be asked for by name.
var SignalKinds = signals.Kinds

// NewForecastModels makes an empty cache of forecasting models.
func NewForecastModels() *ForecastModels { return metrics.NewForecastModels() }

// NewReplayResults remembers what rules would have evaluated, in about so many bytes.
func NewReplayResults(bytes int) *ReplayResults { return replays.NewResults(bytes) }

// ReadObjectives reads objectives written as YAML for OpenSLO and Grafana SLO.
func ReadObjectives(text string) ([]ObjectiveSetting, []string, error) { return objectives.Read(text) }

// CheckObjectives refuses objectives that make no sense or contradict each other.
func CheckObjectives(all []ObjectiveSetting) error { return objectives.Check(all) }

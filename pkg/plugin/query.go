package plugin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/concurrent"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/telemetry"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// QueryData answers each query of a panel, a rule or Explore on its own: one
// that fails leaves the others alone.
func (d *DataSource) QueryData(ctx context.Context, request *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	// Grafana sends this header without the http_ prefix, so the SDK's header
	// accessors do not show it.
	fromRule := request.Headers[backend.FromAlertHeaderName] == "true"
	if len(request.Queries) > maxQueries {
		return tooManyQueries(request), nil
	}
	ctx = budget.WithCaller(ctx, budget.Of(request.PluginContext, fromRule))
	ctx, answers := budget.Open(ctx, budget.Process.Memory, budget.MaxRequest)
	defer answers.Close()
	answerOne := func(ctx context.Context, q concurrent.Query) backend.DataResponse {
		return d.respond(ctx, q.DataQuery, fromRule)
	}
	return concurrent.QueryData(ctx, request, answerOne, d.settings.Limits.Concurrency)
}

func (d *DataSource) respond(ctx context.Context, q backend.DataQuery, fromRule bool) backend.DataResponse {
	if d.unusable != nil {
		return failure(d.unusable)
	}
	question, err := query.Parse(q.QueryType, q.JSON)
	if err != nil {
		return failure(&badQuery{err})
	}
	// Where a rule leaves the format open it gets the alert shape: rules fail
	// on anything else.
	format, err := query.FormatOf(question, fromRule)
	if err != nil {
		return failure(&badQuery{err})
	}
	// A rule has no reader who would see a notice.
	unknown := query.UnknownFields(question, q.JSON)
	if len(unknown) > 0 && format == query.Alert {
		return failure(&badQuery{fmt.Errorf("a %s query has no field %s", question.Type(), strings.Join(unknown, ", "))})
	}
	window := engine.Window{From: q.TimeRange.From.UTC(), To: q.TimeRange.To.UTC(), Step: q.Interval, Complete: format == query.Alert, Drawn: format == query.Panel}
	working, end := telemetry.Query(ctx, string(question.Type()), string(format))
	working, leave, err := admitted(working)
	if err != nil {
		failed := failure(err)
		end(err, int(failed.Status))
		return failed
	}
	defer leave()
	working, meter := upstream.WithMeter(working)
	result, err := d.answer(working, question, window, format)
	if err != nil {
		failed := failure(err)
		end(err, int(failed.Status))
		return failed
	}
	defer end(nil, http.StatusOK)
	frames.Cost(result, meter)
	if len(unknown) > 0 {
		frames.Notice(result, fmt.Sprintf("A %s query has no field %s.", question.Type(), strings.Join(unknown, ", ")))
	}
	if format == query.Panel {
		frames.LinkTraces(result, d.settings.traceSource())
		if judged, is := question.(query.Anomaly); is {
			frames.LinkExplain(result, d.uid, judged)
		}
	}
	if err := within(ctx, result); err != nil {
		return failure(err)
	}
	return backend.DataResponse{Frames: result, Status: http.StatusOK}
}

// answer asks the engine and shapes what it says.
func (d *DataSource) answer(ctx context.Context, question query.Query, window engine.Window, format query.Format) (data.Frames, error) {
	switch q := question.(type) {
	case query.Several:
		return d.answerSeveral(ctx, q, window, format)
	case query.Forecast:
		found, err := d.engine.Forecast(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Forecast(found, q, format) })
	case query.Anomaly:
		found, err := d.engine.Anomaly(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Anomaly(found, q, format) })
	case query.Explain:
		found, err := d.engine.Explain(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Explain(found, format) })
	case query.Composite:
		found, err := d.engine.Composite(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Composite(found, q, format) })
	case query.Breach:
		found, err := d.engine.Breach(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Breach(found, q, format) })
	case query.Deploys:
		found, err := d.engine.Deploys(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Deploys(found, format) })
	case query.LedgerChanges:
		found, err := d.engine.Changes(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Ledger(found, format) })
	case query.TraceDiff:
		found, err := d.engine.TraceDiff(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.TraceDiff(found, q, format) })
	case query.Patterns:
		found, err := d.engine.Patterns(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Patterns(found, format) })
	case query.ServiceMap:
		found, err := d.engine.ServiceMap(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.ServiceMap(found, format) })
	case query.RootCause:
		found, err := d.engine.RootCause(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.RootCause(found, format) })
	case query.Verdict:
		found, err := d.engine.Verdict(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Verdict(found, format) })
	case query.Incidents:
		found, err := d.engine.FleetIncidents(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Incidents(found, format) })
	case query.Journey:
		found, err := d.engine.UserJourneys(ctx, q, window, format == query.Alert)
		return shaped(err, func() (data.Frames, error) { return frames.Journeys(found, q, format) })
	case query.Budget:
		found, err := d.engine.Budgets(ctx, q, window, format == query.Alert)
		return shaped(err, func() (data.Frames, error) { return frames.Budgets(found, q, format) })
	case query.Objectives:
		found, err := d.engine.ObjectiveNames(ctx, window)
		return names(found, err, q, format)
	case query.Replay:
		found, err := d.engine.Replay(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Replay(found, format) })
	case query.Impact:
		found, err := d.engine.Impact(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Impact(found, q, format) })
	case query.Rollout:
		found, err := d.engine.Rollout(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Rollout(found, format) })
	case query.Sizing:
		found, err := d.engine.Sizing(ctx, q, window)
		return shaped(err, func() (data.Frames, error) { return frames.Sizing(found, format) })
	case query.Services:
		found, err := d.engine.Services(ctx, q, window)
		return names(found, err, q, format)
	case query.Journeys:
		return names(d.engine.JourneyNames(), nil, q, format)
	case query.Operations:
		found, err := d.engine.Operations(ctx, q, window)
		return names(found, err, q, format)
	case query.Versions:
		found, err := d.engine.Versions(ctx, q, window)
		return names(found, err, q, format)
	}
	return nil, backend.PluginErrorf("query type %q is known but not answered; please report this", question.Type())
}

func names(found engine.NamesAnswer, err error, q query.Query, format query.Format) (data.Frames, error) {
	return shaped(err, func() (data.Frames, error) { return frames.Names(found, q.Type(), format) })
}

// shaped are the frames of an answer, or its error.
func shaped(err error, shape func() (data.Frames, error)) (data.Frames, error) {
	if err != nil {
		return nil, err
	}
	defer telemetry.Time(telemetry.Shape)()
	return shape()
}

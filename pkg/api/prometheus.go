package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Prometheus' own read API over the derived metrics. KEDA, Argo Rollouts,
// Flagger, prometheus-adapter and Grafana itself speak it.

const (
	// maxSamples bounds what one expression may hold in memory.
	maxSamples = 100_000
	// maxSteps is Prometheus' own limit of points per series.
	maxSteps = 11_000
	// mostWarnings bounds what an engine has to log.
	mostWarnings = 10
)

// promQLEngine evaluates expressions over the derived metrics.
type promQLEngine struct {
	engine *promql.Engine
	parser parser.Parser
	source querier
}

func newPromQL(h *Hooks, timeout time.Duration) promQLEngine {
	p := parser.NewParser(parser.Options{})
	return promQLEngine{parser: p, source: querier{h}, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: maxSamples, Timeout: timeout, LookbackDelta: storedLookBack, Parser: p,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return finestStep.Milliseconds() },
	})}
}

// query answers an instant query. Engines act on its answer, and read an empty
// one, several series and a scalar each in another wrong way; so an expression
// over derived metrics is answered with one sample of one series or refused.
func (h *Hooks) query(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	ts, err := moment("time", r.Form.Get("time"), h.engine.Now())
	if err != nil {
		badData(w, err)
		return
	}
	ctx, cancel, err := h.deadline(r)
	if err != nil {
		badData(w, err)
		return
	}
	defer cancel()
	expr := r.Form.Get("query")
	derives, err := h.derives(expr)
	if err != nil {
		badData(w, err)
		return
	}
	asked, err := h.promQL.engine.NewInstantQuery(ctx, h.promQL.source, promql.NewPrometheusQueryOpts(false, 0), expr, ts)
	if err != nil {
		badData(w, err)
		return
	}
	defer asked.Close()
	result := asked.Exec(ctx)
	if result.Err == nil && derives {
		result.Err = actionable(result.Value)
	}
	answerPromQL(w, expr, result)
}

// actionable refuses what engines misread.
func actionable(value parser.Value) error {
	vector, ok := value.(promql.Vector)
	switch {
	case !ok:
		return noTrust("the result is a %s, which engines misread: it must be one series; write vector(…) around a scalar, and ask query_range for a range", value.Type())
	case len(vector) == 0:
		return noTrust("the result is empty, which some engines read as 0: a comparison that does not hold needs bool, as in > bool 75; else there is no sample at that time")
	case len(vector) > 1:
		return noTrust("the result has %d series, of which engines take any: aggregate it, or name the one that is meant", len(vector))
	case vector[0].H != nil || math.IsNaN(vector[0].F) || math.IsInf(vector[0].F, 0):
		return noTrust("the result is no finite number")
	}
	return nil
}

// queryRange answers a range query; a point that is not known is a gap.
func (h *Hooks) queryRange(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	start, errStart := moment("start", r.Form.Get("start"), time.Time{})
	end, errEnd := moment("end", r.Form.Get("end"), time.Time{})
	step, errStep := duration("step", r.Form.Get("step"))
	err := errors.Join(errStart, errEnd, errStep)
	switch {
	case err != nil:
	case start.IsZero() || end.IsZero():
		err = errors.New("start and end are needed")
	case end.Before(start):
		err = errors.New("end is before start")
	case end.Sub(start)/step >= maxSteps:
		err = fmt.Errorf("%d points are more than the %d that one query may have: widen the step", end.Sub(start)/step+1, maxSteps)
	}
	if err != nil {
		badData(w, err)
		return
	}
	ctx, cancel, err := h.deadline(r)
	if err != nil {
		badData(w, err)
		return
	}
	defer cancel()
	expr := r.Form.Get("query")
	asked, err := h.promQL.engine.NewRangeQuery(ctx, h.promQL.source, promql.NewPrometheusQueryOpts(false, 0), expr, start, end, step)
	if err != nil {
		badData(w, err)
		return
	}
	defer asked.Close()
	answerPromQL(w, expr, asked.Exec(ctx))
}

// derives tells whether an expression reads a metric, and not only constants
// like vector(1), with which engines ask whether anybody is there.
func (h *Hooks) derives(expr string) (bool, error) {
	parsed, err := h.promQL.parser.ParseExpr(expr)
	if err != nil {
		return false, err
	}
	return len(parser.ExtractSelectors(parsed)) > 0, nil
}

// deadline is the asker's own where it names one that is shorter than ours.
// KEDA and prometheus-adapter send an empty one.
func (h *Hooks) deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	limit := h.settings.Timeout
	if text := r.Form.Get("timeout"); text != "" {
		asked, err := duration("timeout", text)
		if err != nil {
			return nil, nil, err
		}
		limit = min(limit, asked)
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	return ctx, cancel, nil
}

// form reads the parameters of the URL and of a form in the body.
func form(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		prometheusFailure(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d KiB", maxBody>>10))
	default:
		badData(w, fmt.Errorf("the parameters cannot be read: %w", err))
	}
	return false
}

// promAnswer is the envelope of Prometheus' API.
type promAnswer struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

func prometheusFailure(w http.ResponseWriter, status int, reason string) {
	kind := "bad_data"
	switch status {
	case http.StatusUnprocessableEntity:
		kind = "execution"
	case http.StatusServiceUnavailable:
		kind = "timeout"
	case http.StatusTooManyRequests, http.StatusInternalServerError:
		kind = "internal"
	}
	reply(w, status, promAnswer{Status: "error", ErrorType: kind, Error: reason})
}

func badData(w http.ResponseWriter, err error) {
	prometheusFailure(w, http.StatusBadRequest, err.Error())
}

func answerPromQL(w http.ResponseWriter, expr string, result *promql.Result) {
	if result.Err != nil {
		status, reason := refusal(result.Err)
		prometheusFailure(w, status, reason)
		return
	}
	warnings, infos := warningsOf(result, expr)
	reply(w, http.StatusOK, promAnswer{Status: "success", Warnings: warnings, Infos: infos,
		Data: map[string]any{"resultType": result.Value.Type(), "result": written(result.Value)}})
}

// warningsOf are those of a result, in an order that does not change.
func warningsOf(result *promql.Result, expr string) (warnings, infos []string) {
	warnings, infos = result.Warnings.AsStrings(expr, 0, 0)
	return firstOf(warnings), firstOf(infos)
}

// firstOf are as many as an engine has to log.
func firstOf(texts []string) []string {
	slices.Sort(texts)
	if more := len(texts) - mostWarnings; more > 0 {
		return append(texts[:mostWarnings], fmt.Sprintf("and %d more", more))
	}
	return texts
}

// refusal is the status and the reason of an error. 422 means "no number" to
// every engine: each then leaves things as they are.
func refusal(err error) (int, string) {
	var timeout promql.ErrQueryTimeout
	var cancelled promql.ErrQueryCanceled
	var fromUpstream *upstream.Error
	reason := strings.TrimPrefix(err.Error(), "expanding series: ")
	switch {
	case errors.As(err, &timeout), errors.As(err, &cancelled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "no answer in time: " + reason
	case errors.As(err, &fromUpstream):
		return http.StatusUnprocessableEntity, fromUpstream.Error()
	}
	return http.StatusUnprocessableEntity, reason
}

// written is a value in the API's notation: numbers as texts.
func written(value parser.Value) any {
	switch v := value.(type) {
	case promql.Scalar:
		return [2]any{float64(v.T) / 1000, number(v.V)}
	case promql.String:
		return [2]any{float64(v.T) / 1000, v.V}
	case promql.Vector:
		result := make([]any, 0, len(v))
		for _, s := range v {
			result = append(result, map[string]any{"metric": s.Metric.Map(), "value": [2]any{float64(s.T) / 1000, number(s.F)}})
		}
		return result
	case promql.Matrix:
		result := make([]any, 0, len(v))
		for _, s := range v {
			points := make([][2]any, 0, len(s.Floats))
			for _, p := range s.Floats {
				points = append(points, [2]any{float64(p.T) / 1000, number(p.F)})
			}
			result = append(result, map[string]any{"metric": s.Metric.Map(), "values": points})
		}
		return result
	}
	return []any{}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

package promapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/promqlcost"
)

// maxSteps is Prometheus' own limit of points per series.
const maxSteps = 11_000

// Query answers an instant query. Engines act on its answer, and read an empty
// one, several series and a scalar each in another wrong way; so an expression
// over derived metrics is answered with one sample of one series or refused.
func (a *API) Query(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	ts, err := parseTime("time", r.Form.Get("time"), a.Now())
	if err != nil {
		badData(w, err)
		return
	}
	ctx, cancel, err := a.deadline(r)
	if err != nil {
		badData(w, err)
		return
	}
	defer cancel()
	expr := r.Form.Get("query")
	allowed, err := a.admit(ctx, expr, promqlcost.Window{Start: ts, End: ts})
	if err != nil {
		notAdmitted(w, err)
		return
	}
	defer allowed.release()
	var answer outcome
	err = evaluateNow(allowed.ctx, func(ctx context.Context) (promql.Query, error) {
		return a.promQL.NewInstantQuery(ctx, querier{a}, promql.NewPrometheusQueryOpts(false, 0), expr, ts)
	}, func(ctx context.Context, result *promql.Result) {
		if result.Err == nil && len(allowed.selectors) > 0 {
			result.Err = actionable(result.Value)
		}
		answer = outcomeOf(ctx, expr, result)
	})
	if err != nil {
		notAdmitted(w, err)
		return
	}
	answer.write(w)
}

// actionable refuses what engines misread.
func actionable(value parser.Value) error {
	vector, ok := value.(promql.Vector)
	switch {
	case !ok:
		return fmt.Errorf("the result is a %s, which engines misread: it must be one series; write vector(…) around a scalar, and ask query_range for a range", value.Type())
	case len(vector) == 0:
		return errors.New("the result is empty, which some engines read as 0: a comparison that does not hold needs bool, as in > bool 75; else there is no sample at that time")
	case len(vector) > 1:
		return fmt.Errorf("the result has %d series, of which engines take any: aggregate it, or name the one that is meant", len(vector))
	case vector[0].H != nil || math.IsNaN(vector[0].F) || math.IsInf(vector[0].F, 0):
		return errors.New("the result is no finite number")
	}
	return nil
}

// QueryRange answers a range query; a point that is unknown is a gap.
func (a *API) QueryRange(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	start, errStart := parseTime("start", r.Form.Get("start"), time.Time{})
	end, errEnd := parseTime("end", r.Form.Get("end"), time.Time{})
	step, errStep := parseDuration("step", r.Form.Get("step"))
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
	ctx, cancel, err := a.deadline(r)
	if err != nil {
		badData(w, err)
		return
	}
	defer cancel()
	expr := r.Form.Get("query")
	allowed, err := a.admit(ctx, expr, promqlcost.Window{Start: start, End: end, Step: step})
	if err != nil {
		notAdmitted(w, err)
		return
	}
	defer allowed.release()
	var answer outcome
	err = evaluateNow(allowed.ctx, func(ctx context.Context) (promql.Query, error) {
		return a.promQL.NewRangeQuery(ctx, querier{a}, promql.NewPrometheusQueryOpts(false, 0), expr, start, end, step)
	}, func(ctx context.Context, result *promql.Result) { answer = outcomeOf(ctx, expr, result) })
	if err != nil {
		notAdmitted(w, err)
		return
	}
	answer.write(w)
}

// deadline is the client's own where it names one that is shorter than ours.
// KEDA and prometheus-adapter send an empty one.
func (a *API) deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	limit := a.Timeout
	if text := r.Form.Get("timeout"); text != "" {
		named, err := parseDuration("timeout", text)
		if err != nil {
			return nil, nil, err
		}
		limit = min(limit, named)
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	return ctx, cancel, nil
}

// form reads the parameters of the URL and of a form in the body.
func form(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, respond.MaxBody)
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		Error(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d KiB", respond.MaxBody>>10))
	default:
		badData(w, fmt.Errorf("the parameters cannot be read: %w", err))
	}
	return false
}

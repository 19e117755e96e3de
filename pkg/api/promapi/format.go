package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/budget"
)

// maxWarnings bounds what an engine has to log.
const maxWarnings = 10

// envelope is the form of all answers of Prometheus' API.
type envelope struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

// Error writes an error as Prometheus' API does.
func Error(w http.ResponseWriter, status int, reason string) {
	kind := "bad_data"
	switch status {
	case http.StatusUnprocessableEntity:
		kind = "execution"
	case http.StatusServiceUnavailable:
		kind = "timeout"
	case http.StatusTooManyRequests, http.StatusInternalServerError:
		kind = "internal"
	}
	respond.JSON(w, status, envelope{Status: "error", ErrorType: kind, Error: reason})
}

// NotFound answers requests for other routes of Prometheus' API.
func NotFound(w http.ResponseWriter, r *http.Request) {
	Error(w, http.StatusNotFound, "there is no "+r.URL.Path+": query, query_range, series, labels and label/<name>/values are served below prom/api/v1/")
}

func badData(w http.ResponseWriter, err error) {
	Error(w, http.StatusBadRequest, err.Error())
}

func fail(w http.ResponseWriter, err error) {
	respond.RetryAfter(w, err)
	status, reason := respond.Status(err)
	Error(w, status, reason)
}

// outcome is an evaluation's result in the API's notation, or why there is none.
type outcome struct {
	body envelope
	err  error
}

// outcomeOf copies what is to be written of a result, and charges for it first.
func outcomeOf(ctx context.Context, expr string, result *promql.Result) outcome {
	if result.Err != nil {
		return outcome{err: unwrapped(result.Err)}
	}
	if err := budget.Charge(ctx, encodedSize(result.Value)); err != nil {
		return outcome{err: err}
	}
	warnings, infos := warningsOf(result, expr)
	return outcome{body: envelope{Status: "success", Warnings: warnings, Infos: infos,
		Data: map[string]any{"resultType": result.Value.Type(), "result": encoded(result.Value)}}}
}

func (o outcome) write(w http.ResponseWriter) {
	if o.err != nil {
		fail(w, o.err)
		return
	}
	respond.JSON(w, http.StatusOK, o.body)
}

const (
	// encodedPoint is what a point takes as an array of texts and as JSON, in bytes.
	encodedPoint = 160
	// escaped is how many bytes of JSON a byte of a label can become.
	escaped = 6
)

// encodedSize is what it takes to write a value, from above.
func encodedSize(value parser.Value) int64 {
	points, text := 1, 0
	label := func(l labels.Label) { text += len(l.Name) + len(l.Value) + encodedPoint }
	switch v := value.(type) {
	case promql.Vector:
		points = len(v)
		for _, s := range v {
			s.Metric.Range(label)
		}
	case promql.Matrix:
		for _, s := range v {
			points += len(s.Floats)
			s.Metric.Range(label)
		}
	}
	return int64(points*encodedPoint + text*escaped)
}

// warningsOf are those of a result, in an order that does not change.
func warningsOf(result *promql.Result, expr string) (warnings, infos []string) {
	warnings, infos = result.Warnings.AsStrings(expr, 0, 0)
	return capped(warnings), capped(infos)
}

// capped are as many texts as an engine has to log.
func capped(texts []string) []string {
	slices.Sort(texts)
	if more := len(texts) - maxWarnings; more > 0 {
		return append(texts[:maxWarnings], fmt.Sprintf("and %d more", more))
	}
	return texts
}

// timeoutError is a timeout of the PromQL engine, which is no context error.
type timeoutError struct{ error }

func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// unwrapped is an error of an evaluation without what the PromQL engine puts
// around it.
func unwrapped(err error) error {
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	if errors.As(err, &timeout) || errors.As(err, &canceled) {
		return timeoutError{err}
	}
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "expanding series: ") {
		return inner
	}
	return err
}

// encoded is a value in the API's notation: numbers as texts.
func encoded(value parser.Value) any {
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

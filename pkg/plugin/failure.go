package plugin

import (
	"context"
	"errors"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// badQuery is a query, or a setting, that its author can correct.
type badQuery struct{ error }

func (e *badQuery) Unwrap() error { return e.error }

// failure is an error as Grafana wants it: a status, the message for the
// person, and whose fault it was.
func failure(err error) backend.DataResponse {
	status, source := classify(err)
	return backend.ErrDataResponseWithSource(status, source, err.Error())
}

func classify(err error) (backend.Status, backend.ErrorSource) {
	var fromUpstream *upstream.Error
	var notFound *engine.NotFoundError
	var fault *engine.UserError
	var bad *badQuery
	var refused *budget.Refused
	switch {
	case errors.As(err, &fromUpstream):
		return backend.Status(fromUpstream.HTTPStatus()), backend.ErrorSourceDownstream
	case errors.As(err, &refused):
		return refusedStatus(refused), backend.ErrorSourceDownstream
	case errors.As(err, &notFound):
		return http.StatusNotFound, backend.ErrorSourceDownstream
	case errors.As(err, &bad), errors.As(err, &fault):
		return http.StatusBadRequest, backend.ErrorSourceDownstream
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, backend.ErrorSourceDownstream
	case errors.Is(err, context.Canceled):
		return 499, backend.ErrorSourceDownstream // the asker went away
	}
	return http.StatusInternalServerError, backend.ErrorSourcePlugin
}

// refusedStatus is that of a request beyond a limit of the process.
func refusedStatus(refused *budget.Refused) backend.Status {
	switch refused.Scope {
	case budget.OfUser:
		return http.StatusTooManyRequests
	case budget.OfProcess:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

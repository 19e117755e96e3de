// Package respond reads requests and writes JSON answers, for every route below
// the data source's resource path.
package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// MaxBody is how much is read of a request's body, in bytes.
const MaxBody = 1 << 20

// SendAgain is advice to the sender of what could not be saved.
const SendAgain = "Send it again: what is already saved is not saved twice"

// JSON writes a JSON answer. What cannot be written as JSON, such as NaN,
// becomes an error of status 500, never half an answer.
func JSON(w http.ResponseWriter, status int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		status = http.StatusInternalServerError
		text.Reset()
		text.WriteString(`{"status":"error","errorType":"internal","error":"the answer cannot be written as JSON"}` + "\n")
		backend.Logger.Error("A response cannot be written as JSON", "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(text.Bytes()); err != nil {
		backend.Logger.Warn("A response was not delivered", "error", err)
	}
}

// ErrorWriter writes an error in the form that the client of a route reads.
type ErrorWriter func(w http.ResponseWriter, status int, reason string)

// Error writes {"error": reason}.
func Error(w http.ResponseWriter, status int, reason string) {
	JSON(w, status, map[string]string{"error": reason})
}

// RetryAfter says when to ask again, where that may help.
func RetryAfter(w http.ResponseWriter, err error) {
	var refused *budget.Refused
	if errors.As(err, &refused) && refused.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refused.RetryAfter.Seconds()))))
	}
}

// Failure writes the status and the reason of an error as Error does.
func Failure(w http.ResponseWriter, err error) {
	RetryAfter(w, err)
	status, reason := Status(err)
	Error(w, status, reason)
}

// Status is the status and the reason of an error. 422 means "no number" to
// every engine: each then leaves things as they are.
func Status(err error) (int, string) {
	var fromUpstream *upstream.Error
	var refused *budget.Refused
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "no answer in time: " + err.Error()
	case errors.As(err, &refused) && refused.Scope == budget.OfUser:
		return http.StatusTooManyRequests, refused.Error()
	case errors.As(err, &refused) && refused.Scope == budget.OfProcess:
		return http.StatusServiceUnavailable, refused.Error()
	case errors.As(err, &fromUpstream):
		return http.StatusUnprocessableEntity, fromUpstream.Error()
	}
	return http.StatusUnprocessableEntity, err.Error()
}

// SenderFailure says why there is no number to pass on. That an upstream failed
// is no reason to give up, as a number that must not be acted on is: clients try
// again after a status of 500 or above.
func SenderFailure(w http.ResponseWriter, err error) {
	status, reason := Status(err)
	var fromUpstream *upstream.Error
	if errors.As(err, &fromUpstream) {
		status = fromUpstream.HTTPStatus()
	}
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		reason += ". " + SendAgain
	}
	Error(w, status, reason)
}

// Methods lets some HTTP methods through and answers the others with 405,
// after which Prometheus' clients try GET.
func Methods(handler http.HandlerFunc, fail ErrorWriter, allowed ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allowed, r.Method) {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			fail(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s is not allowed here: use %s", r.Method, strings.Join(allowed, " or ")))
			return
		}
		handler(w, r)
	}
}

// Editors lets users in who may write: everyone who can view a data source can
// call its routes.
func Editors(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if user := backend.UserFromContext(r.Context()); user == nil || user.Role != "Editor" && user.Role != "Admin" {
			Error(w, http.StatusForbidden, "this writes, which needs the role Editor or Admin")
			return
		}
		handler(w, r)
	}
}

// Body reads a request's body, up to MaxBody. Where it cannot be read the error
// comes with the status to answer.
func Body(w http.ResponseWriter, r *http.Request) (content []byte, status int, err error) {
	return BodyUpTo(w, r, MaxBody)
}

// BodyUpTo is Body with a limit of its own, in bytes.
func BodyUpTo(w http.ResponseWriter, r *http.Request, most int64) (content []byte, status int, err error) {
	if r.Body == nil { // the plugin SDK makes an empty body so
		return nil, 0, nil
	}
	content, err = io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d KiB", most>>10)
	case err != nil:
		return nil, http.StatusBadRequest, fmt.Errorf("the body cannot be read: %w", err)
	}
	return content, 0, nil
}

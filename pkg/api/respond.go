package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// maxBody bounds what is read of a request.
const maxBody = 1 << 20

// untrusted says that there is no number that an engine may act on.
type untrusted struct{ reason string }

func (e *untrusted) Error() string { return e.reason }

func noTrust(format string, arguments ...any) error {
	return &untrusted{fmt.Sprintf(format, arguments...)}
}

// reply writes a JSON answer. What cannot be written as JSON, such as NaN,
// becomes an error of status 500, never half an answer.
func reply(w http.ResponseWriter, status int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		status = http.StatusInternalServerError
		text.Reset()
		text.WriteString(`{"status":"error","errorType":"internal","error":"the answer cannot be written as JSON"}` + "\n")
		backend.Logger.Error("An answer of a hook cannot be written as JSON", "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(text.Bytes()); err != nil {
		backend.Logger.Warn("An answer of a hook was not delivered", "error", err)
	}
}

// failing writes an error in the form that a route's engine reads.
type failing func(w http.ResponseWriter, status int, reason string)

func plainFailure(w http.ResponseWriter, status int, reason string) {
	reply(w, status, map[string]string{"error": reason})
}

// methods lets some HTTP methods through and answers the others with 405,
// after which Prometheus' clients try GET.
func methods(handler http.HandlerFunc, fail failing, allowed ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allowed, r.Method) {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			fail(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s is not allowed here: use %s", r.Method, strings.Join(allowed, " or ")))
			return
		}
		handler(w, r)
	}
}

// body reads a request's body, which is bounded.
func body(w http.ResponseWriter, r *http.Request) ([]byte, int, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d KiB", maxBody>>10)
	case err != nil:
		return nil, http.StatusBadRequest, fmt.Errorf("the body cannot be read: %w", err)
	}
	return raw, 0, nil
}

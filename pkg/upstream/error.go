package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/grafana/grafana-plugin-sdk-go/experimental/status"

	"github.com/foresight-observability/foresight/pkg/budget"
)

// Category says which kind of thing went wrong, so that a person knows whom to
// ask and a program whether asking again helps.
type Category string

// The categories.
const (
	Auth        Category = "auth"        // credentials missing, wrong or not sufficient
	Network     Category = "network"     // no connection, or it broke
	TLS         Category = "tls"         // certificates or the handshake
	Timeout     Category = "timeout"     // no answer within the deadline
	Config      Category = "config"      // a setting is wrong
	NotFound    Category = "notfound"    // the address answers, but not at this path
	Rejected    Category = "rejected"    // the server refuses the query as it was asked
	Overload    Category = "overload"    // a limit of the server: rate, samples, query time
	Server      Category = "server"      // the server failed
	Malformed   Category = "malformed"   // the answer is not what the protocol says
	TooLarge    Category = "toolarge"    // the answer is beyond a limit of ours
	Unavailable Category = "unavailable" // not asked, because it failed too often just now
	Cancelled   Category = "cancelled"   // the asker went away
	Busy        Category = "busy"        // Foresight itself has too much under way
)

// MaxMessage is the length in bytes to which a server's own message is cut.
const MaxMessage = 1024

// Error is a failed question to an upstream, for the person who reads it. The
// Grafana SDK sees it as a downstream error.
type Error struct {
	Upstream string // "Prometheus", "Tempo"
	Category Category
	Status   int    // of the HTTP answer; 0 where there was none
	Message  string // what happened, where it can be in the server's own words
	Advice   string // what to do about it
	Err      error  // the cause; nil for none
}

// Error is one line: who, what, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Upstream)
	b.WriteString(map[Category]string{
		Auth: " denied access", Network: " cannot be reached", TLS: " failed the TLS handshake", Timeout: " did not answer in time",
		Config: " is not configured correctly", NotFound: " has nothing at this address", Rejected: " rejected the query",
		Overload: " is at its limit", Server: " failed", Malformed: " returned an invalid answer",
		TooLarge: " gave too much", Unavailable: " is not queried for a while", Cancelled: " was not waited for",
		Busy: "'s answer was not read",
	}[e.Category])
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": " + strings.TrimRight(e.Message, ". "))
	}
	if e.Advice != "" {
		b.WriteString(". " + e.Advice)
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes backend.IsDownstreamError recognise the error.
func (e *Error) Is(target error) bool {
	source, ok := target.(status.ErrorWithSource)
	return ok && source.ErrorSource() == status.SourceDownstream
}

// As makes backend.ErrorResponseWithErrorSource recognise the error.
func (e *Error) As(target any) bool {
	source, ok := target.(*status.ErrorWithSource)
	if ok {
		*source = status.NewErrorWithSource(e, status.SourceDownstream)
	}
	return ok
}

// HTTPStatus is the status with which Foresight passes the error on: 400 for
// what the asker can correct, a gateway's status for everything else. It never
// is 401, which a browser would take for a lapsed Grafana session.
func (e *Error) HTTPStatus() int {
	switch e.Category {
	case Rejected, Config, TooLarge:
		return http.StatusBadRequest
	case NotFound:
		return http.StatusNotFound
	case Timeout:
		return http.StatusGatewayTimeout
	case Overload:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Busy:
		var refused *budget.Refused
		if errors.As(e.Err, &refused) && refused.Scope == budget.OfUser {
			return http.StatusTooManyRequests
		}
		return http.StatusServiceUnavailable
	case Cancelled:
		return 499 // as nginx and Grafana say "client closed request"
	}
	return http.StatusBadGateway
}

// Refusal is the error of a question that was given up because of what it would
// take of this process; nil where the error is another one.
func Refusal(upstream string, err error) *Error {
	var refused *budget.Refused
	if !errors.As(err, &refused) {
		return nil
	}
	category := Busy
	if refused.Scope == budget.OfRequest {
		category = TooLarge
	}
	return &Error{Upstream: upstream, Category: category, Message: refused.Error(), Err: err}
}

// Clean makes foreign text fit for a message: control characters and what is
// not UTF-8 become spaces, runs of space become one, and the rest is cut to so
// many bytes.
func Clean(text string, limit int) string {
	if len(text) > 4*limit {
		text = text[:4*limit]
	}
	var b strings.Builder
	for _, r := range text {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	cleaned := strings.Join(strings.Fields(b.String()), " ")
	if len(cleaned) <= limit {
		return cleaned
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(cleaned[cut]) {
		cut--
	}
	return cleaned[:cut] + "…"
}

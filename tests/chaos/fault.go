package chaos

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"
)

// Effect is what a fault does to an answer that needs the server.
type Effect int

// The effects.
const (
	Harmless  Effect = iota // the answer comes all the same
	Sometimes               // some answers come, some do not
	Fatal                   // no answer comes
)

// Fault is one way in which a server fails.
type Fault struct {
	Name string
	// Means says what is done, for the reader of the table.
	Means  string
	Effect Effect
	// Refuses closes the server's port.
	Refuses bool
	// Toxics are those of toxiproxy, by type, with their attributes.
	Toxics map[string]map[string]any
	// Answer answers in the server's place, or passes on.
	Answer func(w http.ResponseWriter, r *http.Request, pass http.Handler)
	// Of names the server that alone can fail so; empty for every server.
	Of string
	// Loses says that answers are right and something is lacking from them: that
	// the server has lost data is not told by it.
	Loses bool
	// Short says that the short form runs it.
	Short bool
}

// short says whether the short form runs the fault of a server. Of Grafana, which
// is asked little, it runs one of each kind.
func (f Fault) short(server string) bool {
	return f.Short && (server != Grafana || f.Name == shows || f.Of == Grafana)
}

// Timeout is the limit that every data source of the table has: limits.timeout.
const Timeout = 20 * time.Second

// Faults are those that come between the plugin and a server.
var Faults = slices.Concat(anyFail, writesFail, storesLose)

// anyFail are the ways in which every server can fail.
var anyFail = []Fault{
	{Name: "refused", Means: "nothing listens", Effect: Fatal, Refuses: true, Short: true},
	{Name: "hung", Means: "connections are taken, nothing is ever answered", Effect: Fatal,
		Toxics: map[string]map[string]any{"timeout": {"timeout": 0}}},
	{Name: "too slow", Means: "every answer comes after the deadline", Effect: Fatal,
		Toxics: map[string]map[string]any{"latency": {"latency": 2 * Timeout.Milliseconds()}}},
	{Name: "slow", Means: "every answer comes 200 ms later", Effect: Harmless,
		Toxics: map[string]map[string]any{"latency": {"latency": 200}}},
	{Name: "thin line", Means: "20 KB/s for each connection", Effect: Sometimes,
		Toxics: map[string]map[string]any{"bandwidth": {"rate": 20}}},
	{Name: "slow close", Means: "connections close 5 s late", Effect: Harmless,
		Toxics: map[string]map[string]any{"slow_close": {"delay": 5000}}},
	{Name: "reset", Means: "every connection is reset", Effect: Fatal,
		Toxics: map[string]map[string]any{"reset_peer": {"timeout": 0}}},
	{Name: "cut", Means: "every connection is cut after 1,500 bytes", Effect: Sometimes,
		Toxics: map[string]map[string]any{"limit_data": {"bytes": 1500}}},
	{Name: "429", Means: "HTTP 429 with Retry-After: 30", Effect: Fatal, Answer: answering(http.StatusTooManyRequests, "text/plain", "too many outstanding requests")},
	{Name: "500", Means: "HTTP 500", Effect: Fatal, Answer: answering(http.StatusInternalServerError, "text/plain", "no space left on device")},
	{Name: "web page", Means: "HTTP 200 with a login page", Effect: Fatal, Answer: answering(http.StatusOK, "text/html", "<!DOCTYPE html><html><title>Sign in</title><body>Welcome</body></html>")},
	{Name: "truncated", Means: "HTTP 200 with the first half of the answer", Effect: Fatal, Short: true, Answer: truncated},
	{Name: "garbage", Means: "HTTP 200 with bytes that mean nothing", Effect: Fatal, Answer: answering(http.StatusOK, "application/json", "\x00\x01\xff{{{\x1b[2J")},
	{Name: "empty", Means: "HTTP 200 without a body", Effect: Fatal, Answer: answering(http.StatusOK, "application/json", "")},
	{Name: "every other", Means: "every other request fails with HTTP 500", Effect: Sometimes, Answer: everyOther()},
}

// storesLose are the ways in which a store answers and has lost data.
var storesLose = []Fault{
	{Name: "lost hour", Means: "the samples of the last hour are gone", Effect: Sometimes, Of: Prometheus, Loses: true, Answer: lostHour},
	{Name: "lost traces", Means: "the store has no trace any more", Effect: Sometimes, Of: Tempo, Loses: true, Answer: lostTraces},
}

func answering(status int, contentType, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "30")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// truncated gives the first half of the answer as if it were the whole.
func truncated(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	r.Header.Del("Accept-Encoding")
	r.Header.Set("Accept-Encoding", "identity")
	whole := httptest.NewRecorder()
	pass.ServeHTTP(whole, r)
	w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
	w.WriteHeader(whole.Code)
	_, _ = io.Copy(w, bytes.NewReader(whole.Body.Bytes()[:whole.Body.Len()/2]))
}

func everyOther() func(http.ResponseWriter, *http.Request, http.Handler) {
	var queried atomic.Int64
	fail := answering(http.StatusInternalServerError, "text/plain", "error contacting one of the ingesters")
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if queried.Add(1)%2 == 0 {
			fail(w, r, pass)
			return
		}
		pass.ServeHTTP(w, r)
	}
}

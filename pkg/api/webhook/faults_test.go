package webhook

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReceiversThatFail breaks a receiver in every way that the table of faults
// has for servers. What was taken is told once; what may not have been is told
// again under the same id, three times at most, and then it is an error.
func TestReceiversThatFail(t *testing.T) {
	hung := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		recovers bool // from the second attempt on
		attempts int
		says     string // empty where it is delivered
	}{
		"slow": {func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(50 * time.Millisecond)
			w.WriteHeader(http.StatusNoContent)
		}, false, 1, ""},
		"hung":      {hung, false, maxAttempts, "did not answer within"},
		"hung once": {hung, true, 2, ""},
		"500":       {status(500, "no space left"), false, maxAttempts, "500"},
		"429":       {status(429, ""), false, maxAttempts, "429"},
		"500 once":  {status(500, ""), true, 2, ""},
		"garbage":   {status(200, "\x00\x01{{"), false, 1, ""},
		"cut":       {abort, false, maxAttempts, "EOF"},
		"cut once":  {abort, true, 2, ""},
		"cut in the body": {func(w http.ResponseWriter, r *http.Request) {
			status(202, "accep")(w, r)
			w.(http.Flusher).Flush()
			abort(w, r)
		}, false, 1, ""},
		"an endless body":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK); endless(w) }, false, 1, ""},
		"an endless error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable); endless(w) }, false, maxAttempts, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var ids []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				ids = append(ids, r.Header.Get("webhook-id"))
				again := len(ids) > 1
				mu.Unlock()
				_, _ = io.Copy(io.Discard, r.Body)
				if again && test.recovers {
					w.WriteHeader(http.StatusOK)
					return
				}
				test.answer(w, r)
			}))
			t.Cleanup(server.Close)
			s, err := New([]Target{{Name: "warm", URL: server.URL + "/hidden-path", Private: true}}, Secrets{Signing: secret}, time.Now)
			require.NoError(t, err)
			s.wait = func(time.Duration) time.Duration { return 0 }
			if strings.HasPrefix(name, "hung") {
				s.timeout = time.Second
			}
			id, err := s.Send(context.Background(), "warm", event)
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, ids, test.attempts)
			for _, one := range ids {
				require.Equal(t, id, one)
			}
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, `"warm" was not delivered after 3 of 3`)
			require.NotContains(t, err.Error(), "hidden-path")
		})
	}
}

// TestReceiversThatNameAPause are left alone for as long as they say, or told of
// as not reached.
func TestReceiversThatNameAPause(t *testing.T) {
	for named, want := range map[string]struct {
		attempts int
		pauses   []time.Duration
	}{
		"7":                             {2, []time.Duration{7 * time.Second}},
		"0":                             {2, []time.Duration{firstPause}},
		"Fri, 31 Dec 1999 23:59:59 GMT": {2, []time.Duration{firstPause}},
		"3600":                          {1, nil},
	} {
		queried := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if queried++; queried == 1 {
				w.Header().Set("Retry-After", named)
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}))
		t.Cleanup(server.Close)
		s, err := New([]Target{{Name: "warm", URL: server.URL, Private: true}}, Secrets{Signing: secret}, time.Now)
		require.NoError(t, err)
		var pauses []time.Duration
		s.wait = func(d time.Duration) time.Duration { pauses = append(pauses, d); return 0 }
		_, err = s.Send(t.Context(), "warm", event)
		require.Equal(t, want.attempts, queried, named)
		require.Equal(t, want.pauses, pauses, named)
		if want.attempts == 1 {
			require.ErrorContains(t, err, "1 of 3 attempts: the receiver answered 429 Too Many Requests and asks for a retry after 1h0m0s")
		} else {
			require.NoError(t, err)
		}
	}
}

func endless(w io.Writer) {
	for {
		if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
			return
		}
	}
}

package transport_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// A server that is at its limit for a moment is asked again with the same
// question; one that is for longer than the question can wait, or that refuses
// for another reason, is not.
func TestAskedAgainAtItsLimit(t *testing.T) {
	for name, test := range map[string]struct {
		status, refusals int
		retryAfter       string
		queried          int32
		refused          bool
	}{
		"a full queue":            {http.StatusTooManyRequests, 2, "", 3, false},
		"a wait that it names":    {http.StatusTooManyRequests, 1, "1", 2, false},
		"a wait that is too long": {http.StatusTooManyRequests, 1, "30", 1, true},
		"a wait without sense":    {http.StatusTooManyRequests, 1, "-1", 2, false},
		"for good":                {http.StatusTooManyRequests, 100, "0", 4, true},
		"another refusal":         {http.StatusBadRequest, 1, "", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var queried atomic.Int32
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != "query=up" {
					http.Error(w, "not the question: "+string(body), http.StatusTeapot)
					return
				}
				if queried.Add(1) <= int32(test.refusals) {
					if test.retryAfter != "" {
						w.Header().Set("Retry-After", test.retryAfter)
					}
					http.Error(w, "job queue full", test.status)
					return
				}
				_, _ = io.WriteString(w, "an answer")
			})
			client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 10 * time.Second})
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("query=up"))
			require.NoError(t, err)
			_, body, err := client.Do(t.Context(), request)
			require.Equal(t, test.queried, queried.Load())
			if test.refused {
				var known *upstream.Error
				require.ErrorAs(t, err, &known)
				require.Equal(t, test.status, known.Status)
				require.Contains(t, err.Error(), "job queue full")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "an answer", string(body))
		})
	}
}

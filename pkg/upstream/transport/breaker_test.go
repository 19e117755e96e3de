package transport_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// heavyServer takes forever over, or fails, what is asked of /heavy, and works
// otherwise.
func heavyServer(t *testing.T, heavy http.HandlerFunc) (server *httptest.Server, probes *atomic.Int32) {
	t.Helper()
	probes = &atomic.Int32{}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/heavy"):
			heavy(w, r)
		case strings.HasSuffix(r.URL.Path, "/healthy"):
			probes.Add(1)
		default:
			_, _ = w.Write([]byte("{}"))
		}
	}), probes
}

// TestHeavyQueriesDoNotOpenTheCircuit asks again and again for what the server
// does not answer in time, fails at, or is cut off at by a proxy: everybody else
// is answered all the while.
func TestHeavyQueriesDoNotOpenTheCircuit(t *testing.T) {
	for name, heavy := range map[string]http.HandlerFunc{
		"our own deadline": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a proxy's":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) },
		"a failed query":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"Prometheus' own": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"status":"error","errorType":"timeout","error":"query timed out"}`))
		},
		"the answer's size": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := heavyServer(t, heavy)
			client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 50 * time.Millisecond, Failures: 3, ResponseBytes: 1 << 20})
			client.Probe("/healthy")
			for range 12 {
				_, _, err := client.Get(t.Context(), client.URL("heavy", nil), "")
				var known *upstream.Error
				require.ErrorAs(t, err, &known)
				require.NotEqual(t, upstream.Unavailable, known.Category)
				_, _, err = client.Get(t.Context(), client.URL("light", nil), "")
				require.NoError(t, err)
			}
			// Nor does it where no light question comes between them.
			for range 7 {
				_, _, _ = client.Get(t.Context(), client.URL("heavy", nil), "")
			}
			_, _, err := client.Get(t.Context(), client.URL("light", nil), "")
			require.NoError(t, err)
		})
	}
}

// TestSilentServerOpensTheCircuit has a server that takes connections and
// answers nothing, which only the cheap request can tell from heavy queries.
func TestSilentServerOpensTheCircuit(t *testing.T) {
	var silent atomic.Bool
	silent.Store(true)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if silent.Load() {
			<-r.Context().Done()
		}
	})
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 20 * time.Millisecond, Failures: 2, Pause: 100 * time.Millisecond})
	client.Probe("/healthy")
	for range 2 {
		_, err := get(client)
		require.ErrorContains(t, err, "no complete answer")
	}
	_, err := get(client)
	require.ErrorContains(t, err, "not queried for a while")
	silent.Store(false)
	require.Eventually(t, func() bool { _, err := get(client); return err == nil }, 5*time.Second, 20*time.Millisecond)
}

func TestConnectionFailuresAndOverloadOpenTheCircuit(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"overload":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"gateway":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			server, probes := heavyServer(t, handler)
			client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Failures: 3})
			client.Probe("/healthy")
			for range 3 {
				_, _, err := client.Get(t.Context(), client.URL("heavy", nil), "")
				require.Error(t, err)
			}
			_, _, err := client.Get(t.Context(), client.URL("light", nil), "")
			require.ErrorContains(t, err, "not queried for a while")
			require.Zero(t, probes.Load())
		})
	}
}

// TestRulesHaveTurnsOfTheirOwn takes all turns that a user can get with
// questions that hang: another user and a rule are answered at once.
func TestRulesHaveTurnsOfTheirOwn(t *testing.T) {
	for _, concurrency := range []int{2, 3, 8, 10} {
		release := make(chan struct{})
		server, _ := heavyServer(t, func(http.ResponseWriter, *http.Request) { <-release })
		client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Concurrency: concurrency})
		as := func(class budget.Class, user, endpoint string) error {
			ctx := budget.WithCaller(t.Context(), budget.Caller{Class: class, User: user})
			_, _, err := client.Get(ctx, client.URL(endpoint, nil), "")
			return err
		}
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() { assert.NoError(t, as(budget.Interactive, "greedy", "heavy")) })
		}
		time.Sleep(50 * time.Millisecond)
		require.NoError(t, as(budget.Rule, "", "light"))
		if concurrency > 3 { // with fewer there is nothing to share
			require.NoError(t, as(budget.Interactive, "other", "light"))
			require.NoError(t, as(budget.Engine, "sa", "light"))
		}
		close(release)
		asking.Wait()
	}
}

// TestAnswersCountAgainstTheMemoryOfRequests refuses an answer that there is no
// room for, and gives everything back.
func TestAnswersCountAgainstTheMemoryOfRequests(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 3<<20)) })
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{})
	memory := budget.NewGate(budget.Shares{What: "memory", Total: 8 << 20, Unit: budget.MiB})
	ctx, account := budget.Open(t.Context(), memory, 2<<20)
	_, _, err := client.Get(ctx, client.URL("api", nil), "")
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, upstream.TooLarge, known.Category)
	require.Contains(t, err.Error(), "2 MiB of memory")
	account.Close()
	ctx, account = budget.Open(t.Context(), memory, 8<<20)
	_, _, err = client.Get(ctx, client.URL("api", nil), "")
	require.NoError(t, err)
	require.GreaterOrEqual(t, memory.Used(), int64(3<<20))
	account.Close()
	require.Zero(t, memory.Used())
}

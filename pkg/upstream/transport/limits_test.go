package transport_test

import (
	"compress/gzip"
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

func TestAnswersAreBounded(t *testing.T) {
	chunk := []byte(strings.Repeat("x", 1<<20))
	flood := func(w http.ResponseWriter, _ *http.Request) {
		for range 200 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	bomb := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		for range 200 {
			if _, err := compressed.Write(chunk); err != nil {
				return
			}
		}
		_ = compressed.Close()
	}
	declared := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(200<<20))
		flood(w, r)
	}
	for name, handler := range map[string]http.HandlerFunc{"flood": flood, "gzip bomb": bomb, "declared": declared} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, transport.Config{URL: serve(t, handler).URL}, transport.Limits{ResponseBytes: 4 << 20})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := get(client)
			runtime.ReadMemStats(&after)
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.TooLarge, known.Category, err)
			require.Contains(t, err.Error(), "4 MiB")
			// The test server allocates in the same process.
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(40<<20))
		})
	}
}

func TestDeadline(t *testing.T) {
	release := make(chan struct{})
	var queried atomic.Int32
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		queried.Add(1)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	var known *upstream.Error

	t.Run("of the question", func(t *testing.T) {
		_, err := get(newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 30 * time.Millisecond}))
		require.ErrorAs(t, err, &known)
		require.Equal(t, upstream.Timeout, known.Category)
		require.Contains(t, err.Error(), "30ms")
	})
	t.Run("of the asker", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Failures: 1})
		_, _, err := client.Get(ctx, client.URL("api", nil), "")
		require.ErrorAs(t, err, &known)
		require.Equal(t, upstream.Cancelled, known.Category)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("while waiting for a turn", func(t *testing.T) {
		client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Timeout: 300 * time.Millisecond, Concurrency: 1})
		// The question that waits began before the one that has the turn.
		ctx, cancel := client.Deadline(context.Background())
		defer cancel()
		time.Sleep(100 * time.Millisecond)
		taken := make(chan error, 1)
		before := queried.Load()
		go func() {
			_, err := get(client)
			taken <- err
		}()
		require.Eventually(t, func() bool { return queried.Load() > before }, 5*time.Second, time.Millisecond)
		_, _, err := client.Get(ctx, client.URL("api", nil), "")
		require.ErrorAs(t, err, &known)
		require.Equal(t, upstream.Overload, known.Category)
		require.Contains(t, err.Error(), "no free slot within 300ms")
		require.Error(t, <-taken)
	})
}

func TestConcurrencyIsLimited(t *testing.T) {
	var now, most atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		_, _ = w.Write([]byte("{}"))
	})
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Concurrency: 3})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := get(client)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	require.LessOrEqual(t, most.Load(), int32(3))
}

func TestCircuitOpensAndCloses(t *testing.T) {
	var status atomic.Int32
	var queried atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		queried.Add(1)
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte("words"))
	})
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Failures: 3, Pause: 100 * time.Millisecond})
	ask := func() upstream.Category {
		_, err := get(client)
		if err == nil {
			return ""
		}
		var known *upstream.Error
		require.ErrorAs(t, err, &known)
		return known.Category
	}

	status.Store(400) // a refused query is no failure of the server
	for range 10 {
		require.Equal(t, upstream.Rejected, ask())
	}
	status.Store(500)
	for range 3 {
		require.Equal(t, upstream.Server, ask())
	}
	require.Equal(t, upstream.Unavailable, ask())
	require.EqualValues(t, 14, queried.Load(), "the cheap request decided; an open circuit asks nothing")
	_, err := get(client)
	require.Contains(t, err.Error(), "words")
	require.Contains(t, err.Error(), "tried again")

	status.Store(200)
	require.Eventually(t, func() bool { return ask() == "" }, 5*time.Second, 20*time.Millisecond)
	require.Empty(t, ask())
}

// TestQuestionsWaitForTheTrial has a question of two parts: while the one tries
// whether the server is back, the other must neither fail nor, by failing, end
// the trial.
func TestQuestionsWaitForTheTrial(t *testing.T) {
	var broken atomic.Bool
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		time.Sleep(200 * time.Millisecond) // both parts are under way at once
	})
	client := newClient(t, transport.Config{URL: server.URL}, transport.Limits{Failures: 1, Pause: 50 * time.Millisecond})
	broken.Store(true)
	_, err := get(client)
	require.Error(t, err)
	broken.Store(false)
	time.Sleep(100 * time.Millisecond)

	parts, ctx := errgroup.WithContext(t.Context())
	for range 2 {
		parts.Go(func() error {
			_, _, err := client.Get(ctx, client.URL("api", nil), "")
			return err
		})
	}
	require.NoError(t, parts.Wait())
}

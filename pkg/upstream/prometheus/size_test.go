package prometheus_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/prometheus"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// TestGivenUpWhileDecoding has the question's context end after the answer came.
func TestGivenUpWhileDecoding(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ctx, account := budget.Open(ctx, budget.NewGate(budget.Shares{What: "memory", Total: 1 << 30}), 1<<30)
	defer account.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[]}}`))
		time.AfterFunc(time.Millisecond, cancel)
	}))
	defer server.Close()
	config := transport.Config{Mode: transport.Direct, URL: server.URL}
	for range 50 {
		client, err := prometheus.New(config, transport.Limits{}, time.Now)
		require.NoError(t, err)
		_, err = client.QueryRange(ctx, "up", upstream.Range{Start: time.Unix(0, 0), End: time.Unix(60, 0), Step: time.Minute})
		var known *upstream.Error
		if err != nil {
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.Cancelled, known.Category)
		}
		client.Close()
	}
}

// TestSeriesAreBounded refuses a million series before they are decoded, and
// without asking for shorter ranges.
func TestSeriesAreBounded(t *testing.T) {
	var queried atomic.Int32
	body := []byte(`{"status":"success","data":{"resultType":"matrix","result":[` +
		strings.TrimSuffix(strings.Repeat(`{"metric":{"i":"1"},"values":[[0,"1"]]},`, 300_000), ",") + `]}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		queried.Add(1)
		_, _ = w.Write(body)
	}))
	defer server.Close()
	client, err := prometheus.New(transport.Config{Mode: transport.Direct, URL: server.URL}, transport.Limits{}, time.Now)
	require.NoError(t, err)
	defer client.Close()
	memory := budget.NewGate(budget.Shares{What: "memory", Total: 1 << 30, Unit: budget.MiB})
	ctx, account := budget.Open(t.Context(), memory, 100<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = client.QueryRange(ctx, "up", upstream.Range{Start: time.Unix(0, 0), End: time.Unix(600, 0), Step: time.Minute})
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "100 MiB of memory")
	require.EqualValues(t, 1, queried.Load())
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
	account.Close()
	require.Zero(t, memory.Used())
}

// TestLongLabelsAreCut keeps values that begin alike apart.
func TestLongLabelsAreCut(t *testing.T) {
	long := strings.Repeat("x", 60<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"%s1"},"values":[[0,"1"]]},{"metric":{"a":"%s2"},"values":[[0,"1"]]}]}}`, long, long)
	}))
	defer server.Close()
	client, err := prometheus.New(transport.Config{Mode: transport.Direct, URL: server.URL}, transport.Limits{}, time.Now)
	require.NoError(t, err)
	defer client.Close()
	set, err := client.QueryRange(t.Context(), "up", upstream.Range{Start: time.Unix(0, 0), End: time.Unix(60, 0), Step: time.Minute})
	require.NoError(t, err)
	require.Len(t, set.Series, 2)
	require.LessOrEqual(t, len(set.Series[0].Labels["a"]), 1<<10)
	require.NotEqual(t, set.Series[0].Labels["a"], set.Series[1].Labels["a"])
	require.Contains(t, strings.Join(set.Warnings, "\n"), "were cut: 2")
}

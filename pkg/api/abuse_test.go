package api

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// growing nests label_replace so that each multiplies a label's length.
func growing(times int) string {
	expr := `label_replace(vector(1), "a", "` + strings.Repeat("x", 1000) + `", "", "")`
	for range times {
		expr = `label_replace(` + expr + `, "a", "` + strings.Repeat("$1", 500) + `", "a", "(.*)")`
	}
	return expr
}

// TestLabelsThatMultiply is a request of a few kilobytes that would take
// terabytes.
func TestLabelsThatMultiply(t *testing.T) {
	handler := testHooks(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	status, found := serve(t, handler, get(instant, "query", growing(4)))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, found.Error, "label_replace")
	status, found = serve(t, handler, get("/prom/api/v1/query_range", "query", growing(2), "start", "0", "end", "600", "step", "60"))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, found.Error, "label_replace")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
	status, _ = serve(t, handler, get(instant, "query", growing(0)))
	require.Equal(t, http.StatusOK, status)
}

// TestParallelSubqueries asks for many nested subqueries at once, each refused
// by itself.
func TestParallelSubqueries(t *testing.T) {
	handler := testHooks(t)
	expr := "vector(1)"
	for range 120 {
		expr = "quantile_over_time(0.5, " + expr + "[1000m:1m])"
	}
	request := func() *http.Request {
		return get("/prom/api/v1/query_range", "query", expr, "start", "1000", "end", "7000", "step", "60")
	}
	var most atomic.Uint64
	stop := make(chan struct{})
	go func() {
		var memory runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			runtime.ReadMemStats(&memory)
			most.Store(max(most.Load(), memory.HeapAlloc))
		}
	}()
	var asking sync.WaitGroup
	for range 60 {
		asking.Go(func() {
			if status, _ := serve(t, handler, request()); status != http.StatusUnprocessableEntity {
				t.Errorf("HTTP %d", status)
			}
		})
	}
	asking.Wait()
	close(stop)
	require.Less(t, most.Load(), uint64(256<<20))
}

func TestLongValuesAndManySelectors(t *testing.T) {
	handler := testHooks(t)
	status, found := serve(t, handler, get(instant, "query", `foresight_anomaly_score{series="`+strings.Repeat("x", 900<<10)+`"}`))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Less(t, len(found.Error), 1000)
	status, found = serve(t, handler, get(instant, "query", `foresight_anomaly_score{series="`+strings.Repeat("x", 8<<10)+`"}`))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, found.Error, "8192 bytes")
	require.Less(t, len(found.Error), 1000)

	status, _ = serve(t, handler, get("/keda/"+strings.Repeat("x", 8<<10)))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _ = serve(t, handler, get("/keda/foresight_forecast", "series", strings.Repeat("x", 8<<10)))
	require.Equal(t, http.StatusUnprocessableEntity, status)

	var selectors []string
	for i := range 9000 {
		selectors = append(selectors, "match[]", fmt.Sprintf(`foresight_up{a=~"x%d.*y"}`, i))
	}
	begun := time.Now()
	status, found = serve(t, handler, get("/prom/api/v1/series", selectors...))
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, found.Error, "match[]")
	require.Less(t, time.Since(begun), time.Second)
}

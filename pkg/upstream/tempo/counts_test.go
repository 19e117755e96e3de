package tempo

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// counting answers TraceQL metrics about spans at these instants, as Tempo
// does: up to 2.8 by the beginnings of the steps, from 2.9 on by their ends.
func counting(t *testing.T, old bool, spans []time.Time) *fake {
	f := &fake{}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		require.Equal(t, "/api/metrics/query_range", r.URL.Path)
		duration, err := time.ParseDuration(query.Get("step"))
		require.NoError(t, err)
		start, end, step := number(query, "start"), number(query, "end"), int(duration/time.Second)
		if end-start > 3*3600 {
			http.Error(w, "metrics query time range exceeds the maximum allowed duration of 3h0m0s", http.StatusBadRequest)
			return true
		}
		require.LessOrEqual(t, (end-start)/step, 10_000)
		type sample struct {
			TimestampMs string  `json:"timestampMs"`
			Value       float64 `json:"value,omitempty"`
		}
		var samples []sample
		first, last := start-start%step, end+(step-end%step)%step
		for at := first; at <= last; at += step {
			s := sample{TimestampMs: strconv.Itoa(at * 1000)}
			from := at - step
			if old {
				from = at
			}
			for _, span := range spans {
				offset := span.Sub(time.Unix(int64(from), 0))
				if offset >= 0 && offset < duration {
					s.Value++
				}
			}
			samples = append(samples, s)
		}
		label := func(key, value string) map[string]any {
			return map[string]any{"key": key, "value": map[string]any{"stringValue": value}}
		}
		answer := map[string]any{"labels": []any{label("resource.service.name", "orders"), label("resource.service.version", "v1")}, "samples": samples}
		if old {
			answer["promLabels"] = `{"resource.service.name"="orders"}`
		}
		require.NoError(t, json.NewEncoder(w).Encode(map[string]any{"series": []any{answer}, "metrics": map[string]any{}}))
		return true
	}
	return f
}

func TestSpanCounts(t *testing.T) {
	spans := []time.Time{noon.Add(-24 * time.Hour), noon.Add(-7*time.Hour - time.Second), noon.Add(-91 * time.Second), noon.Add(-70 * time.Second), noon.Add(-time.Second)}
	for _, old := range []bool{true, false} {
		for _, step := range []time.Duration{15 * time.Second, time.Minute, 90 * time.Minute, 24 * time.Hour} {
			t.Run(fmt.Sprint(old, step), func(t *testing.T) {
				window := upstream.Range{Start: noon.Add(-8 * time.Hour).Truncate(step), End: noon.Truncate(step), Step: step}
				set, err := counting(t, old, spans).client(t, transport.Limits{}).SpanCounts(context.Background(), "orders", window)
				require.NoError(t, err)
				require.Empty(t, set.Warnings)
				require.Len(t, set.Series, 1)
				got := set.Series[0]
				require.Equal(t, series.Labels{"service_name": "orders", "service_version": "v1"}, got.Labels)
				require.Equal(t, window.Points(), got.Len())
				for i, value := range got.Values {
					want := 0.0
					for _, span := range spans { // no span lies on the end of a step
						if span.After(got.Time(i).Add(-step)) && !span.After(got.Time(i)) {
							want++
						}
					}
					require.Equal(t, want, value, got.Time(i))
				}
			})
		}
	}
}

func TestSpanCountsWithoutVersionOrOfAnotherType(t *testing.T) {
	f := &fake{intercept: func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"status":"PARTIAL","message":"max series","series":[
			{"labels":[{"key":"resource.service.name","value":{"stringValue":"web"}}],"samples":[{"timestampMs":%[1]d,"value":2},{"timestampMs":"%[1]d","value":"NaN"},{"timestampMs":"17"}]},
			{"labels":[{"key":"resource.service.name","value":{"stringValue":"cart"}},{"key":"resource.service.version","value":{"intValue":"7"}}],"samples":[]}]}`, noon.UnixMilli())
		return true
	}}
	set, err := f.client(t, transport.Limits{}).SpanCounts(context.Background(), "", upstream.Range{Start: noon, End: noon, Step: time.Minute})
	require.NoError(t, err)
	require.Equal(t, []series.Series{
		{Labels: series.Labels{"service_name": "cart", "service_version": "7"}, Start: noon, Step: time.Minute, Values: []float64{0}},
		{Labels: series.Labels{"service_name": "web", "service_version": ""}, Start: noon, Step: time.Minute, Values: []float64{2}},
	}, set.Series)
	require.Equal(t, []string{"Tempo counted only a part of the spans: max series"}, set.Warnings)
}

func TestSpansThatCouldNotBeCountedAreMissing(t *testing.T) {
	f := counting(t, false, []time.Time{noon.Add(-time.Minute)})
	inner := f.intercept
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if number(r.URL.Query(), "start") < int(noon.Add(-6*time.Hour).Unix()) {
			http.Error(w, "gone", http.StatusInternalServerError)
			return true
		}
		return inner(w, r)
	}
	window := upstream.Range{Start: noon.Add(-6 * time.Hour), End: noon, Step: time.Minute}
	set, err := f.client(t, transport.Limits{}).SpanCounts(context.Background(), "orders", window)
	require.NoError(t, err)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "no span counts from 2026-11-20T05:59:00Z")
	values := set.Series[0].Values
	require.True(t, math.IsNaN(values[0]))
	require.Equal(t, 1.0, values[len(values)-2]+values[len(values)-1])
	require.InDelta(t, 181, set.Series[0].Observed(), 3)
}

func TestSpanCountsFail(t *testing.T) {
	f := &fake{intercept: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/search" {
			return false
		}
		http.Error(w, "error querying generators: localblocks processor not found", http.StatusInternalServerError)
		return true
	}}
	client := f.client(t, transport.Limits{Failures: 3})
	window := upstream.Range{Start: noon, End: noon, Step: time.Minute}
	for range 5 {
		_, err := client.SpanCounts(context.Background(), "", window)
		require.Contains(t, []upstream.Category{upstream.Server, upstream.Unavailable}, category(t, err))
		require.ErrorContains(t, err, "localblocks processor not found")
		require.ErrorContains(t, err, "needs local-blocks")
	}
	require.Len(t, f.fetches, 4, "three questions, and the cheap request that decides")
	_, err := client.Search(context.Background(), lastMinutes(1, 1))
	require.NoError(t, err, "the rest of Tempo is asked on")

	for _, window := range []upstream.Range{
		{}, {Start: noon, End: noon, Step: 1500 * time.Millisecond}, {Start: noon, End: noon.Add(-1), Step: time.Minute},
		{Start: noon.Add(-90 * 24 * time.Hour), End: noon, Step: time.Minute}, {Start: time.Unix(0, 0), End: noon, Step: time.Second},
	} {
		_, err := client.SpanCounts(context.Background(), "", window)
		require.Equal(t, upstream.Rejected, category(t, err))
	}
}

func FuzzSpanCounts(f *testing.F) {
	f.Add([]byte(`{"series":[{"labels":[{"key":"resource.service.name","value":{"stringValue":"a"}}],"samples":[{"timestampMs":"1795176000000","value":3}],"promLabels":"{}"}]}`))
	f.Add([]byte(`{"series":[{"samples":[{"timestampMs":"-9223372036854775808","value":1e308},{"timestampMs":"18446744073709551615"}]},{}]}`))
	window := upstream.Range{Start: noon.Add(-time.Hour), End: noon, Step: time.Minute}
	f.Fuzz(func(t *testing.T, body []byte) {
		var answer countsJSON
		if json.Unmarshal(body, &answer) != nil {
			return
		}
		counts, err := newCounts(window)
		require.NoError(t, err)
		for _, part := range counts.parts() {
			counts.add(answer, part)
		}
		for _, s := range counts.series() {
			require.Equal(t, window.Points(), s.Len())
		}
	})
}

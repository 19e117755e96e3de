package prometheus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/prometheus"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

var (
	midnight = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	hour     = upstream.Range{Start: midnight, End: midnight.Add(time.Hour), Step: 15 * time.Minute}
)

// serve is a client of a server whose range queries have this answer.
func serve(t testing.TB, handler http.HandlerFunc) *prometheus.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := prometheus.New(transport.Config{Mode: transport.Direct, URL: server.URL}, transport.Limits{Failures: math.MaxInt32}, func() time.Time { return midnight })
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
}

func matrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

func category(t *testing.T, err error) upstream.Category {
	t.Helper()
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	return known.Category
}

func TestQueryRangeFillsTheGrid(t *testing.T) {
	at := midnight.Unix()
	body := `{"status":"success","warnings":["w"],"infos":["i"],"data":{"resultType":"matrix","result":[` + strings.Join([]string{
		fmt.Sprintf(`{"metric":{"job":"b"},"values":[[%d,"1"],[%d,"2"]]}`, at, at+3600),
		fmt.Sprintf(`{"metric":{"job":"a"},"values":[[%d,"NaN"],[%d,"+Inf"],[%d,"3"],[%d,"4"]]}`, at, at+900, at+1800, at+1800),
		fmt.Sprintf(`{"metric":{"job":"c"},"values":[[%d,"5"],[%d,"6"],[%d,"7"],[-9223372036854775,"8"],[9223372036854775,"9"]]}`, at+910, at-900, at+4500),
		fmt.Sprintf(`{"metric":{"job":"h"},"histograms":[[%d,{"count":"1","sum":"2","buckets":[]}]]}`, at),
	}, ",") + `]}}`
	got, err := serve(t, answer(body)).QueryRange(context.Background(), "up", hour)
	require.NoError(t, err)

	nan := math.NaN()
	want := []series.Series{
		{Labels: series.Labels{"job": "a"}, Values: []float64{nan, nan, 4, nan, nan}},
		{Labels: series.Labels{"job": "b"}, Values: []float64{1, nan, nan, nan, 2}},
		{Labels: series.Labels{"job": "c"}, Values: []float64{nan, 5, nan, nan, nan}},
	}
	require.Len(t, got.Series, len(want))
	for i := range want {
		require.Equal(t, want[i].Labels, got.Series[i].Labels)
		require.Equal(t, fmt.Sprint(want[i].Values), fmt.Sprint(got.Series[i].Values))
		require.Equal(t, hour.Start, got.Series[i].Start)
		require.Equal(t, hour.Step, got.Series[i].Step)
	}
	require.Equal(t, []string{
		"Prometheus: i", "Prometheus: w",
		"series of native histograms are left out, as they are not numbers (use histogram_quantile, histogram_avg or histogram_count): 1",
		"infinite samples (a division by zero?) count as missing: 1",
		"samples between the points of the time range were moved to the nearest one: 1",
		"samples outside the time range were left out: 4",
	}, got.Warnings)
}

// evaluate answers range queries as Prometheus does, with the instant in
// seconds as value, and refuses more than 11,000 points.
func evaluate(t testing.TB, queries *[]url.Values) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		mu.Lock()
		*queries = append(*queries, r.Form)
		mu.Unlock()
		number := func(name string) float64 {
			value, err := strconv.ParseFloat(r.Form.Get(name), 64)
			require.NoError(t, err)
			return value
		}
		start, end, step := number("start"), number("end"), number("step")
		if (end-start)/step > 11000 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries"}`))
			return
		}
		var values [][2]any
		for at := start; at <= end; at += step {
			values = append(values, [2]any{at, strconv.FormatFloat(at, 'f', -1, 64)})
		}
		samples, err := json.Marshal(values)
		require.NoError(t, err)
		_, _ = w.Write([]byte(matrix(`{"metric":{"job":"a"},"values":` + string(samples) + `}`)))
	}
}

func TestLongWindowsAreAskedInParts(t *testing.T) {
	var queries []url.Values
	window := upstream.Range{Start: midnight.Add(-14 * 24 * time.Hour), End: midnight, Step: time.Minute}
	got, err := serve(t, evaluate(t, &queries)).QueryRange(context.Background(), "up", window)
	require.NoError(t, err)
	require.Len(t, queries, 2)
	require.Empty(t, got.Warnings)
	require.Len(t, got.Series, 1)
	require.Equal(t, 20161, got.Series[0].Len())
	for i, value := range got.Series[0].Values {
		require.InDelta(t, float64(got.Series[0].Time(i).Unix()), value, 0)
	}
}

func TestQueryRangeRefuses(t *testing.T) {
	client := serve(t, answer(matrix()))
	ask := func(promQL string, window upstream.Range) error {
		_, err := client.QueryRange(context.Background(), promQL, window)
		return err
	}
	require.NoError(t, ask("up", hour))
	require.Equal(t, upstream.Rejected, category(t, ask("", hour)))
	require.Equal(t, upstream.Rejected, category(t, ask("up", upstream.Range{})))
	require.Equal(t, upstream.Rejected, category(t, ask("up", upstream.Range{Start: midnight, End: midnight, Step: time.Nanosecond})))
	require.Equal(t, upstream.Rejected, category(t, ask("up", upstream.Range{Start: midnight.Add(-365 * 24 * time.Hour), End: midnight, Step: time.Second})))
}

func TestUnusableAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		body     string
		category upstream.Category
	}{
		"empty":       {``, upstream.Malformed},
		"no JSON":     {`not JSON`, upstream.Malformed},
		"other JSON":  {`{"hello":"world"}`, upstream.Malformed},
		"truncated":   {matrix(`{"metric":{}`)[:40], upstream.Malformed},
		"vector":      {`{"status":"success","data":{"resultType":"vector","result":[]}}`, upstream.Malformed},
		"no result":   {`{"status":"success","data":null}`, upstream.Malformed},
		"no number":   {matrix(`{"metric":{},"values":[[1,"one"]]}`), upstream.Malformed},
		"late error":  {`{"status":"error","errorType":"bad_data","error":"bad"}`, upstream.Rejected},
		"late limit":  {`{"status":"error","errorType":"timeout","error":"slow"}`, upstream.Overload},
		"many series": {manySeries(2000), upstream.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			window := hour
			if name == "many series" { // each with a single sample
				window = upstream.Range{Start: midnight, End: midnight.Add(10_000 * time.Second), Step: time.Second}
			}
			_, err := serve(t, answer(test.body)).QueryRange(context.Background(), "up", window)
			require.Equal(t, test.category, category(t, err), err)
		})
	}
}

func manySeries(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"metric":{"i":"%d"},"values":[[%d,"1"]]}`, i, midnight.Unix())
	}
	return matrix(all...)
}

func TestQuotesInLabelsKeepSeriesApart(t *testing.T) {
	at := midnight.Unix()
	got, err := serve(t, answer(matrix(
		fmt.Sprintf(`{"metric":{"a":"x\", b=\"y"},"values":[[%d,"1"]]}`, at),
		fmt.Sprintf(`{"metric":{"a":"x","b":"y"},"values":[[%d,"2"]]}`, at),
	))).QueryRange(context.Background(), "up", hour)
	require.NoError(t, err)
	require.Len(t, got.Series, 2)
}

func FuzzMatrix(f *testing.F) {
	f.Add([]byte(matrix(fmt.Sprintf(`{"metric":{"job":"a"},"values":[[%d,"1"],[%d.5,"NaN"],[1e18,"-Inf"]]}`, midnight.Unix(), midnight.Unix()))))
	f.Add([]byte(matrix(`{"metric":{},"histograms":[[1,{"count":"1","sum":"2","buckets":[[0,"1","2","3"]]}]]}`)))
	f.Add([]byte(matrix(`null`, `{"metric":null,"values":[null]}`)))
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`))
	var body []byte
	client := serve(f, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	f.Fuzz(func(t *testing.T, input []byte) {
		body = input
		got, err := client.QueryRange(context.Background(), "up", hour)
		if err != nil {
			_ = category(t, err)
			return
		}
		for _, s := range got.Series {
			require.Equal(t, hour.Points(), s.Len())
			for _, value := range s.Values {
				require.False(t, math.IsInf(value, 0))
			}
		}
	})
}

// TestQueryRangeAsksSmaller: a server that computes so many points at once
// gives the same as one without a limit, and the answer says how it came about.
func TestQueryRangeAsksSmaller(t *testing.T) {
	window := upstream.Range{Start: midnight, End: midnight.Add(99 * time.Minute), Step: time.Minute}
	counting := func(limit int, refusal string) (*prometheus.Client, *int) {
		var mu sync.Mutex
		queried := 0
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			queried++
			mu.Unlock()
			start, _ := strconv.ParseFloat(r.FormValue("start"), 64)
			end, _ := strconv.ParseFloat(r.FormValue("end"), 64)
			w.Header().Set("Content-Type", "application/json")
			if points := int(end-start)/60 + 1; points > limit {
				w.WriteHeader(http.StatusUnprocessableEntity)
				_, _ = fmt.Fprintf(w, `{"status":"error","errorType":"execution","error":%q}`, refusal)
				return
			}
			var values []string
			for at := start; at <= end; at += 60 {
				values = append(values, fmt.Sprintf(`[%f,"%f"]`, at, at))
			}
			_, _ = w.Write([]byte(matrix(`{"metric":{"job":"a"},"values":[` + strings.Join(values, ",") + `]}`)))
		}), &queried
	}
	unlimited, _ := counting(1000, "")
	want, err := unlimited.QueryRange(t.Context(), "up", window)
	require.NoError(t, err)
	for _, refusal := range []string{
		"query processing would load too many samples into memory in query execution",
		"the query time range exceeds the limit (query length: 336h0m0s, limit: 24h0m0s) (err-mimir-max-query-length)",
		"the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)",
		"the query exceeded the aggregated chunks size limit (limit: 5 bytes) (err-mimir-max-chunks-bytes-per-query)",
		"the query exceeded the maximum allowed estimated amount of memory consumed by a single query (err-mimir-max-estimated-memory-consumption-per-query)",
		"exceeded samples limit: limit 10 violated (got 20)",
	} {
		limited, queried := counting(30, refusal)
		got, err := limited.QueryRange(t.Context(), "up", window)
		require.NoError(t, err)
		require.Equal(t, want.Series, got.Series)
		require.Len(t, got.Warnings, 1)
		require.Contains(t, got.Warnings[0], "smaller parts")
		require.Equal(t, 7, *queried, "the whole, two halves, four quarters")
	}
	tiny, queried := counting(2, "too many samples")
	_, err = tiny.QueryRange(t.Context(), "up", window)
	require.ErrorContains(t, err, "too many samples")
	require.Equal(t, 5, *queried, "not for ever")
	narrow, queried := counting(30, "the query exceeded the maximum number of series (limit: 100000 series) (err-mimir-max-series-per-query)")
	_, err = narrow.QueryRange(t.Context(), "up", window)
	require.ErrorContains(t, err, "max-series-per-query")
	require.Equal(t, 1, *queried, "a shorter range has the same series")
}

// FuzzAnswers reads any body as each of the answers beside those of ranges.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"status":"success","data":["a","b"],"warnings":["w"]}`, `{"status":"error","errorType":"bad_data","error":"x"}`, `{"data":{"version":"2.9","application":"Mimir"}}`,
		`{"status":"success","data":[{"seriesLabels":{"a":"b"},"exemplars":[{"labels":{"traceID":"0af7651916cd43dd8448eb211c80319c"},"value":"6","timestamp":1600096945.479}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	var body []byte
	client := serve(f, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	f.Fuzz(func(t *testing.T, input []byte) {
		body = input
		ctx, end := context.Background(), midnight.Add(time.Hour)
		values, _, err := client.LabelValues(ctx, "job", nil, midnight, end)
		if err != nil {
			_ = category(t, err)
		} else if !slices.IsSorted(values) {
			t.Fatal(values)
		}
		exemplars, err := client.Exemplars(ctx, "x", midnight, end)
		if err != nil {
			_ = category(t, err)
		}
		for _, one := range exemplars {
			if one.Trace == (trace.TraceID{}) {
				t.Fatal("an exemplar without a trace")
			}
		}
	})
}

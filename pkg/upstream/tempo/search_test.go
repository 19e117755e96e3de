package tempo

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// lastMinutes is a filter for the time before noon.
func lastMinutes(minutes, limit int) upstream.TraceFilter {
	return upstream.TraceFilter{Start: noon.Add(-time.Duration(minutes) * time.Minute), End: noon, Limit: limit}
}

func search(t *testing.T, f *fake, filter upstream.TraceFilter) upstream.TraceSet {
	t.Helper()
	set, err := f.client(t, transport.Limits{}).Search(context.Background(), filter)
	require.NoError(t, err)
	for i := 1; i < len(set.Traces); i++ {
		require.False(t, set.Traces[i].Start().After(set.Traces[i-1].Start()), "newest first")
	}
	return set
}

func category(t *testing.T, err error) upstream.Category {
	t.Helper()
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	return known.Category
}

func TestSearchTakesTheNewest(t *testing.T) {
	for _, protobuf := range []bool{false, true} {
		f := &fake{protobuf: protobuf}
		for i := range 30 {
			f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*time.Minute-time.Second), 2))
		}
		set := search(t, f, lastMinutes(60, 10))
		require.Len(t, set.Traces, 10)
		require.True(t, set.Truncated)
		require.Empty(t, set.Warnings)
		require.Len(t, f.searches, 1)
		require.Equal(t, f.searches[0].Get("q"), padded(set.Queries[0]))
		require.Equal(t, f.traces[0].Spans, set.Traces[0].Spans)

		set = search(t, f, lastMinutes(60, 30))
		require.Len(t, set.Traces, 30)
		require.False(t, set.Truncated)
	}
}

func TestSearchKeepsToTheTimeRange(t *testing.T) {
	f := &fake{traces: []trace.Trace{
		request(1, noon.Add(-10*time.Minute-5*time.Millisecond), 1), // began before, reaches into it
		request(2, noon.Add(-10*time.Minute), 1),
		request(3, noon.Add(-time.Nanosecond), 1),
		request(4, noon, 1),
	}}
	set := search(t, f, lastMinutes(10, 10))
	require.Equal(t, []trace.TraceID{f.traces[2].ID, f.traces[1].ID}, []trace.TraceID{set.Traces[0].ID, set.Traces[1].ID})
	require.Len(t, set.Traces, 2)
}

func TestLargeSamplesAreSpreadOverTime(t *testing.T) {
	f := &fake{}
	for i := range 2000 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*2*time.Second-time.Millisecond), 0))
	}
	set := search(t, f, lastMinutes(64, 400))
	require.True(t, set.Truncated)
	require.Len(t, set.Traces, 400)
	quarters := map[time.Duration]int{}
	seen := map[trace.TraceID]bool{}
	for i := range set.Traces {
		require.False(t, seen[set.Traces[i].ID])
		seen[set.Traces[i].ID] = true
		quarters[noon.Sub(set.Traces[i].Start())/(16*time.Minute)]++
	}
	require.Equal(t, map[time.Duration]int{0: 100, 1: 100, 2: 100, 3: 100}, quarters)
}

func TestQuietTimesLeaveTheirShareToBusyOnes(t *testing.T) {
	f := &fake{}
	for i := range 300 { // all within the last of eight slices
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*time.Second-time.Millisecond), 0))
	}
	set := search(t, f, lastMinutes(64, 400))
	require.Len(t, set.Traces, 300)
	require.False(t, set.Truncated)
	require.Len(t, f.searches, 9, "all fit, so the busy slice may take all")

	f.searches = nil
	for i := range 50 { // and a few before
		f.traces = append(f.traces, request(1000+i, noon.Add(-time.Duration(i+10)*time.Minute), 0))
	}
	set = search(t, f, lastMinutes(64, 320))
	require.InDelta(t, 320, len(set.Traces), 10)
	require.True(t, set.Truncated)
	require.Len(t, f.searches, 8, "a look, six slices, and the busy one again")
}

func TestSlicesCoverTheTimeRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter := upstream.TraceFilter{Limit: rapid.IntRange(1, maxTraces).Draw(t, "limit")}
		filter.Start = noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "start")))
		filter.End = filter.Start.Add(time.Duration(rapid.Int64Range(1, int64(40*24*time.Hour)).Draw(t, "span")))
		all := slicesOf(filter)
		total := 0
		require.Equal(t, filter.Start, all[0].from)
		require.Equal(t, filter.End, all[len(all)-1].to)
		for i, s := range all {
			total += s.quota
			require.True(t, s.from.Before(s.to))
			require.LessOrEqual(t, s.to.Sub(s.from), 168*time.Hour)
			if i > 0 {
				require.Equal(t, all[i-1].to, s.from)
				require.Zero(t, s.from.Nanosecond())
			}
		}
		require.GreaterOrEqual(t, total, filter.Limit)
	})
}

func TestAFailingSliceIsAWarning(t *testing.T) {
	f := &fake{}
	for i := range 400 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*9*time.Second-time.Millisecond), 0))
	}
	last := noon.Add(-8 * time.Minute).Unix()
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		bad := r.URL.Path == "/api/search" && number(r.URL.Query(), "start") == int(last)
		if bad {
			http.Error(w, "a querier is gone", http.StatusInternalServerError)
		}
		return bad
	}
	set := search(t, f, lastMinutes(64, 400))
	require.InDelta(t, 347, len(set.Traces), 2)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "the traces from 2026-11-20T11:52:00Z to 2026-11-20T12:00:00Z are missing")
	require.Contains(t, set.Warnings[0], "a querier is gone")
}

// TestHiddenTimesAreEmpty checks that a Tempo 3 which refuses to look at its
// newest traces is not taken for one that fails.
func TestHiddenTimesAreEmpty(t *testing.T) {
	f := &fake{intercept: func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "query window falls entirely within query_end_cutoff", http.StatusBadRequest)
		return true
	}}
	for _, limit := range []int{10, 400} {
		set := search(t, f, lastMinutes(1, limit))
		require.Empty(t, set.Traces)
		require.Equal(t, []string{hiddenWarning}, set.Warnings)
	}
	counts, err := f.client(t, transport.Limits{}).SpanCounts(context.Background(), "orders", upstream.Range{Start: noon.Add(-time.Minute), End: noon, Step: 5 * time.Second})
	require.NoError(t, err)
	require.Empty(t, counts.Series)
	require.Equal(t, []string{hiddenWarning}, counts.Warnings)
}

func TestSearchFails(t *testing.T) {
	f := &fake{intercept: func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "invalid TraceQL query: parse error at line 1, col 3", http.StatusBadRequest)
		return true
	}}
	client := f.client(t, transport.Limits{})
	_, err := client.Search(context.Background(), lastMinutes(60, 400))
	require.Equal(t, upstream.Rejected, category(t, err))
	require.ErrorContains(t, err, "col 3")
	for _, filter := range []upstream.TraceFilter{{}, {Limit: 1}, {Start: noon, End: noon, Limit: 1}, {Start: noon, End: noon.Add(1)}} {
		_, err := client.Search(context.Background(), filter)
		require.Equal(t, upstream.Rejected, category(t, err))
	}
	for name, body := range map[string]string{"page": "<html>", "text": "hello", "json": `{"traces":[`} {
		f.intercept = func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte(body)); return true }
		_, err := client.Search(context.Background(), lastMinutes(60, 400))
		require.Equal(t, upstream.Malformed, category(t, err), name)
	}
}

func TestTooLargeAnswersAreAskedInHalves(t *testing.T) {
	f := &fake{}
	for i := range 40 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*time.Minute-time.Millisecond), 50))
	}
	set, err := f.client(t, transport.Limits{ResponseBytes: 256 << 10}).Search(context.Background(), lastMinutes(40, 40))
	require.NoError(t, err)
	require.Len(t, set.Traces, 40)
	require.Greater(t, len(f.searches), 1)
	require.Empty(t, set.Warnings)
}

func TestLongTracesAreFetchedByID(t *testing.T) {
	f := &fake{}
	for i := range 20 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i+1)*time.Second), 10+300*(i%2)))
	}
	set := search(t, f, lastMinutes(10, 20))
	require.Len(t, set.Traces, 20)
	require.Empty(t, set.Warnings)
	for _, one := range set.Traces {
		require.False(t, one.Partial)
		require.Contains(t, []int{13, 313}, len(one.Spans))
	}
	require.Len(t, f.fetches, 12, "ten long ones, and the short ones among the newest four")
}

func TestTracesInPartsAreFetchedByID(t *testing.T) {
	for name, shown := range map[string]func(trace.Trace) []trace.Span{
		"without the root":     func(one trace.Trace) []trace.Span { return one.Spans[2:] },
		"without what's below": func(one trace.Trace) []trace.Span { return one.Spans[:2] },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{shown: shown}
			for i := range 20 {
				f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i+1)*time.Second), 3))
			}
			set := search(t, f, lastMinutes(10, 20))
			for _, one := range set.Traces {
				require.False(t, one.Partial)
				require.Len(t, one.Spans, 6)
			}
			require.Empty(t, set.Warnings)
		})
	}
}

func TestWhatCannotBeCompletedIsPartial(t *testing.T) {
	f := &fake{}
	for i := range 10 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i+1)*time.Second), 300*(i%2)))
	}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v2/traces/") {
			http.NotFound(w, r)
			return true
		}
		return false
	}
	set := search(t, f, lastMinutes(10, 10))
	require.Len(t, set.Traces, 10)
	for i, one := range set.Traces {
		require.Equal(t, i%2 == 1, one.Partial)
	}
	require.Equal(t, "5 of 10 traces lack spans", set.Warnings[0])
	require.Contains(t, set.Warnings[1], "not all traces could be completed")
}

func TestALeavingAskerGetsNoPartialAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := &fake{traces: []trace.Trace{request(1, noon.Add(-time.Second), 3)}}
	f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v2/traces/") {
			cancel()
			<-r.Context().Done()
			return true
		}
		return false
	}
	_, err := f.client(t, transport.Limits{}).Search(ctx, lastMinutes(10, 10))
	require.Equal(t, upstream.Cancelled, category(t, err))
}

func TestAHangingFetchLeavesTheRest(t *testing.T) {
	f := &fake{traces: []trace.Trace{request(1, noon.Add(-time.Second), 300)}}
	f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v2/traces/") {
			<-r.Context().Done()
			return true
		}
		return false
	}
	set, err := f.client(t, transport.Limits{Timeout: time.Second}).Search(context.Background(), lastMinutes(10, 10))
	require.NoError(t, err)
	require.Len(t, set.Traces, 1)
	require.True(t, set.Traces[0].Partial)
	require.Len(t, set.Traces[0].Spans, 100)
	require.Len(t, set.Warnings, 2)
}

// TestHostileSearches checks what comes of a Tempo that keeps no promise: it
// gives more than the limit, traces twice, of other times, without spans, with
// ids that are none, and is at its limit for one of the slices.
func TestHostileSearches(t *testing.T) {
	f := &fake{}
	for i := range 1000 {
		f.traces = append(f.traces, request(i, noon.Add(-time.Duration(i)*3*time.Second-time.Millisecond), 0))
	}
	for name, c := range map[string]struct {
		answer  string
		status  int
		warning string
	}{
		"other times":   {`{"traces":[{"traceID":"0af7651916cd43dd8448eb211c80319c","startTimeUnixNano":"1","spanSets":[{"matched":1,"spans":[{"spanID":"1","startTimeUnixNano":"1","durationNanos":"5"}]}]}]}`, 200, ""},
		"no spans":      {`{"traces":[{"traceID":"0af7651916cd43dd8448eb211c80319c","startTimeUnixNano":"` + nanos(noon.Add(-time.Minute)) + `"}]}`, 200, "traces lack spans"},
		"no ids":        {`{"traces":[{"traceID":"zz","startTimeUnixNano":"` + nanos(noon.Add(-time.Minute)) + `"},{}]}`, 200, ""},
		"the same":      {`{"traces":[` + strings.TrimSuffix(strings.Repeat(`{"traceID":"0af7651916cd43dd8448eb211c80319c","startTimeUnixNano":"`+nanos(noon.Add(-time.Minute))+`","spanSets":[{"matched":1,"spans":[{"spanID":"1","startTimeUnixNano":"`+nanos(noon.Add(-time.Minute))+`","durationNanos":"5"}]}]},`, 500), ",") + `]}`, 200, ""},
		"at its limit":  {`too many requests`, http.StatusTooManyRequests, "at its limit"},
		"half a page":   {`{"traces":[{"traceID":"0af7`, 200, "invalid answer"},
		"another thing": {`{"batches":[]}`, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			hostile := &fake{traces: f.traces}
			hostile.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				query := r.URL.Query()
				if r.URL.Path != "/api/search" || query.Get("spss") == "1" || number(query, "end") < int(noon.Unix()) {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
				return true
			}
			set := search(t, hostile, lastMinutes(50, 400))
			require.Greater(t, len(set.Traces), 300, "the other slices are the answer")
			require.LessOrEqual(t, len(set.Traces), 400)
			seen := map[trace.TraceID]bool{}
			for i := range set.Traces {
				require.False(t, seen[set.Traces[i].ID])
				seen[set.Traces[i].ID] = true
			}
			require.Contains(t, strings.Join(set.Warnings, "\n"), c.warning)
		})
	}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

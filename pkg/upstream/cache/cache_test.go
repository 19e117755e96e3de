package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// server is a metrics server and a trace store that counts questions.
type server struct {
	upstream.Traces
	queried atomic.Int32
	answer  func(ctx context.Context) (upstream.SeriesSet, error)
	traces  upstream.TraceSet
}

func (s *server) QueryRange(ctx context.Context, _ string, _ upstream.Range) (upstream.SeriesSet, error) {
	s.queried.Add(1)
	return s.answer(ctx)
}

func (s *server) Search(context.Context, upstream.TraceFilter) (upstream.TraceSet, error) {
	s.queried.Add(1)
	return s.traces, nil
}

func (s *server) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	s.queried.Add(1)
	return []string{"a"}, []string{"w"}, nil
}

func (s *server) LabelNames(context.Context, []string, time.Time, time.Time) ([]string, error) {
	s.queried.Add(1)
	return []string{"a"}, nil
}

func (s *server) Versions(context.Context, string, time.Time, time.Time) ([]string, error) {
	s.queried.Add(1)
	return []string{"v1"}, nil
}

// metricsOf is its half that serves metrics.
type metricsOf struct{ *server }

func (m metricsOf) Exemplars(context.Context, string, time.Time, time.Time) ([]upstream.Exemplar, error) {
	m.queried.Add(1)
	return []upstream.Exemplar{{At: now}}, nil
}

func (s *server) Fetch(_ context.Context, ids []trace.TraceID, _ time.Time) (upstream.TraceSet, error) {
	s.queried.Add(1)
	return upstream.TraceSet{Traces: make([]trace.Trace, len(ids))}, nil
}

func (s *server) Read(context.Context, time.Time, time.Time) ([]annotation.Annotation, []string, error) {
	s.queried.Add(1)
	return []annotation.Annotation{{Text: "orders"}}, nil, nil
}

func (m metricsOf) Describe(context.Context, string) (upstream.MetricDescription, error) {
	m.queried.Add(1)
	return upstream.MetricDescription{Type: "gauge"}, nil
}

func (metricsOf) Probe(context.Context) (upstream.MetricsCapabilities, error) {
	return upstream.MetricsCapabilities{}, nil
}

func one(context.Context) (upstream.SeriesSet, error) {
	return upstream.SeriesSet{Series: []series.Series{{Values: make([]float64, 100)}}}, nil
}

func newStore(t *testing.T, budget int64) *Store {
	store := NewStore(budget, clock)
	t.Cleanup(store.Close)
	return store
}

func window(end time.Time) upstream.Range {
	return upstream.Range{Start: end.Add(-time.Hour), End: end, Step: time.Minute}
}

func TestAnswersAreRemembered(t *testing.T) {
	inner := &server{answer: one}
	metrics := Metrics(metricsOf{inner}, newStore(t, 1<<20))
	ask := func(promQL string, w upstream.Range) {
		set, err := metrics.QueryRange(context.Background(), promQL, w)
		require.NoError(t, err)
		require.Len(t, set.Series, 1)
	}
	for range 3 {
		ask("up", window(now))
	}
	require.EqualValues(t, 1, inner.queried.Load())
	other := window(now)
	other.Step = time.Second
	ask("up", other)
	ask("up", window(now.Add(time.Minute)))
	ask("down", window(now))
	require.EqualValues(t, 4, inner.queried.Load())
}

func TestEveryMethodIsRemembered(t *testing.T) {
	inner := &server{answer: one, traces: upstream.TraceSet{Traces: []trace.Trace{{Spans: make([]trace.Span, 3)}}}}
	store := newStore(t, 1<<20)
	metrics, traces := Metrics(metricsOf{inner}, store), Traces(inner, store)
	for range 2 {
		values, warnings, err := metrics.LabelValues(context.Background(), "job", []string{"up"}, now, now)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "w"}, append(values, warnings...))
		versions, err := traces.Versions(context.Background(), "orders", now, now)
		require.NoError(t, err)
		require.Equal(t, []string{"v1"}, versions)
		set, err := traces.Search(context.Background(), upstream.TraceFilter{Service: "orders", Limit: 3})
		require.NoError(t, err)
		require.Len(t, set.Traces, 1)
	}
	for range 2 {
		exemplars, err := metrics.Exemplars(context.Background(), "up", now, now)
		require.NoError(t, err)
		require.Len(t, exemplars, 1)
		set, err := traces.Fetch(context.Background(), []trace.TraceID{{1}, {2}}, now)
		require.NoError(t, err)
		require.Len(t, set.Traces, 2)
		all, _, err := Annotations("deploys", inner, store).Read(context.Background(), now, now)
		require.NoError(t, err)
		require.Len(t, all, 1)
	}
	require.EqualValues(t, 6, inner.queried.Load())
	inner.queried.Store(3)
	_, err := traces.Search(context.Background(), upstream.TraceFilter{Service: "orders", Limit: 4})
	require.NoError(t, err)
	require.EqualValues(t, 4, inner.queried.Load())
}

func TestKeysDoNotCollide(t *testing.T) {
	seen := map[string]bool{}
	for _, one := range []string{
		key("Search", "a", "b"), key("Search", "a\",\"b", ""), key("Search", "", "a", "b"), key("Versions", "a", "b"),
		key("Search", []string{"a", "b"}), key("Search", []string{`a" "b`}), key("Search", 200), key("Search", 0x110000), key("Search", 0x110001),
		key("Search", now), key("Search", now.Add(1)), key("Search", window(now)), key("Search", window(now.Add(1))),
		key("Search", upstream.Range{Start: now.Add(-time.Minute), End: now, Step: time.Minute}), key("Search", upstream.Range{Start: now.Add(-time.Hour), End: now, Step: time.Second}),
	} {
		require.False(t, seen[one], one)
		seen[one] = true
	}
}

func TestFailuresAndLargeAnswersAreNotRemembered(t *testing.T) {
	failed := errors.New("failed")
	inner := &server{answer: func(context.Context) (upstream.SeriesSet, error) { return upstream.SeriesSet{}, failed }}
	metrics := Metrics(metricsOf{inner}, newStore(t, 1<<20))
	for range 2 {
		_, err := metrics.QueryRange(context.Background(), "up", window(now))
		require.ErrorIs(t, err, failed)
	}
	require.EqualValues(t, 2, inner.queried.Load())

	for _, budget := range []int64{0, 1000} {
		inner := &server{answer: one}
		metrics := Metrics(metricsOf{inner}, newStore(t, budget))
		for range 2 {
			_, err := metrics.QueryRange(context.Background(), "up", window(now))
			require.NoError(t, err)
		}
		require.EqualValues(t, 2, inner.queried.Load(), budget)
	}
}

func TestBudgetIsKept(t *testing.T) {
	store := newStore(t, 64<<10)
	metrics := Metrics(metricsOf{&server{answer: one}}, store)
	for i := range 1000 {
		_, err := metrics.QueryRange(context.Background(), strconv.Itoa(i), window(now))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		store.answers.CleanUp()
		return store.answers.WeightedSize() <= 64<<10
	}, 5*time.Second, time.Millisecond)
	require.Positive(t, store.answers.EstimatedSize())
	require.Less(t, store.answers.EstimatedSize(), 100)
}

func TestSettledAnswersAreKeptLonger(t *testing.T) {
	store := newStore(t, 1<<20)
	require.Equal(t, long, store.keep(now.Add(-time.Hour), time.Minute, true))
	require.Equal(t, short, store.keep(now.Add(-time.Hour), time.Minute, false), "an incomplete answer may be completed")
	require.Equal(t, short, store.keep(now, time.Minute, true))
	require.Equal(t, 5*time.Second, store.keep(now, 5*time.Second, true))
	require.Equal(t, time.Second, store.keep(now, time.Millisecond, true))
	require.Equal(t, short, store.keep(now.Add(time.Hour), 0, true))

	for _, keep := range []time.Duration{time.Millisecond, time.Hour} {
		queried := 0
		get := func() {
			_, err := ask(context.Background(), store, "Prometheus", "key"+keep.String(), func(context.Context) (int, error) { queried++; return 1, nil },
				func(int) (int64, time.Duration) { return 8, keep })
			require.NoError(t, err)
		}
		get()
		time.Sleep(5 * time.Millisecond)
		get()
		require.Equal(t, map[time.Duration]int{time.Millisecond: 2, time.Hour: 1}[keep], queried)
	}
}

func TestEqualQuestionsAreAskedOnce(t *testing.T) {
	release := make(chan struct{})
	inner := &server{answer: func(ctx context.Context) (upstream.SeriesSet, error) {
		select {
		case <-release:
			return one(ctx)
		case <-ctx.Done():
			return upstream.SeriesSet{}, ctx.Err()
		}
	}}
	store := newStore(t, 1<<20)
	metrics := Metrics(metricsOf{inner}, store)
	first, leave := context.WithCancel(context.Background())
	defer leave()
	var group sync.WaitGroup
	var served, left atomic.Int32
	for i := range 10 {
		ctx := context.Background()
		if i == 0 {
			ctx = first
		}
		group.Go(func() {
			_, err := metrics.QueryRange(ctx, "up", window(now))
			var known *upstream.Error
			switch {
			case err == nil:
				served.Add(1)
			case errors.As(err, &known) && known.Category == upstream.Cancelled:
				left.Add(1)
			default:
				assert.NoError(t, err)
			}
		})
		// The first to ask is the one who leaves.
		require.Eventually(t, func() bool { return waitersOf(store) == i+1 }, 5*time.Second, time.Millisecond)
	}
	leave()
	require.Eventually(t, func() bool { return waitersOf(store) == 9 }, 5*time.Second, time.Millisecond)
	close(release)
	group.Wait()
	require.EqualValues(t, 9, served.Load())
	require.EqualValues(t, 1, left.Load())
	require.EqualValues(t, 1, inner.queried.Load())
}

func waitersOf(store *Store) int {
	return store.loads.Waiting(fmt.Sprint(budget.Interactive, " ", key("QueryRange", "up", window(now))))
}

func TestTheQuestionIsGivenUpWithTheLastAsker(t *testing.T) {
	given := make(chan error, 1)
	inner := &server{answer: func(ctx context.Context) (upstream.SeriesSet, error) {
		<-ctx.Done()
		given <- ctx.Err()
		return upstream.SeriesSet{}, ctx.Err()
	}}
	store := newStore(t, 1<<20)
	metrics := Metrics(metricsOf{inner}, store)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	_, err := metrics.QueryRange(ctx, "up", window(now))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, <-given, context.Canceled)

	// Who asks next does not inherit the end of the others.
	inner.answer = one
	_, err = metrics.QueryRange(context.Background(), "up", window(now))
	require.NoError(t, err)
	require.Zero(t, waitersOf(store))
}

func TestPanicIsAnError(t *testing.T) {
	inner := &server{answer: func(context.Context) (upstream.SeriesSet, error) { panic("boom") }}
	_, err := Metrics(metricsOf{inner}, newStore(t, 1<<20)).QueryRange(context.Background(), "up", window(now))
	require.ErrorContains(t, err, "boom")
}

func TestCloseEndsAllWork(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	store := NewStore(1<<20, clock)
	_, err := Metrics(metricsOf{&server{answer: one}}, store).QueryRange(context.Background(), "up", window(now))
	require.NoError(t, err)
	store.Close()
}

// hanging never answers.
type hanging struct{ upstream.Metrics }

func (hanging) Name() string { return "Prometheus" }

func (hanging) QueryRange(ctx context.Context, _ string, _ upstream.Range) (upstream.SeriesSet, error) {
	<-ctx.Done()
	return upstream.SeriesSet{}, ctx.Err()
}

// TestWhoDidNotAnswerIsNamed: where the asker's own time is up, the error says
// whom it waited for.
func TestWhoDidNotAnswerIsNamed(t *testing.T) {
	store := NewStore(1<<20, time.Now)
	t.Cleanup(store.Close)
	metrics := Metrics(hanging{}, store)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := metrics.QueryRange(ctx, "up", upstream.Range{})
	var known *upstream.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, "Prometheus", known.Upstream)
	require.Equal(t, upstream.Timeout, known.Category)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestRulesDoNotWaitForPanels has a panel's question wait for its share: a rule
// that asks the same is answered at once, and the same user's other panels wait
// for one answer together.
func TestRulesDoNotWaitForPanels(t *testing.T) {
	store := NewStore(0, time.Now)
	defer store.Close()
	release := make(chan struct{})
	var loads atomic.Int32
	metrics := Metrics(rangeFunc(func(ctx context.Context) (upstream.SeriesSet, error) {
		loads.Add(1)
		if budget.CallerOf(ctx).Class == budget.Interactive {
			<-release
		}
		return upstream.SeriesSet{}, nil
	}), store)
	ask := func(class budget.Class) error {
		_, err := metrics.QueryRange(budget.WithCaller(t.Context(), budget.Caller{Class: class}), "up", upstream.Range{})
		return err
	}
	var panels sync.WaitGroup
	for range 3 {
		panels.Go(func() { assert.NoError(t, ask(budget.Interactive)) })
	}
	require.Eventually(t, func() bool { return loads.Load() == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, ask(budget.Rule))
	close(release)
	panels.Wait()
	require.EqualValues(t, 2, loads.Load())
}

// TestAnotherUsersShare joins a load that the first user's share has no room
// for: the second user's own is tried.
func TestAnotherUsersShare(t *testing.T) {
	store := NewStore(0, time.Now)
	defer store.Close()
	begun, release := make(chan struct{}), make(chan struct{})
	metrics := Metrics(rangeFunc(func(ctx context.Context) (upstream.SeriesSet, error) {
		if budget.CallerOf(ctx).User == "greedy" {
			close(begun)
			<-release
			return upstream.SeriesSet{}, upstream.Refusal("Prometheus", &budget.Refused{Scope: budget.OfUser, Reason: "too much"})
		}
		return upstream.SeriesSet{Warnings: []string{"fine"}}, nil
	}), store)
	ask := func(user string) (upstream.SeriesSet, error) {
		return metrics.QueryRange(budget.WithCaller(t.Context(), budget.Caller{User: user}), "up", upstream.Range{})
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		_, err := ask("greedy")
		assert.ErrorContains(t, err, "too much")
	})
	<-begun
	asking.Go(func() {
		found, err := ask("other")
		if assert.NoError(t, err) {
			assert.Equal(t, []string{"fine"}, found.Warnings)
		}
	})
	time.Sleep(20 * time.Millisecond)
	close(release)
	asking.Wait()
}

// rangeFunc is a metrics server that answers ranges by itself.
type rangeServer struct {
	upstream.Metrics
	answer func(context.Context) (upstream.SeriesSet, error)
}

func rangeFunc(answer func(context.Context) (upstream.SeriesSet, error)) upstream.Metrics {
	return rangeServer{answer: answer}
}

func (r rangeServer) QueryRange(ctx context.Context, _ string, _ upstream.Range) (upstream.SeriesSet, error) {
	return r.answer(ctx)
}

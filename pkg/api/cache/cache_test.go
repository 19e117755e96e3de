package cache

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func size(values []float64) int64 { return int64(8 * len(values)) }

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestAClientThatLeavesDoesNotEndTheLoadOfOthers(t *testing.T) {
	c := New(time.Now, size)
	defer c.Close()
	release := make(chan struct{})
	begun := make(chan struct{})
	work := func(ctx context.Context) ([]float64, error) {
		close(begun)
		select {
		case <-release:
			return []float64{1}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	leaving, leave := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() { _, err := c.Get(leaving, "k", time.Minute, work); left <- err }()
	<-begun
	stays := make(chan []float64, 1)
	go func() {
		values, _ := c.Get(context.Background(), "k", time.Minute, func(context.Context) ([]float64, error) {
			return nil, errors.New("asked twice")
		})
		stays <- values
	}()
	leave()
	require.ErrorIs(t, <-left, context.Canceled)
	close(release)
	require.Len(t, <-stays, 1)
}

func TestAnEntryInUseIsRefreshed(t *testing.T) {
	var clock atomic.Int64
	c := New(func() time.Time { return noon.Add(time.Duration(clock.Load())) }, size)
	defer c.Close()
	var works atomic.Int64
	ask := func() float64 {
		values, err := c.Get(context.Background(), "k", time.Minute, func(context.Context) ([]float64, error) {
			n := works.Add(1)
			if n == 3 {
				return nil, errors.New("the server is gone")
			}
			return []float64{float64(n)}, nil
		})
		require.NoError(t, err)
		return values[0]
	}
	require.Equal(t, 1.0, ask())
	require.Equal(t, 1.0, ask())
	require.EqualValues(t, 1, works.Load())
	clock.Store(int64(RefreshAfter))
	require.Equal(t, 1.0, ask(), "nobody waits for the renewal")
	require.Eventually(t, func() bool { return ask() == 2 }, 10*time.Second, time.Millisecond)
	clock.Store(int64(2 * RefreshAfter))
	require.Equal(t, 2.0, ask())
	require.Eventually(t, func() bool { return ask() == 4 }, 10*time.Second, time.Millisecond, "an answer that cannot be renewed is forgotten")
}

// TestLargeAnswersTakeTheRoomOfMany fills the cache with answers of a megabyte.
func TestLargeAnswersTakeTheRoomOfMany(t *testing.T) {
	c := New(time.Now, size)
	defer c.Close()
	for i := range 50 {
		_, err := c.Get(t.Context(), strconv.Itoa(i), time.Minute, func(context.Context) ([]float64, error) { return make([]float64, 1<<17), nil })
		require.NoError(t, err)
	}
	c.entries.CleanUp()
	require.LessOrEqual(t, c.entries.WeightedSize(), uint64(maxBytes))
	require.Positive(t, c.entries.EstimatedSize())
}

func TestPanicIsAnError(t *testing.T) {
	c := New(time.Now, size)
	defer c.Close()
	_, err := c.Get(t.Context(), "k", time.Minute, func(context.Context) ([]float64, error) { panic("boom") })
	require.ErrorContains(t, err, "boom")
}

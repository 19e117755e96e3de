package coalesce

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/budget"
)

func TestOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var group Group[int]
		var ran, own atomic.Int32
		for range 10 {
			go func() {
				value, first, err := group.Do(t.Context(), "a", func(context.Context) (int, error) {
					ran.Add(1)
					time.Sleep(time.Second)
					return 7, nil
				})
				if first {
					own.Add(1)
				}
				if err == nil && value == 7 {
					ran.Add(100)
				}
			}()
		}
		time.Sleep(time.Millisecond)
		require.Equal(t, 10, group.Waiting("a"))
		time.Sleep(2 * time.Second)
		require.EqualValues(t, 1001, ran.Load())
		require.EqualValues(t, 1, own.Load())
		require.Empty(t, group.waiting)
	})
}

// TestLeaving has the first caller leave: the work ends with the last one, or not
// at all.
func TestLeaving(t *testing.T) {
	for _, finish := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			group := Group[int]{Finish: finish}
			ended := make(chan error, 1)
			work := func(ctx context.Context) (int, error) {
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute):
				}
				ended <- ctx.Err()
				return 1, ctx.Err()
			}
			for i := range 2 {
				go func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
					defer cancel()
					_, _, _ = group.Do(ctx, "a", work)
				}()
				synctest.Wait()
			}
			begun := time.Now()
			err := <-ended
			if finish {
				require.NoError(t, err)
				require.Equal(t, time.Minute, time.Since(begun))
			} else {
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, 2*time.Second, time.Since(begun))
			}
			synctest.Wait()
			require.Empty(t, group.waiting)
		})
	}
}

func TestPanicIsAnError(t *testing.T) {
	var group Group[int]
	_, own, err := group.Do(t.Context(), "a", func(context.Context) (int, error) { panic("boom") })
	require.True(t, own)
	require.ErrorContains(t, err, "boom")
	value, _, err := group.Do(t.Context(), "a", func(context.Context) (int, error) { return 2, nil })
	require.NoError(t, err)
	require.Equal(t, 2, value)
}

// TestResultIsChargedWhileItIsUsed has two who use a result: it counts until both
// have ended.
func TestResultIsChargedWhileItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.NewGate(budget.Shares{What: "memory", Total: 100})
		var group Group[int]
		var accounts []*budget.Account
		for range 2 {
			ctx, account := budget.Open(t.Context(), memory, 100)
			accounts = append(accounts, account)
			go func() {
				_, _, _ = group.Do(ctx, "a", func(ctx context.Context) (int, error) {
					time.Sleep(time.Second)
					return 1, budget.Charge(ctx, 60)
				})
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		require.EqualValues(t, 60, memory.Used())
		accounts[0].Close()
		require.EqualValues(t, 60, memory.Used())
		accounts[1].Close()
		require.Zero(t, memory.Used())
	})
}

// TestNothingIsLeft lets callers come and go in any order.
func TestNothingIsLeft(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		finish := rapid.Bool().Draw(r, "finish")
		callers := rapid.SliceOfN(rapid.IntRange(0, 2000), 1, 20).Draw(r, "patience in ms")
		synctest.Test(t, func(t *testing.T) {
			group := Group[int]{Finish: finish}
			for i, patience := range callers {
				go func() {
					time.Sleep(time.Duration(i) * 100 * time.Millisecond)
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(patience)*time.Millisecond)
					defer cancel()
					_, _, _ = group.Do(ctx, "a", func(ctx context.Context) (int, error) {
						select {
						case <-ctx.Done():
						case <-time.After(700 * time.Millisecond):
						}
						return 1, ctx.Err()
					})
				}()
			}
			time.Sleep(time.Minute)
			require.Empty(t, group.waiting)
		})
	})
}

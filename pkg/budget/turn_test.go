package budget

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTurn has work that waits for work on the same single processor: it must
// not wait for itself.
func TestTurn(t *testing.T) {
	processors := NewGate(Shares{What: "processors", Total: 1})
	var steps []string
	require.NoError(t, Compute(t.Context(), processors, func(ctx context.Context) error {
		steps = append(steps, "outer")
		require.NoError(t, Compute(ctx, processors, func(context.Context) error {
			steps = append(steps, "nested")
			return nil
		}))
		require.EqualValues(t, 1, processors.Used())
		require.NoError(t, Wait(ctx, func(ctx context.Context) error {
			require.Zero(t, processors.Used())
			return Compute(ctx, processors, func(context.Context) error {
				steps = append(steps, "waited for")
				return nil
			})
		}))
		require.EqualValues(t, 1, processors.Used())
		failure := errors.New("failed")
		require.ErrorIs(t, Wait(ctx, func(context.Context) error { return failure }), failure)
		return nil
	}))
	require.Zero(t, processors.Used())
	require.Equal(t, []string{"outer", "nested", "waited for"}, steps)
}

func TestTurnIsGivenBack(t *testing.T) {
	processors := NewGate(Shares{What: "processors", Total: 1})
	require.Panics(t, func() {
		_ = Compute(t.Context(), processors, func(context.Context) error { panic("bug") })
	})
	require.Zero(t, processors.Used())
	ctx, turn := WithTurn(t.Context(), processors)
	require.NoError(t, turn.Take(ctx))
	require.NoError(t, turn.Take(ctx))
	turn.Give()
	turn.Give()
	require.Zero(t, processors.Used())
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.Error(t, turn.Take(cancelled))
	var none *Turn
	require.NoError(t, none.Take(ctx))
	none.Give()
}

// TestRulesComputeBesidePanels keeps all processors of panels busy: rules get some
// at once, and panels leave one to them from then on.
func TestRulesComputeBesidePanels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		processors := NewGate(processorShares(2))
		compute := func(class Class, user string, stop chan struct{}) {
			go func() {
				_ = Compute(as(t.Context(), class, user, "1"), processors, func(context.Context) error { <-stop; return nil })
			}()
			synctest.Wait()
		}
		time.Sleep(time.Hour) // no rule for long
		first, second, third, rules := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
		compute(Interactive, "a", first)
		compute(Interactive, "b", first)
		compute(Interactive, "c", second)
		compute(Interactive, "d", third)
		require.EqualValues(t, 2, processors.used[Interactive])
		compute(Rule, "", rules)
		compute(Rule, "", rules)
		require.EqualValues(t, 2, processors.used[Rule])
		close(first)
		synctest.Wait()
		require.EqualValues(t, 1, processors.used[Interactive])
		close(rules)
		synctest.Wait()
		require.EqualValues(t, 1, processors.used[Interactive])
		time.Sleep(quiet)
		compute(Interactive, "e", third)
		require.EqualValues(t, 2, processors.used[Interactive])
		close(second)
		close(third)
		synctest.Wait()
		require.Zero(t, processors.Used())
	})
}

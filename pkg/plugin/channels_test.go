package plugin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// computed counts how often a channel's state was computed.
type computed struct{ times atomic.Int32 }

func (c *computed) frame(ctx context.Context) (*data.Frame, error) {
	c.times.Add(1)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return data.NewFrame("anomaly", data.NewField("time", nil, []time.Time{time.Now()})), nil
}

func TestAHundredViewersCostOneComputation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, work := newChannels(), &computed{}
		var viewers errgroup.Group
		for range 100 {
			viewers.Go(func() error {
				state, err := made.state(t.Context(), "a", time.Now, work.frame)
				if err != nil {
					return err
				}
				initial, err := state.initial()
				if err == nil && len(initial.Data()) == 0 {
					return errors.New("a viewer saw nothing")
				}
				return err
			})
		}
		require.NoError(t, viewers.Wait())
		require.EqualValues(t, 1, work.times.Load())

		_, err := made.state(t.Context(), "b", time.Now, work.frame)
		require.NoError(t, err)
		require.EqualValues(t, 2, work.times.Load(), "another channel is another question")

		time.Sleep(fastestTick)
		_, err = made.state(t.Context(), "a", time.Now, work.frame)
		require.NoError(t, err)
		require.EqualValues(t, 3, work.times.Load(), "a tick later the state is another one")
		require.Len(t, made.newest, 1, "what nobody would be given any more is forgotten")
	})
}

func TestAViewerWhoLeavesTakesNothingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, work := newChannels(), &computed{}
		first, leave := context.WithCancel(t.Context())
		var viewers errgroup.Group
		viewers.Go(func() error {
			_, err := made.state(first, "a", time.Now, work.frame)
			if !errors.Is(err, context.Canceled) {
				return fmt.Errorf("who leaves is told so, not %w", err)
			}
			return nil
		})
		synctest.Wait()
		viewers.Go(func() error { _, err := made.state(t.Context(), "a", time.Now, work.frame); return err })
		synctest.Wait()
		leave()
		require.NoError(t, viewers.Wait())
		require.EqualValues(t, 1, work.times.Load())
	})
}

func TestFailuresAreSharedButNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := newChannels()
		queried := 0
		fail := func(context.Context) (*data.Frame, error) {
			if queried++; queried == 2 {
				panic("a bug")
			}
			return nil, errors.New("Prometheus is away")
		}
		_, err := made.state(t.Context(), "a", time.Now, fail)
		require.EqualError(t, err, "Prometheus is away")
		_, err = made.state(t.Context(), "a", time.Now, fail)
		require.ErrorContains(t, err, "a panic: a bug")
		require.Equal(t, 2, queried)
	})
}

func TestChannelsAreLimitedAndTheirStreamsAreNot(t *testing.T) {
	made := newChannels()
	var closings []func()
	for i := range maxStreams {
		for range 3 {
			closing, err := made.open(strconv.Itoa(i), strconv.Itoa(i%8))
			require.NoError(t, err)
			closings = append(closings, closing)
		}
	}
	_, err := made.open("one more", "another")
	require.ErrorContains(t, err, "64 live queries run already")
	for _, closing := range closings {
		closing()
	}
	require.Empty(t, made.runs)
}

// TestOneUserLeavesChannelsToOthers has one user open as many as it gets: the
// next of that user is refused, everybody else's is not, and a channel that runs
// already takes no place.
func TestOneUserLeavesChannelsToOthers(t *testing.T) {
	made := newChannels()
	var closing []func()
	for i := range maxUserStreams {
		leave, err := made.open(strconv.Itoa(i), "greedy")
		require.NoError(t, err)
		closing = append(closing, leave)
	}
	_, err := made.open("one more", "greedy")
	require.ErrorContains(t, err, "for this user")
	again, err := made.open("0", "greedy")
	require.NoError(t, err)
	again()
	_, err = made.open("one more", "other")
	require.NoError(t, err)
	closing[0]()
	_, err = made.open("and another", "greedy")
	require.NoError(t, err)
}

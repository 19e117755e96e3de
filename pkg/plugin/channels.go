package plugin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"golang.org/x/sync/singleflight"

	"github.com/foresight-observability/foresight/pkg/budget"
)

// channels compute each live question once for all who watch it: Grafana runs
// one stream for a channel, but asks for the present state of every viewer who
// comes, and several Grafanas may run a stream each.
type channels struct {
	calls  singleflight.Group
	mutex  sync.Mutex
	newest map[string]*snapshot // by path
	runs   map[string]*run      // by path
}

// run is how often a channel is streamed, and for whom it was begun.
type run struct {
	streams int
	user    string
}

// snapshot is the state of a channel at a time.
type snapshot struct {
	frame *data.Frame
	at    time.Time
	// older is the frame before it, nil for none, and news its first row that is
	// not there: most streams have sent it and nothing since.
	older *data.Frame
	news  func() int
	// initial is the frame as a new viewer gets it.
	initial func() (*backend.InitialData, error)
}

func newChannels() *channels {
	return &channels{newest: map[string]*snapshot{}, runs: map[string]*run{}}
}

// open takes a place for a stream on a channel; of different channels there
// are at most maxStreams, and maxUserStreams for one user, so that nobody shuts
// the others out. Whoever opens closes.
func (c *channels) open(path, user string) (closing func(), err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.runs[path] == nil {
		if own := c.of(user); own >= maxUserStreams {
			return nil, &budget.Refused{Scope: budget.OfUser, Reason: fmt.Sprintf("%d live queries run for this user already, the most that one may have; close some panels", own)}
		}
		if len(c.runs) >= maxStreams {
			return nil, &budget.Refused{Scope: budget.OfProcess, Reason: fmt.Sprintf("%d live queries run already, the most this data source allows; close some panels", len(c.runs))}
		}
		c.runs[path] = &run{user: user}
	}
	c.runs[path].streams++
	return func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if c.runs[path].streams--; c.runs[path].streams == 0 {
			delete(c.runs, path)
		}
	}, nil
}

// of is how many channels were begun for a user.
func (c *channels) of(user string) (count int) {
	for _, one := range c.runs {
		if one.user == user {
			count++
		}
	}
	return count
}

// state is what was computed within the last tick, or is computed now, once
// for all who ask. The work outlives an asker who leaves.
func (c *channels) state(ctx context.Context, path string, now func() time.Time, compute func(context.Context) (*data.Frame, error)) (*snapshot, error) {
	c.mutex.Lock()
	known := c.newest[path]
	c.mutex.Unlock()
	if known != nil && now().Sub(known.at) < fastestTick {
		return known, nil
	}
	result := c.calls.DoChan(path, func() (_ any, err error) {
		// A panic here would end the process, past all who could catch it.
		defer func() {
			if problem := recover(); problem != nil {
				err = fmt.Errorf("computing a live query panicked: %v", problem)
			}
		}()
		begun := now()
		frame, err := compute(context.WithoutCancel(ctx))
		if err != nil {
			return nil, err
		}
		fresh := &snapshot{frame: frame, at: begun, initial: sync.OnceValues(func() (*backend.InitialData, error) {
			return backend.NewInitialFrame(frame, data.IncludeAll)
		})}
		if known != nil {
			older := known.frame
			fresh.older, fresh.news = older, sync.OnceValue(func() int { return firstNews(older, frame) })
		}
		c.remember(path, fresh)
		return fresh, nil
	})
	select {
	case done := <-result:
		if done.Err != nil {
			return nil, done.Err
		}
		return done.Val.(*snapshot), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// remember keeps the newest state, and forgets those that nobody would be
// given any more.
func (c *channels) remember(path string, fresh *snapshot) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for other, known := range c.newest {
		if fresh.at.Sub(known.at) >= fastestTick {
			delete(c.newest, other)
		}
	}
	c.newest[path] = fresh
}

package plugin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/coalesce"
)

// channels compute each live question once for all who watch it: Grafana runs
// one stream for a channel, but asks for the present state of every viewer who
// comes, and several Grafanas may run a stream each.
type channels struct {
	states coalesce.Group[*snapshot]
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
// for all who ask. The work ends when the last of them has left.
func (c *channels) state(ctx context.Context, path string, now func() time.Time, compute func(context.Context) (*data.Frame, error)) (*snapshot, error) {
	c.mutex.Lock()
	known := c.newest[path]
	c.mutex.Unlock()
	if known != nil && now().Sub(known.at) < fastestTick {
		return known, nil
	}
	state, _, err := c.states.Do(ctx, path, func(ctx context.Context) (*snapshot, error) {
		begun := now()
		frame, err := compute(ctx)
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
	return state, err
}

// maxRemembered bounds the cells of the states that are kept for those who come
// next; most are also sent by a stream, which is charged for them.
const maxRemembered = 2_000_000

// remember keeps the newest state, and forgets those that nobody would be
// given any more, and the oldest where they take too much.
func (c *channels) remember(path string, fresh *snapshot) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.newest[path] = fresh
	cells := 0
	for other, known := range c.newest {
		if fresh.at.Sub(known.at) >= fastestTick {
			delete(c.newest, other)
			continue
		}
		cells += cellsOf(known.frame)
	}
	for cells > maxRemembered && len(c.newest) > 1 {
		oldest := ""
		for other, known := range c.newest {
			if other != path && (oldest == "" || known.at.Before(c.newest[oldest].at)) {
				oldest = other
			}
		}
		cells -= cellsOf(c.newest[oldest].frame)
		delete(c.newest, oldest)
	}
}

func cellsOf(frame *data.Frame) int { return frame.Rows() * len(frame.Fields) }

package replays

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/internal/coalesce"
)

// Results remembers what rules evaluated, by what was asked and when: the views of
// one replay share it, and a second look is immediate. What nobody waits for any
// more is ended.
type Results struct {
	budget int

	mutex  sync.Mutex
	used   int
	known  map[string]*played
	order  []string
	flight coalesce.Group[*played]
}

// NewResults remembers the newest results in about so many bytes.
func NewResults(budget int) *Results {
	return &Results{budget: budget, known: map[string]*played{}}
}

// Resize changes how many bytes are remembered.
func (r *Results) Resize(budget int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.budget = budget
	r.makeRoom(0)
}

// modelBytes is what the models of one replay may take; they are of no use to
// others.
const modelBytes = 64 << 20

// played is the record of a plan, evaluated once for all who ask for it.
func (e Replayer) played(ctx context.Context, p plan) (*played, error) {
	e.Models = anomaly.NewModels(modelBytes)
	if e.Results == nil {
		return e.play(ctx, p)
	}
	return e.Results.of(ctx, p.key(), func(ctx context.Context) (*played, error) { return e.play(ctx, p) })
}

// key names all that a record depends on.
func (p plan) key() string {
	asked, _ := json.Marshal(p.asked) // queries can be written
	var exprs []string
	for _, l := range p.long {
		exprs = append(exprs, fmt.Sprint(l.Expr, l.From.UnixNano(), l.To.UnixNano(), l.Grid.Step))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%T %s %q %d %d %d %d", p.asked, asked, exprs, p.times[0].UnixNano(), len(p.times), p.rule.Interval, p.query.Look))
	return string(sum[:])
}

func (r *Results) of(ctx context.Context, key string, play func(context.Context) (*played, error)) (*played, error) {
	if known := r.get(key); known != nil {
		return known, nil
	}
	d, _, err := r.flight.Do(ctx, key, func(ctx context.Context) (*played, error) {
		d, err := play(ctx)
		if err == nil {
			r.put(key, d)
		}
		return d, err
	})
	return d, err
}

func (r *Results) get(key string) *played {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.known[key]
}

func (r *Results) put(key string, d *played) {
	size := d.size()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if size > r.budget || r.known[key] != nil {
		return
	}
	r.makeRoom(size)
	r.known[key] = d
	r.order = append(r.order, key)
	r.used += size
}

// makeRoom forgets the oldest results until so many bytes more fit.
func (r *Results) makeRoom(bytes int) {
	for r.used+bytes > r.budget && len(r.order) > 0 {
		r.used -= r.known[r.order[0]].size()
		delete(r.known, r.order[0])
		r.order = r.order[1:]
	}
}

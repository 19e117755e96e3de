package anomaly

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/foresight-observability/foresight/pkg/forecast"
)

// Models remembers models by what they were learned from. A model depends on
// nothing else, so remembering changes no answer. It may be used by several
// goroutines.
type Models struct {
	budget int // bytes
	mutex  sync.Mutex
	used   int
	known  map[[sha256.Size]byte]*Model
	order  [][sha256.Size]byte  // as learned
	passed map[*Model][]passage // of every known model
}

// NewModels remembers the newest models in about so many bytes.
func NewModels(budget int) *Models {
	return &Models{budget: budget, known: map[[sha256.Size]byte]*Model{}, passed: map[*Model][]passage{}}
}

// size is about how many bytes a model takes: its pattern, and what is much the
// same for all.
func (m *Model) size() int {
	const others = 15_000
	return 4*len(m.ahead) + others
}

func (m *Models) learn(r Request, e epoch) (*Model, error) {
	if m == nil || (r.Model != "" && r.Model != forecast.Auto) {
		return learn(r, e)
	}
	key := keyOf(r, e)
	m.mutex.Lock()
	model := m.known[key]
	m.mutex.Unlock()
	if model != nil {
		return model, nil
	}
	model, err := learn(r, e)
	if err != nil {
		return nil, err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.known[key] != nil || model.size() > m.budget {
		return model, nil
	}
	m.makeRoom(model.size())
	m.known[key], m.passed[model] = model, nil
	m.order = append(m.order, key)
	m.used += model.size()
	return model, nil
}

// makeRoom forgets the oldest models until so many bytes more fit.
func (m *Models) makeRoom(bytes int) {
	for m.used+bytes > m.budget && len(m.order) > 0 {
		oldest := m.known[m.order[0]]
		m.used -= oldest.size() + len(m.passed[oldest])*passageSize
		delete(m.passed, oldest)
		delete(m.known, m.order[0])
		m.order = m.order[1:]
	}
}

// keyOf is all that learn looks at.
func keyOf(r Request, e epoch) [sha256.Size]byte {
	past := r.History.Values[e.learn:e.judge]
	raw := make([]byte, 0, 8*len(past)+256)
	raw = fmt.Appendf(raw, "%d %d %d %v %q ", r.History.Time(e.judge).UnixNano(), e.until.UnixNano(), r.History.Step, r.Seasons, r.Detectors)
	for _, v := range past {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	return sha256.Sum256(raw)
}

package anomaly

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Models remembers models, and how series go on, by what they were learned
// from. They depend on nothing else, so remembering changes no answer. It may be
// used by several goroutines.
type Models struct {
	budget int // bytes
	mutex  sync.Mutex
	used   int
	known  map[lessonKey]lesson
	order  []lessonKey          // as learned
	passed map[*Model][]passage // of every known model
}

// lesson is what was learned: a model, or what an early warning learned.
type lesson = Learned

// lessonKey is the hash of all that a lesson was learned from.
type lessonKey [sha256.Size]byte

// NewModels remembers the newest models in about so many bytes.
func NewModels(budget int) *Models {
	return &Models{budget: budget, known: map[lessonKey]lesson{}, passed: map[*Model][]passage{}}
}

// Resize changes how many bytes are remembered.
func (m *Models) Resize(budget int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.budget = budget
	m.makeRoom(0)
}

// Size is about how many bytes a model takes: its pattern, and what is much the
// same for all.
func (m *Model) Size() int {
	const others = 15_000
	return 4*len(m.ahead) + others
}

func (m *Models) learn(r Request, e epoch) (*Model, error) {
	if m == nil || (r.Model != "" && r.Model != forecast.Auto) {
		return learn(r, e)
	}
	return recall(m, keyOf("model", r.History, e, r.Seasons, r.Detectors, r.constants()), func() (*Model, error) { return learn(r, e) })
}

// recall gives what is known under a key, or learns and remembers it.
func recall[L lesson](m *Models, key lessonKey, learn func() (L, error)) (L, error) {
	m.mutex.Lock()
	known, ok := m.known[key].(L)
	m.mutex.Unlock()
	if ok {
		return known, nil
	}
	learned, err := learn()
	if err != nil {
		return learned, err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.known[key] == nil && learned.Size() <= m.budget {
		m.makeRoom(learned.Size())
		m.known[key] = learned
		if model, is := any(learned).(*Model); is {
			m.passed[model] = nil
		}
		m.order = append(m.order, key)
		m.used += learned.Size()
	}
	return learned, nil
}

// makeRoom forgets the oldest lessons until so many bytes more fit.
func (m *Models) makeRoom(bytes int) {
	for m.used+bytes > m.budget && len(m.order) > 0 {
		oldest := m.known[m.order[0]]
		m.used -= oldest.Size()
		if model, is := oldest.(*Model); is {
			m.used -= len(m.passed[model]) * passageSize
			delete(m.passed, model)
		}
		delete(m.known, m.order[0])
		m.order = m.order[1:]
	}
}

// keyOf is the key of a kind of lesson from an epoch's past, and from whatever
// else it depends on.
func keyOf(kind string, h series.Series, e epoch, also ...any) lessonKey {
	past := h.Values[e.learn:e.judge]
	raw := make([]byte, 0, 8*len(past)+256)
	raw = fmt.Appendf(raw, "%s %d %d %d %s %#v ", kind, h.Time(e.judge).UnixNano(), e.until.UnixNano(), h.Step, h.Start.Location(), also)
	for _, v := range past {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	return sha256.Sum256(raw)
}

package anomaly

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"slices"
)

const (
	// maxPassages of a model are remembered: windows of so many lengths may
	// look at one series at the same time.
	maxPassages = 4
	// passageSize is about how many bytes one takes.
	passageSize = 4_000
)

// passage is the state of a stream after the first points of its model's
// epoch. It depends on nothing but them.
type passage struct {
	points int
	values [sha256.Size]byte // of the points
	state  state             // never changed
}

// pass lets a new stream take in points that nobody asks about. A window that
// moves on asks with a few more of them each time: the stream then goes on
// where an earlier one stood after the same points.
func (m *Models) pass(s *Stream, values []float64) {
	if m == nil {
		s.passAll(values)
		return
	}
	m.mutex.Lock()
	known := slices.Clone(m.passed[s.model])
	m.mutex.Unlock()
	slices.SortFunc(known, func(a, b passage) int { return a.points - b.points })

	sum, at := sha256.New(), 0
	var from *passage
	for i, one := range known {
		if one.points > len(values) {
			break
		}
		add(sum, values[at:one.points])
		at = one.points
		if [sha256.Size]byte(sum.Sum(nil)) == one.values {
			from = &known[i]
		}
	}
	passed := 0
	if from != nil {
		s.state, passed = from.state.clone(), from.points
	}
	if passed == len(values) {
		return
	}
	s.passAll(values[passed:])
	add(sum, values[at:])
	m.remember(s.model, from, passage{len(values), [sha256.Size]byte(sum.Sum(nil)), s.state.clone()})
}

// remember keeps a passage in place of the one that it went on from, or of the
// oldest of too many.
func (m *Models) remember(model *Model, from *passage, next passage) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if _, remembered := m.passed[model]; !remembered {
		return
	}
	kept := slices.Clone(m.passed[model])
	switch i := slices.IndexFunc(kept, func(p passage) bool { return from != nil && p.values == from.values }); {
	case i >= 0:
		kept = slices.Delete(kept, i, i+1)
	case len(kept) == maxPassages:
		kept = slices.Delete(kept, 0, 1)
	default:
		m.makeRoom(passageSize)
		if _, remembered := m.passed[model]; !remembered {
			return // it was the oldest
		}
		m.used += passageSize
	}
	m.passed[model] = append(kept, next)
}

func (s *Stream) passAll(values []float64) {
	for _, v := range values {
		s.pass(v)
	}
}

func add(sum hash.Hash, values []float64) {
	var block [512 * 8]byte
	for len(values) > 0 {
		n := min(len(values), 512)
		for i, v := range values[:n] {
			binary.LittleEndian.PutUint64(block[8*i:], math.Float64bits(v))
		}
		_, _ = sum.Write(block[:8*n])
		values = values[n:]
	}
}

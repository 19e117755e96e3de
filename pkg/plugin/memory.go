package plugin

import (
	"math"
	"runtime/debug"
	"sync"
)

// ownMemory is what the process takes for its work without the collector
// working harder for it, beside what its data sources may remember.
const ownMemory = 320 << 20 // bytes

// memory is the process' limit: the collector works harder beyond it, nothing
// fails. Without one, a burst of questions makes the heap twice as large as what
// is in use before it is collected.
var memory = &memoryLimit{total: ownMemory}

type memoryLimit struct {
	mu    sync.Mutex
	total int64 // bytes
}

// limitedByUser says that GOMEMLIMIT is set, which stays.
var limitedByUser = sync.OnceValue(func() bool { return debug.SetMemoryLimit(-1) != math.MaxInt64 })

// reserve raises the limit by what one data source may remember, until it is
// released.
func (m *memoryLimit) reserve(bytes int64) (release func()) {
	m.raise(bytes)
	return func() { m.raise(-bytes) }
}

func (m *memoryLimit) raise(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.total += bytes; !limitedByUser() {
		debug.SetMemoryLimit(m.total)
	}
}

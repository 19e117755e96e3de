package budget

import "sync"

// Caches divides what the whole process has for caches and learned models among
// those of all data sources. Each gets what it wants as long as all fit; beyond
// that all are cut by the same factor.
type Caches struct {
	total int64

	mu      sync.Mutex
	members map[*member]struct{}
}

type member struct {
	want   int64
	resize func(bytes int64)
}

// NewCaches has so many bytes for all, or what the largest of them wants, if that
// is more.
func NewCaches(total int64) *Caches {
	return &Caches{total: total, members: map[*member]struct{}{}}
}

// Join gives a cache its share, now and whenever that changes. The function that
// it returns gives it back.
func (c *Caches) Join(want int64, resize func(bytes int64)) (leave func()) {
	m := &member{want, resize}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[m] = struct{}{}
	c.divide()
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.members, m)
		c.divide()
	})
}

func (c *Caches) divide() {
	var wanted, largest int64
	for m := range c.members {
		wanted += m.want
		largest = max(largest, m.want)
	}
	share := 1.0
	if total := max(c.total, largest); wanted > total {
		share = float64(total) / float64(wanted)
	}
	for m := range c.members {
		m.resize(int64(share * float64(m.want)))
	}
}

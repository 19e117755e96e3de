package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
	"golang.org/x/time/rate"
)

// mostCallers bounds the memory for callers; beyond it the least recently seen
// is forgotten, which only ever lets it ask more.
const mostCallers = 1000

// callers limits how often each caller may ask: Grafana does not.
type callers struct {
	perSecond int
	mu        sync.Mutex
	known     map[string]*caller
}

type caller struct {
	tokens *rate.Limiter
	seen   time.Time
}

func newCallers(perSecond int) *callers {
	return &callers{perSecond: perSecond, known: map[string]*caller{}}
}

// allow takes one of the caller's tokens, of which two seconds' worth can be
// saved up.
func (c *callers) allow(login string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, ok := c.known[login]
	if !ok {
		if len(c.known) >= mostCallers {
			c.forget()
		}
		one = &caller{tokens: rate.NewLimiter(rate.Limit(c.perSecond), 2*c.perSecond)}
		c.known[login] = one
	}
	one.seen = now
	return one.tokens.AllowN(now, 1)
}

func (c *callers) forget() {
	var oldest string
	for login, one := range c.known {
		if oldest == "" || one.seen.Before(c.known[oldest].seen) {
			oldest = login
		}
	}
	delete(c.known, oldest)
}

// limited answers 429 to a caller who asks too often.
func (h *Hooks) limited(fail failing, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login := ""
		if user := httpadapter.UserFromContext(r.Context()); user != nil {
			login = user.Login
		}
		if !h.callers.allow(login, h.engine.Now()) {
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusTooManyRequests, "too many requests from this caller (limits.callerRate): ask less often")
			return
		}
		handler.ServeHTTP(w, r)
	})
}

package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"golang.org/x/time/rate"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/budget"
)

// maxCallers bounds the memory for callers; beyond it the least recently seen
// is forgotten, which only ever lets it ask more.
const maxCallers = 1000

// rateLimiter limits how often each caller may ask: Grafana does not.
type rateLimiter struct {
	perSecond int
	mu        sync.Mutex
	callers   map[string]*caller
}

type caller struct {
	tokens *rate.Limiter
	seen   time.Time
}

func newRateLimiter(perSecond int) *rateLimiter {
	return &rateLimiter{perSecond: perSecond, callers: map[string]*caller{}}
}

// allow takes one of the caller's tokens, of which two seconds' worth can be
// saved up.
func (l *rateLimiter) allow(login string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.callers[login]
	if !ok {
		if len(l.callers) >= maxCallers {
			l.evict()
		}
		c = &caller{tokens: rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)}
		l.callers[login] = c
	}
	c.seen = now
	return c.tokens.AllowN(now, 1)
}

func (l *rateLimiter) evict() {
	var oldest string
	for login, c := range l.callers {
		if oldest == "" || c.seen.Before(l.callers[oldest].seen) {
			oldest = login
		}
	}
	delete(l.callers, oldest)
}

// callerOf tells whose share a request takes.
type callerOf func(backend.PluginContext) budget.Caller

func asViewer(request backend.PluginContext) budget.Caller { return budget.Of(request, false) }

// limit answers 429 to a caller that asks too often. The others wait for a place
// among the questions that are worked on at once.
func (l *rateLimiter) limit(now func() time.Time, caller callerOf, fail respond.ErrorWriter, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login := ""
		if user := backend.UserFromContext(r.Context()); user != nil {
			login = user.Login
		}
		if !l.allow(login, now()) {
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusTooManyRequests, "too many requests from this caller (limits.callerRate): ask less often")
			return
		}
		ctx := budget.WithCaller(r.Context(), caller(backend.PluginConfigFromContext(r.Context())))
		leave, err := budget.Process.Questions.Acquire(ctx, 1)
		if err != nil {
			respond.RetryAfter(w, err)
			status, reason := respond.Status(err)
			fail(w, status, reason)
			return
		}
		defer leave()
		ctx, account := budget.Open(ctx, budget.Process.Memory, budget.MaxRequest)
		defer account.Close()
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Limited is a router whose routes have the limits of all others.
func (a *API) Limited(router Router) Router { return limitedRouter{a, router} }

type limitedRouter struct {
	api    *API
	router Router
}

// Handle implements Router.
func (l limitedRouter) Handle(pattern string, handler http.Handler) {
	l.router.Handle(pattern, l.api.limiter.limit(l.api.now, budget.OfRoute, respond.Error, handler))
}

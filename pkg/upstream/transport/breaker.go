package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/foresight-observability/foresight/pkg/telemetry"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// breaker stops asking an upstream that cannot be reached or says that it is
// overloaded, and tries again after a pause. A query that takes too long, or
// makes the server fail, may be the fault of the query: after several of them a
// cheap request decides whether it is the server's.
type breaker struct {
	name     string
	failures int32
	pause    time.Duration
	probe    func(context.Context) error
	circuit  *gobreaker.CircuitBreaker[answer]

	suspicions atomic.Int32 // in a row
	probing    atomic.Bool
	tripping   atomic.Bool

	mu      sync.Mutex
	opened  time.Time
	failure string // why it was opened
}

func newBreaker(name string, limits Limits, probe func(context.Context) error) *breaker {
	b := &breaker{name: name, pause: limits.Pause, failures: int32(limits.Failures), probe: probe}
	b.circuit = gobreaker.NewCircuitBreaker[answer](gobreaker.Settings{
		Name:        name,
		MaxRequests: 1,
		Timeout:     limits.Pause,
		ReadyToTrip: func(counts gobreaker.Counts) bool {
			return b.tripping.Load() || counts.ConsecutiveFailures >= uint32(limits.Failures)
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				telemetry.BreakerOpened(name)
				b.mu.Lock()
				b.opened = time.Now()
				b.mu.Unlock()
			}
		},
		IsSuccessful: func(err error) bool { return judge(err) == sound },
		IsExcluded: func(err error) bool {
			is := judge(err)
			return is == suspicious || is == nothing
		},
	})
	return b
}

// judgement is what the outcome of a request says of the server.
type judgement int

const (
	sound      judgement = iota // it answers, even if by a refusal
	failing                     // it cannot be reached, or says that it is overloaded
	suspicious                  // the query may be too heavy, or the server ill
	nothing                     // nobody waited for it
)

func judge(err error) judgement {
	var known *upstream.Error
	switch {
	case err == nil:
		return sound
	case !errors.As(err, &known):
		return failing
	}
	switch known.Category {
	case upstream.Network, upstream.TLS:
		return failing
	case upstream.Server:
		if known.Status == http.StatusBadGateway || known.Status == http.StatusServiceUnavailable {
			return failing
		}
		return suspicious
	case upstream.Timeout:
		return suspicious
	case upstream.Cancelled, upstream.Busy:
		return nothing
	}
	return sound
}

const (
	// trialPoll is how often a question looks whether the trial is over.
	trialPoll = 20 * time.Millisecond
	// probeDeadline is for a request that costs the server nothing.
	probeDeadline = 2 * time.Second
)

// do asks unless the circuit is open. After its pause the cheap request tries
// whether the upstream is back. The others wait for the outcome: one that failed
// at once would cancel the question it is a part of.
func (b *breaker) do(ctx context.Context, ask func() (answer, error)) (answer, error) {
	for {
		trial := b.circuit.State() == gobreaker.StateHalfOpen
		attempt := func() (answer, error) { return b.observe(ask()) }
		if trial {
			attempt = func() (answer, error) { return answer{}, b.try(ctx) }
		}
		result, err := b.circuit.Execute(attempt)
		switch {
		case errors.Is(err, gobreaker.ErrOpenState):
			return answer{}, b.open(err)
		case !errors.Is(err, gobreaker.ErrTooManyRequests) && !trial:
			if judge(err) == suspicious && b.suspicions.Load() >= b.failures {
				b.examine(ctx)
			}
			return result, err
		case trial && err == nil:
			continue // it is back
		}
		select {
		case <-ctx.Done():
			return answer{}, b.open(err)
		case <-time.After(trialPoll):
		}
	}
}

// observe counts suspicions, and keeps what failed for the message.
func (b *breaker) observe(result answer, err error) (answer, error) {
	switch judge(err) {
	case sound:
		b.suspicions.Store(0)
	case suspicious:
		b.suspicions.Add(1)
		b.note(err)
	case failing:
		b.note(err)
	}
	return result, err
}

func (b *breaker) note(err error) {
	var known *upstream.Error
	if errors.As(err, &known) {
		b.mu.Lock()
		b.failure = known.Message
		b.mu.Unlock()
	}
}

// try sends the cheap request. The question that does so may have no time left.
func (b *breaker) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeDeadline)
	defer cancel()
	return b.probe(ctx)
}

// examine opens the circuit where the server fails the cheap request, too.
func (b *breaker) examine(ctx context.Context) {
	if !b.probing.CompareAndSwap(false, true) {
		return
	}
	defer b.probing.Store(false)
	err := b.try(ctx)
	b.suspicions.Store(0)
	if err == nil {
		return
	}
	b.tripping.Store(true)
	defer b.tripping.Store(false)
	_, _ = b.circuit.Execute(func() (answer, error) { return answer{}, errProbe })
}

var errProbe = errors.New("the server does not answer")

func (b *breaker) open(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := max(b.pause-time.Since(b.opened), 0).Round(time.Second)
	when := "It is being tried again just now"
	if wait > 0 {
		when = fmt.Sprintf("It is tried again in %s", wait)
	}
	return &upstream.Error{
		Upstream: b.name, Category: upstream.Unavailable, Err: err,
		Message: "it failed several times in a row, the last time with: " + b.failure,
		Advice:  when,
	}
}

// probeWith is a request that costs the server nothing. Any answer shows that it
// works, but for those with which servers and proxies say that they do not.
func (c *Client) probeWith(endpoint string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(endpoint, nil).String(), nil)
		if err != nil {
			return errProbe
		}
		response, err := c.http.Do(request)
		if err != nil {
			return errProbe
		}
		_, _ = readAtMost(response, maxErrorBody)
		_ = response.Body.Close()
		if response.StatusCode >= http.StatusInternalServerError {
			return errProbe
		}
		return nil
	}
}

// Probe names an endpoint that costs the server nothing. It decides whether the
// server works where several queries in a row took too long.
func (c *Client) Probe(endpoint string) { c.breaker.probe = c.probeWith(endpoint) }

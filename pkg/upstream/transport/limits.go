package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/foresight-observability/foresight/pkg/telemetry"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Limits bound what is asked of an upstream, and what is taken from it. A zero
// takes the default.
type Limits struct {
	Concurrency   int           // requests at once; 8
	Timeout       time.Duration // of a question, waiting for its turn included; 25 s
	ResponseBytes int64         // of one answer, decompressed; 32 MiB
	Failures      int           // in a row, after which an upstream is left alone; 5
	Pause         time.Duration // for which it is left alone; 15 s
}

func (l Limits) withDefaults() Limits {
	if l.Concurrency <= 0 {
		l.Concurrency = 8
	}
	if l.Timeout <= 0 {
		l.Timeout = 25 * time.Second
	}
	if l.ResponseBytes <= 0 {
		l.ResponseBytes = 32 << 20
	}
	if l.Failures <= 0 {
		l.Failures = 5
	}
	if l.Pause <= 0 {
		l.Pause = 15 * time.Second
	}
	return l
}

// breaker stops asking an upstream that fails every time, and tries again with
// a single request after a pause.
type breaker struct {
	name    string
	pause   time.Duration
	circuit *gobreaker.CircuitBreaker[answer]

	mu      sync.Mutex
	opened  time.Time
	failure string // why it was opened
}

func newBreaker(name string, limits Limits) *breaker {
	b := &breaker{name: name, pause: limits.Pause}
	b.circuit = gobreaker.NewCircuitBreaker[answer](gobreaker.Settings{
		Name:        name,
		MaxRequests: 1,
		Timeout:     limits.Pause,
		ReadyToTrip: func(counts gobreaker.Counts) bool {
			return counts.ConsecutiveFailures >= uint32(limits.Failures)
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				telemetry.BreakerOpened(name)
				b.mu.Lock()
				b.opened = time.Now()
				b.mu.Unlock()
			}
		},
		IsSuccessful: func(err error) bool { return !b.counts(err) },
		IsExcluded: func(err error) bool {
			var known *upstream.Error
			return errors.As(err, &known) && known.Category == upstream.Cancelled
		},
	})
	return b
}

// counts tells failures of the server or the way to it from questions that it
// answered, even if by a refusal.
func (b *breaker) counts(err error) bool {
	var known *upstream.Error
	if !errors.As(err, &known) {
		return err != nil
	}
	switch known.Category {
	case upstream.Network, upstream.TLS, upstream.Timeout, upstream.Server:
		b.mu.Lock()
		b.failure = known.Message
		b.mu.Unlock()
		return true
	}
	return false
}

// trialPoll is how often a question looks whether the trial is over.
const trialPoll = 20 * time.Millisecond

// do asks unless the circuit is open. While one request tries whether the
// upstream is back, the others wait for the outcome: one that failed at once
// would cancel the question it is a part of, and with it the trial.
func (b *breaker) do(ctx context.Context, ask func() (answer, error)) (answer, error) {
	for {
		result, err := b.circuit.Execute(ask)
		if errors.Is(err, gobreaker.ErrOpenState) {
			return answer{}, b.open(err)
		}
		if !errors.Is(err, gobreaker.ErrTooManyRequests) {
			return result, err
		}
		select {
		case <-ctx.Done():
			return answer{}, b.open(err)
		case <-time.After(trialPoll):
		}
	}
}

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

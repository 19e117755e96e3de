package transport

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/foresight-observability/foresight/pkg/telemetry"
)

const (
	// maxAttempts are how often a server that has too much to do is asked.
	maxAttempts = 4
	// firstPause is the wait before the second attempt, where the server names
	// none; each further one is twice as long.
	firstPause = 250 * time.Millisecond
)

// pauses double from the first one on, without chance.
func pauses() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: firstPause, Multiplier: 2, MaxInterval: time.Minute}
}

// doWithRetry repeats a request, a little later, to a server that says it has too
// much to do at the moment (HTTP 429): its queue is full, or its rate limit
// reached. The question keeps its turn meanwhile, so that less is asked at once.
// The refusal is passed on when the server wants a longer wait than the question
// has time for.
func (c *Client) doWithRetry(ctx context.Context, request *http.Request, do func(*http.Request) (answer, error)) (answer, error) {
	var last answer
	var failure error
	deadline, _ := ctx.Deadline()
	next := pauses()
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		again, err := c.repeated(ctx, request)
		if err != nil {
			failure = err
			return struct{}{}, backoff.Permanent(err)
		}
		last, failure = do(again)
		if failure == nil {
			return struct{}{}, nil
		}
		repeatable := request.Body == nil || request.GetBody != nil
		if !repeatable || last.response == nil || last.response.StatusCode != http.StatusTooManyRequests {
			return struct{}{}, backoff.Permanent(failure)
		}
		wait, named := RetryAfter(last.response.Header)
		if !named {
			return struct{}{}, failure
		}
		if time.Until(deadline) <= wait {
			return struct{}{}, backoff.Permanent(failure)
		}
		return struct{}{}, &backoff.RetryAfterError{Duration: wait}
	}, backoff.WithBackOff(next), backoff.WithMaxTries(maxAttempts), backoff.WithMaxElapsedTime(time.Until(deadline)),
		backoff.WithNotify(func(error, time.Duration) { telemetry.Retried(c.name) }))
	return last, failure
}

// repeated is the request, ready to be sent once more.
func (c *Client) repeated(ctx context.Context, request *http.Request) (*http.Request, error) {
	again := request.Clone(ctx)
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, c.failure(ctx, err)
		}
		again.Body = body
	}
	return again, nil
}

// RetryAfter is how long a server wants to be left alone (RFC 9110, section
// 10.2.3), at most a day; false where it does not say. Dates depend on two
// clocks and are not read.
func RetryAfter(header http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	return min(time.Duration(seconds), 24*60*60) * time.Second, err == nil && seconds >= 0
}

package transport

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/telemetry"
)

const (
	// attempts are how often a server that has too much to do is asked.
	attempts = 4
	// firstPause is the wait before the second attempt, where the server names
	// none; each further one is twice as long.
	firstPause = 250 * time.Millisecond
)

// patiently asks again, a little later, a server that says it has too much to
// do at the moment (HTTP 429): its queue is full, or its rate limit reached.
// The question keeps its turn meanwhile, so that less is asked at once. The
// refusal is passed on when the server wants a longer wait than the question has
// time for.
func (c *Client) patiently(ctx context.Context, request *http.Request, ask func(*http.Request) (answer, error)) (answer, error) {
	repeatable := request.Body == nil || request.GetBody != nil
	pause := firstPause
	for attempt := 1; ; attempt++ {
		again := request.Clone(ctx)
		if request.GetBody != nil {
			body, err := request.GetBody()
			if err != nil {
				return answer{}, c.failure(ctx, err)
			}
			again.Body = body
		}
		result, err := ask(again)
		if err == nil || attempt == attempts || !repeatable || result.response == nil || result.response.StatusCode != http.StatusTooManyRequests {
			return result, err
		}
		wait := pause
		if named, found := RetryAfter(result.response.Header); found {
			wait = named
		}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) <= wait {
			return result, err
		}
		select {
		case <-ctx.Done():
			return result, err
		case <-time.After(wait):
		}
		pause *= 2
		telemetry.Retried(c.name)
	}
}

// RetryAfter is how long a server wants to be left alone (RFC 9110, section
// 10.2.3), at most a day; false where it does not say. Dates depend on two
// clocks and are not read.
func RetryAfter(header http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	return min(time.Duration(seconds), 24*60*60) * time.Second, err == nil && seconds >= 0
}

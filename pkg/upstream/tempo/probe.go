package tempo

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// recently is how far back the probe looks for a trace.
const recently = time.Hour

// Probe implements upstream.Traces. It fails if Tempo cannot be searched.
func (c *Client) Probe(ctx context.Context) (upstream.TraceCapabilities, error) {
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	now := c.now()
	found := upstream.TraceCapabilities{Product: Name}
	group, together := parallel.WithContext(ctx)
	group.Go(func() error {
		// A gateway may not let this through; then the version is unknown.
		found.Version, _ = c.version(together)
		return nil
	})
	group.Go(func() (err error) {
		found.Freshness, err = c.freshness(together, now)
		return err
	})
	group.Go(func() error {
		found.Hidden = c.hidden(together, now)
		return nil
	})
	group.Go(func() error {
		_, err := c.count(together, spanCounts(""), countPart{now.Add(-time.Minute), now, time.Minute})
		if found.TraceQLMetrics = err == nil; err != nil {
			found.MetricsMessage = err.Error()
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return upstream.TraceCapabilities{}, c.orNoTempo(ctx, err)
	}
	return found, nil
}

func (c *Client) version(ctx context.Context) (string, error) {
	body, _, err := get(ctx, c.transport, asJSON, "/api/status/buildinfo")
	if err != nil {
		return "", err
	}
	var info struct{ Version string }
	err = json.Unmarshal(body, &info)
	return c.transport.Clean(info.Version, 60), err
}

// freshness is the age of the newest trace that a search finds; negative where
// there is none.
func (c *Client) freshness(ctx context.Context, now time.Time) (time.Duration, error) {
	body, _, err := get(ctx, c.transport, asJSON, "/api/search",
		"q", spanset()+" with (most_recent=true)", "limit", "1", "spss", "1", "start", seconds(now.Add(-recently)), "end", secondsUp(now))
	if err != nil {
		return 0, err
	}
	traces, err := searchJSON(body, 1)
	if err != nil {
		return 0, c.malformed(err)
	}
	if len(traces) == 0 {
		return -1, nil
	}
	return max(now.Sub(time.Unix(0, traces[0].start)), 0), nil
}

var cutoff = regexp.MustCompile(`(?m)^\s*query_end_cutoff:\s*"?([0-9a-zµ.]+)`)

// usualCutoff is Tempo 3's own, for where it does not let its settings be read.
const usualCutoff = 30 * time.Second

// hidden is the newest time that Tempo's searches never look at. It stands in
// its configuration; where that is out of reach, Tempo refuses to search a time
// that lies in it altogether.
func (c *Client) hidden(ctx context.Context, now time.Time) time.Duration {
	if body, _, err := get(ctx, c.metrics, "text/plain", "/status/config"); err == nil {
		if setting := cutoff.FindSubmatch(body); setting != nil {
			if length, err := time.ParseDuration(string(setting[1])); err == nil {
				return max(length, 0)
			}
		}
		return 0
	}
	_, _, err := get(ctx, c.metrics, asJSON, "/api/search",
		"q", spanset(), "limit", "1", "spss", "1", "start", seconds(now.Add(-time.Second)), "end", seconds(now))
	if err != nil && strings.Contains(err.Error(), "query_end_cutoff") {
		return usualCutoff
	}
	return 0
}

// orNoTempo says so where the address does not even answer as Tempo's query
// frontend does to its own test.
func (c *Client) orNoTempo(ctx context.Context, err error) error {
	var known *upstream.Error
	if !errors.As(err, &known) || (known.Category != upstream.NotFound && known.Category != upstream.Malformed) {
		return err
	}
	body, _, echo := get(ctx, c.transport, "text/plain", "/api/echo")
	if echo == nil && string(body) == "echo" {
		return err
	}
	reported := *known
	reported.Advice = "This does not look like Tempo's query frontend. " + reported.Advice
	return &reported
}

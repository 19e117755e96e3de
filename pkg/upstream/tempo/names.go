package tempo

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Services implements upstream.Traces.
func (c *Client) Services(ctx context.Context, start, end time.Time) ([]string, error) {
	return c.values(ctx, "resource.service.name", "", start, end)
}

// Operations implements upstream.Traces.
func (c *Client) Operations(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	if service == "" || plain.MatchString(service) {
		return c.values(ctx, "name", service, start, end)
	}
	return c.search(ctx, service, "name", func(s *trace.Span) string { return s.Name }, nil, start, end)
}

// Versions implements upstream.Traces. Tempo's list of a resource attribute's
// values, filtered by service, leaves out values that other services have too
// (up to 2.10 at least). So the list is but a beginning: searches for spans
// with other versions find the rest.
func (c *Client) Versions(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	const attribute = "resource.service.version"
	if service == "" {
		return c.values(ctx, attribute, "", start, end)
	}
	var listed []string
	if plain.MatchString(service) {
		var err error
		if listed, err = c.values(ctx, attribute, service, start, end); err != nil {
			return nil, err
		}
	}
	return c.search(ctx, service, attribute, func(s *trace.Span) string { return s.Version }, listed, start, end)
}

// values lists the values of an attribute, of one service or of all.
func (c *Client) values(ctx context.Context, attribute, service string, start, end time.Time) ([]string, error) {
	filter := ""
	if service != "" {
		filter = matching(upstream.TraceFilter{Service: service})
	}
	body, _, err := get(ctx, c.transport, asJSON, "/api/v2/search/tag/"+attribute+"/values",
		"q", filter, "start", seconds(start), "end", secondsUp(end))
	if err != nil {
		return nil, err
	}
	var answer struct {
		TagValues []struct{ Value string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, c.malformed(err)
	}
	var all []string
	for _, value := range answer.TagValues {
		if value.Value != "" {
			all = append(all, value.Value)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// search finds the values of an attribute on the spans of a service: it asks
// for spans with a value that is not yet known, until there are none.
func (c *Client) search(ctx context.Context, service, attribute string, read func(*trace.Span) string, known []string, start, end time.Time) ([]string, error) {
	const maxRounds, perRound = 20, 20
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	for range maxRounds {
		conditions := []string{condition("resource.service.name", "=", service), condition(attribute, "!=", "")}
		for _, value := range known {
			conditions = append(conditions, condition(attribute, "!=", value))
		}
		body, _, err := get(ctx, c.transport, asJSON, "/api/search",
			"q", spanset(conditions...)+" | select("+attribute+")", "limit", strconv.Itoa(perRound), "spss", strconv.Itoa(spansPerTrace),
			"start", seconds(start), "end", secondsUp(end))
		if err != nil {
			return nil, err
		}
		traces, err := searchJSON(body, perRound)
		if err != nil {
			return nil, c.malformed(err)
		}
		before := len(known)
		for _, f := range traces {
			for i := range f.Spans {
				if value := strings.Clone(read(&f.Spans[i])); value != "" && !slices.Contains(known, value) {
					known = append(known, value)
				}
			}
		}
		if len(known) == before {
			break
		}
	}
	slices.Sort(known)
	return known, nil
}

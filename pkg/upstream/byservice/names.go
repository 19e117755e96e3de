package byservice

import (
	"context"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Services implements upstream.Traces. Stores keep one list for all time.
func (c *Client) Services(ctx context.Context, _, _ time.Time) ([]string, error) {
	names, err := c.Protocol.Services(ctx)
	return sorted(names), err
}

// Operations implements upstream.Traces. Stores keep one list for all time.
func (c *Client) Operations(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	services, err := c.orAll(ctx, service, start, end)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, one := range services {
		names, err := c.Protocol.Operations(ctx, one)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return sorted(all), nil
}

// versionSample is how many traces of a service are looked at for versions.
const versionSample = 400

// Versions implements upstream.Traces: those in a sample.
func (c *Client) Versions(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	services, err := c.orAll(ctx, service, start, end)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, one := range services {
		set, err := c.Search(ctx, upstream.TraceFilter{Service: one, Start: start, End: end, Limit: versionSample})
		if err != nil {
			return nil, err
		}
		for i := range set.Traces {
			for j := range set.Traces[i].Spans {
				if span := &set.Traces[i].Spans[j]; span.Service == one {
					all = append(all, span.Version)
				}
			}
		}
	}
	return sorted(all), nil
}

func (c *Client) orAll(ctx context.Context, service string, start, end time.Time) ([]string, error) {
	if service != "" {
		return []string{service}, nil
	}
	services, err := c.Services(ctx, start, end)
	return services[:min(len(services), maxServices)], err
}

// sorted is each name once, without the empty one.
func sorted(names []string) []string {
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

package prometheus

import (
	"context"
	"slices"
	"sync"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// pointsPerQuery is the most that Prometheus computes for one series.
	pointsPerQuery = 11_000
	// maxParts bounds how many queries one question is split into.
	maxParts = 64
)

// QueryRange implements upstream.Metrics. The parts of a long window are asked
// side by side.
func (c *Client) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	points := window.Points()
	switch {
	case promQL == "":
		return upstream.SeriesSet{}, rejected("the query is empty")
	case points == 0 || window.Step < time.Millisecond:
		return upstream.SeriesSet{}, rejected("the time range from %s to %s with a step of %s holds no points",
			window.Start.UTC().Format(time.RFC3339), window.End.UTC().Format(time.RFC3339), window.Step)
	case points > maxParts*pointsPerQuery:
		err := rejected("the time range holds %d points, more than %d", points, maxParts*pointsPerQuery)
		err.Advice = "Raise the step or shorten the time range"
		return upstream.SeriesSet{}, err
	}
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()

	grid := newGrid(window, points, c.transport.ResponseBytes()/bytesPerPoint)
	var mu sync.Mutex
	var remarks []string
	parts, ctx := errgroup.WithContext(ctx)
	for first := 0; first < points; first += pointsPerQuery {
		last := min(first+pointsPerQuery, points) - 1
		parts.Go(func() error {
			value, warnings, infos, err := c.api.QueryRange(ctx, promQL, v1.Range{Start: grid.time(first), End: grid.time(last), Step: window.Step})
			if err != nil {
				return c.failure(err)
			}
			matrix, ok := value.(model.Matrix)
			if !ok {
				return &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: "the result of a range query is not a matrix"}
			}
			mu.Lock()
			defer mu.Unlock()
			remarks = append(remarks, c.notes(warnings, infos)...)
			return grid.fill(matrix, first, last)
		})
	}
	if err := parts.Wait(); err != nil {
		return upstream.SeriesSet{}, err
	}
	slices.Sort(remarks) // the parts come in any order
	remarks = slices.Compact(remarks)
	return upstream.SeriesSet{Series: grid.series(), Warnings: append(remarks[:min(len(remarks), maxNotes)], grid.warnings()...)}, nil
}

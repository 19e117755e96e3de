package prometheus

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// pointsPerQuery is the most that Prometheus computes for one series.
	pointsPerQuery = 11_000
	// maxParts bounds how many queries one question is split into.
	maxParts = 64
	// halvings is how often a part is halved that is too long for the server.
	halvings = 4
)

// limitsOfLength are in the messages of servers that would compute a shorter
// range: Prometheus and Thanos by samples, Mimir and Cortex by chunks, memory
// and length. Limits of the number of series are not among them.
var limitsOfLength = []string{
	"too many samples", "samples limit", "sample limit", "chunks limit", "number of chunks", "chunks size",
	"bytes limit", "estimated-memory", "memory consumption", "query time range exceeds", "query-length", "length limit",
}

// tooLong says whether the server would answer for a shorter range.
func tooLong(failure *upstream.Error) bool {
	var refused *budget.Refused
	if errors.As(failure, &refused) {
		return false // the process has no room for the answers of more requests
	}
	message := strings.ToLower(failure.Message)
	return failure.Category == upstream.TooLarge ||
		slices.ContainsFunc(limitsOfLength, func(limit string) bool { return strings.Contains(message, limit) })
}

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

	grid := newGrid(ctx, window, points, c.transport.ResponseBytes()/bytesPerPoint)
	ctx, held := budget.Part(ctx) // what is decoded, until it lies on the grid
	defer held.Close()
	collected := collector{client: c, promQL: promQL, grid: grid}
	parts, ctx := parallel.WithContext(ctx)
	for first := 0; first < points; first += pointsPerQuery {
		last := min(first+pointsPerQuery, points) - 1
		parts.Go(func() error { return collected.ask(ctx, first, last, halvings) })
	}
	if err := parts.Wait(); err != nil {
		return upstream.SeriesSet{}, err
	}
	remarks := collected.remarks
	slices.Sort(remarks) // the parts come in any order
	remarks = slices.Compact(remarks)
	return upstream.SeriesSet{Series: grid.series(), Warnings: append(remarks[:min(len(remarks), maxNotes)], grid.warnings()...)}, nil
}

// collector puts the answers to parts of one question together.
type collector struct {
	client *Client
	promQL string

	mu      sync.Mutex
	grid    *grid
	remarks []string
}

// ask takes the part from the first to the last point. Where that is more than
// the server computes at once it asks for the two halves, which give the same
// values: each point is computed by itself.
func (c *collector) ask(ctx context.Context, first, last, halvings int) error {
	window := v1.Range{Start: c.grid.time(first), End: c.grid.time(last), Step: c.grid.window.Step}
	computing, turn := budget.WithTurn(ctx, budget.Process.Processors)
	defer turn.Give()
	value, warnings, infos, err := c.client.api.QueryRange(computing, c.promQL, window)
	if err != nil {
		turn.Give()
		failure := c.client.failure(err)
		if halvings == 0 || first == last || !tooLong(failure) {
			return failure
		}
		c.remark(Name + ": queried in smaller parts, because the whole exceeds a limit: " + failure.Message)
		middle := first + (last-first)/2
		if err := c.ask(ctx, first, middle, halvings-1); err != nil {
			return err
		}
		return c.ask(ctx, middle+1, last, halvings-1)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: "the result of a range query is not a matrix"}
	}
	c.remark(c.client.notes(warnings, infos)...)
	upstream.Count(ctx, Name, received(matrix))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.grid.fill(matrix, first, last); err != nil {
		return c.client.transport.Failure(ctx, err)
	}
	return nil
}

func received(matrix model.Matrix) upstream.Work {
	work := upstream.Work{Series: int64(len(matrix))}
	for _, stream := range matrix {
		if stream != nil {
			work.Samples += int64(len(stream.Values) + len(stream.Histograms))
		}
	}
	return work
}

func (c *collector) remark(texts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remarks = append(c.remarks, texts...)
}

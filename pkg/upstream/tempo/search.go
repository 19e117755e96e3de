package tempo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// spansPerTrace is the most spans of a trace that Tempo returns from a
	// search, by its default.
	spansPerTrace = 100
	// maxTraces bounds a sample.
	maxTraces = 10_000
)

// Search implements upstream.Traces. Whole traces come in one answer for many
// of them; those of which that answer cannot hold all spans are then fetched
// by id.
func (c *Client) Search(ctx context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	if !filter.Start.Before(filter.End) {
		return upstream.TraceSet{}, rejected("the time range is empty")
	}
	if filter.Limit <= 0 {
		return upstream.TraceSet{}, rejected("the limit of traces must be positive")
	}
	filter.Limit = min(filter.Limit, maxTraces)
	asker := ctx
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()

	query := wholeTraces(filter)
	sample, err := c.sample(ctx, query, filter)
	if err != nil {
		return upstream.TraceSet{}, err
	}
	queries := []string{query}
	if rare := c.addRare(ctx, filter, &sample); rare != "" {
		queries = append(queries, rare)
	}
	set := upstream.TraceSet{Queries: queries, Filter: selection(filter), Truncated: sample.truncated, Warnings: sample.warnings}
	set.Warnings = append(set.Warnings, c.complete(ctx, sample.traces)...)
	if err := asker.Err(); err != nil { // what is left is not the answer
		return upstream.TraceSet{}, &upstream.Error{Upstream: Name, Category: upstream.Cancelled, Message: "the query was cancelled before its answer arrived", Err: err}
	}
	for _, f := range sample.traces {
		if len(f.Spans) > 0 { // what lacks all of them is told as lacking
			set.Traces = append(set.Traces, f.Trace)
		}
	}
	upstream.Count(asker, Name, upstream.WorkOf(set.Traces))
	return set, nil
}

// slice is a part of the time range, from ≤ t < to, with the number of traces
// wanted of it.
type slice struct {
	from, to time.Time
	quota    int
}

// sampled is what came of a slice, or of all of them.
type sampled struct {
	traces    []found
	truncated bool
	warnings  []string
}

// sample asks each slice of the time range for its share of the traces. What
// quiet slices leave of the limit goes to the busy ones, once.
func (c *Client) sample(ctx context.Context, query string, filter upstream.TraceFilter) (sampled, error) {
	times := slicesOf(filter)
	if len(times) > 1 && c.fits(ctx, filter) {
		for i := range times {
			times[i].quota = filter.Limit
		}
	}
	parts, err := c.ask(ctx, query, times)
	if err != nil {
		return sampled{}, err
	}
	left, busy := filter.Limit, 0
	for _, part := range parts {
		left -= len(part.traces)
		if part.truncated {
			busy++
		}
	}
	if len(times) > 1 && busy > 0 && left > filter.Limit/10 {
		var again []slice
		var places []int
		for i, part := range parts {
			if part.truncated {
				times[i].quota += left / busy
				again, places = append(again, times[i]), append(places, i)
			}
		}
		if more, err := c.ask(ctx, query, again); err == nil {
			for j, part := range more {
				if len(part.traces) > len(parts[places[j]].traces) {
					parts[places[j]] = part
				}
			}
		}
	}

	var all sampled
	seen := map[trace.TraceID]bool{}
	for _, part := range parts {
		all.truncated = all.truncated || part.truncated
		for _, warning := range part.warnings {
			if !slices.Contains(all.warnings, warning) {
				all.warnings = append(all.warnings, warning)
			}
		}
		for _, f := range part.traces {
			if !seen[f.ID] {
				seen[f.ID] = true
				all.traces = append(all.traces, f)
			}
		}
	}
	newestFirst(all.traces)
	if len(all.traces) > filter.Limit {
		all.traces, all.truncated = all.traces[:filter.Limit], true
	}
	return all, nil
}

// fits reports whether there are no more traces than the limit, so that none
// need be left out. The search for it is cheap, as it reads no attributes.
func (c *Client) fits(ctx context.Context, filter upstream.TraceFilter) bool {
	body, _, err := get(ctx, c.transport, asJSON, "/api/search", "q", anyTraces(filter),
		"limit", strconv.Itoa(filter.Limit+1), "spss", "1", "start", seconds(filter.Start), "end", secondsUp(filter.End))
	if err != nil {
		return false // the slices will say why
	}
	all, err := searchJSON(body, filter.Limit+1)
	return err == nil && len(all) <= filter.Limit
}

// slicesOf splits the time range so that a large sample is not all from its
// end. Tempo's searches see whole seconds, and at most a week.
func slicesOf(filter upstream.TraceFilter) []slice {
	const tracesPerSlice, maxSlices, longest = 50, 8, 7*24*time.Hour - time.Hour
	span := filter.End.Sub(filter.Start)
	n := min(filter.Limit/tracesPerSlice, maxSlices, int(span/(2*time.Second)))
	n = max(n, int((span+longest-1)/longest), 1)
	quota := (filter.Limit + n - 1) / n
	all := make([]slice, n)
	from := filter.Start
	for i := range all {
		to := filter.Start.Add(span / time.Duration(n) * time.Duration(i+1)).Truncate(time.Second)
		if i == n-1 {
			to = filter.End
		}
		all[i] = slice{from, to, quota}
		from = to
	}
	return all
}

// slicesAtOnce bounds the slices whose answers are in memory: more of them are no
// sooner decoded.
const slicesAtOnce = 3

// ask asks all slices side by side. A slice that fails leaves a warning; if
// all fail, the first failure is the answer.
func (c *Client) ask(ctx context.Context, query string, times []slice) ([]sampled, error) {
	parts := make([]sampled, len(times))
	failures := make([]error, len(times))
	var group parallel.Group
	group.SetLimit(slicesAtOnce)
	for i, s := range times {
		group.Go(func() error {
			failures[i] = parallel.Safely(func() (err error) { parts[i], err = c.askSlice(ctx, query, s); return err })
			return nil
		})
	}
	_ = group.Wait() // each slice has its own failure
	failed := 0
	for i, err := range failures {
		if err != nil {
			failed++
			parts[i].warnings = append(parts[i].warnings, fmt.Sprintf("the traces from %s to %s are missing: %s",
				times[i].from.UTC().Format(time.RFC3339), times[i].to.UTC().Format(time.RFC3339), err))
		}
	}
	if failed == len(times) {
		return nil, failures[0]
	}
	return parts, nil
}

// charge charges a request for the traces that it keeps.
func charge(ctx context.Context, kept ...found) error {
	var size int64
	for i := range kept {
		size += upstream.SizeOfSpans(kept[i].Spans)
	}
	err := budget.Charge(ctx, size)
	if refused := upstream.Refusal(Name, err); refused != nil {
		return refused
	}
	return err
}

// hiddenWarning is what is said of a time that Tempo does not let be searched.
const hiddenWarning = "Tempo hides its newest traces from searches: query_frontend.query_end_cutoff says how long"

// isHidden says that Tempo 3 refused a question because all of its time lies
// within what it hides. That is no failure: nothing is to be seen there yet.
func isHidden(err error) bool {
	var known *upstream.Error
	return errors.As(err, &known) && known.Category == upstream.Rejected && strings.Contains(known.Message, "query_end_cutoff")
}

// askSlice asks one slice, or its two halves where the answer is too large.
func (c *Client) askSlice(ctx context.Context, query string, s slice) (sampled, error) {
	all, err := c.readSlice(ctx, query, s)
	var known *upstream.Error
	if errors.As(err, &known) && known.Category == upstream.TooLarge && s.quota > 1 && s.to.Sub(s.from) >= 2*time.Second {
		middle := s.from.Add(s.to.Sub(s.from) / 2).Truncate(time.Second)
		later, err := c.askSlice(ctx, query, slice{middle, s.to, (s.quota + 1) / 2})
		if err != nil {
			return sampled{}, err
		}
		earlier, err := c.askSlice(ctx, query, slice{s.from, middle, s.quota / 2})
		later.traces = append(later.traces, earlier.traces...)
		later.truncated = later.truncated || earlier.truncated
		return later, err
	}
	if isHidden(err) {
		return sampled{warnings: []string{hiddenWarning}}, nil
	}
	if err != nil {
		return sampled{}, err
	}
	part := sampled{truncated: len(all) > s.quota}
	newestFirst(all)
	for _, f := range all[:min(len(all), s.quota)] {
		// Tempo gives every trace that reaches into the seconds asked for.
		if began := time.Unix(0, f.start); !began.Before(s.from) && began.Before(s.to) {
			part.traces = append(part.traces, f)
		}
	}
	return part, charge(ctx, part.traces...)
}

// readSlice reads the traces that reach into a slice, one more than its quota. The
// answer's text is given back once it is decoded.
func (c *Client) readSlice(ctx context.Context, query string, s slice) (all []found, err error) {
	ctx, held := budget.Part(ctx)
	defer held.Close()
	body, header, err := get(ctx, c.transport, asProtobuf+", "+asJSON+";q=0.5", "/api/search",
		"q", query, "limit", strconv.Itoa(s.quota+1), "spss", strconv.Itoa(spansPerTrace), "start", seconds(s.from), "end", secondsUp(s.to))
	if err != nil {
		return nil, err
	}
	read := searchJSON
	if strings.HasPrefix(header.Get("Content-Type"), asProtobuf) {
		read = searchProtobuf
	}
	err = c.transport.Decode(ctx, func() (err error) {
		all, err = read(body, s.quota+1)
		return err
	})
	if err != nil {
		return nil, c.malformed(err)
	}
	return all, nil
}

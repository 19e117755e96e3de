package tempo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// longestCount is how long a time range TraceQL metrics of Tempo 2.x take.
	longestCount = 3 * time.Hour
	// maxIntervals is how many steps they take, by Tempo's default a little
	// more.
	maxIntervals = 9_000
	// maxCounts bounds how many queries one question is split into.
	maxCounts = 128
	// maxVersions bounds the series of one question.
	maxVersions = 1_000
)

// SpanCounts implements upstream.Traces by TraceQL metrics. The parts of a
// long window are asked side by side.
func (c *Client) SpanCounts(ctx context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	counts, err := newCounts(window)
	if err != nil {
		return upstream.SeriesSet{}, err
	}
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	query := spanCounts(service)
	parts := counts.parts()
	if len(parts) > maxCounts {
		err := rejected("the time range of %s at a step of %s takes more than %d queries of TraceQL metrics", window.End.Sub(window.Start), window.Step, maxCounts)
		err.Advice = "Shorten the time range or raise the step"
		return upstream.SeriesSet{}, err
	}
	answers := make([]countsJSON, len(parts))
	failures := make([]error, len(parts))
	var group parallel.Group
	for i, part := range parts {
		group.Go(func() error {
			failures[i] = parallel.Safely(func() (err error) { answers[i], err = c.count(ctx, query, part); return err })
			return nil
		})
	}
	_ = group.Wait() // each part has its own failure
	var set upstream.SeriesSet
	failed := 0
	for i, part := range parts {
		if isHidden(failures[i]) {
			set.Warnings = append(set.Warnings, hiddenWarning)
			counts.missing(part)
			continue
		}
		if failures[i] != nil {
			failed++
			set.Warnings = append(set.Warnings, fmt.Sprintf("no span counts from %s to %s: %s",
				part.after.UTC().Format(time.RFC3339), part.until.UTC().Format(time.RFC3339), failures[i]))
			counts.missing(part)
			continue
		}
		if answers[i].Status == "PARTIAL" {
			set.Warnings = append(set.Warnings, Name+" counted only a part of the spans: "+c.transport.Clean(answers[i].Message, upstream.MaxMessage))
		}
		counts.add(answers[i], part)
	}
	if failed == len(parts) {
		return upstream.SeriesSet{}, failures[0]
	}
	if counts.refused {
		set.Warnings = append(set.Warnings, fmt.Sprintf("there are more than %d versions; the others are left out", maxVersions))
	}
	set.Series = counts.series()
	return set, nil
}

// count asks for one part.
func (c *Client) count(ctx context.Context, query string, part countPart) (countsJSON, error) {
	body, _, err := get(ctx, c.metrics, asJSON, "/api/metrics/query_range",
		"q", query, "start", seconds(part.after), "end", secondsUp(part.until), "step", part.step.String())
	if err != nil {
		return countsJSON{}, withoutMetrics(err)
	}
	var answer countsJSON
	if err := json.Unmarshal(body, &answer); err != nil {
		return countsJSON{}, c.malformed(err)
	}
	return answer, nil
}

// withoutMetrics adds what to do where TraceQL metrics may be switched off.
// Tempo says so by a failure without a code of its own.
func withoutMetrics(err error) error {
	var known *upstream.Error
	if !errors.As(err, &known) {
		return err
	}
	switch known.Category {
	case upstream.Server, upstream.NotFound, upstream.Unavailable:
		advised := *known
		advised.Advice = "TraceQL metrics may be switched off: Tempo 2.x needs local-blocks among the processors of its metrics generator"
		return &advised
	}
	return err
}

// countsJSON is a tempopb.QueryRangeResponse.
type countsJSON struct {
	Status  string
	Message string
	Series  []struct {
		Labels  []attributeJSON
		Samples []struct {
			TimestampMs integer
			Value       float
		}
		// PromLabels exist up to 2.8 only.
		PromLabels string
	}
}

// counts sums samples up on the points of a window.
type counts struct {
	window  upstream.Range
	rows    map[[2]string][]float64
	gaps    []countPart
	refused bool
}

func newCounts(window upstream.Range) (*counts, error) {
	if window.Points() == 0 || window.Step%time.Second != 0 {
		return nil, rejected("the time range holds no points, or its step is not in whole seconds")
	}
	if window.Points() > maxIntervals*maxCounts {
		return nil, rejected("the time range holds more than %d points", maxIntervals*maxCounts)
	}
	return &counts{window: window, rows: map[[2]string][]float64{}}, nil
}

// countPart is a part of the window: spans that began in after < t ≤ until,
// counted per step.
type countPart struct {
	after, until time.Time
	step         time.Duration
}

// parts splits the window into what TraceQL metrics take in one query. A long
// step is counted in shorter ones.
func (c *counts) parts() []countPart {
	divisor := time.Duration(1)
	for c.window.Step/divisor > longestCount/3 || c.window.Step%(divisor*time.Second) != 0 {
		divisor++
	}
	step := c.window.Step / divisor
	length := min(longestCount/step, maxIntervals) * step
	// Tempo 2.8 counts a step more.
	length = max(length-step, step)
	var all []countPart
	last := c.window.Start.Add(time.Duration(c.window.Points()-1) * c.window.Step)
	for after := c.window.Start.Add(-c.window.Step); after.Before(last); after = after.Add(length) {
		until := after.Add(length)
		if until.After(last) {
			until = last
		}
		all = append(all, countPart{after, until, step})
	}
	return all
}

// index is the point whose step contains t: the first at or after it.
func (c *counts) index(t time.Time) int {
	grid := series.Series{Start: c.window.Start, Step: c.window.Step}
	return grid.Index(t)
}

func (c *counts) add(answer countsJSON, part countPart) {
	for _, one := range answer.Series {
		var key [2]string
		for _, label := range one.Labels {
			switch label.Key {
			case "resource.service.name":
				key[0] = label.Value.text()
			case "resource.service.version":
				key[1] = label.Value.text()
			}
		}
		row, ok := c.rows[key]
		if !ok {
			if len(c.rows) == maxVersions {
				c.refused = true
				continue
			}
			row = make([]float64, c.window.Points())
			c.rows[key] = row
		}
		for _, sample := range one.Samples {
			at := time.UnixMilli(int64(sample.TimestampMs))
			if one.PromLabels != "" {
				// Up to Tempo 2.8 a sample counts the step that begins at its
				// time, since 2.9 the step that ends there.
				at = at.Add(part.step)
			}
			value := float64(sample.Value)
			if math.IsNaN(value) || math.IsInf(value, 0) || !at.After(part.after) || at.After(part.until) {
				continue
			}
			if i := c.index(at); i >= 0 && i < len(row) {
				row[i] += value
			}
		}
	}
}

// missing marks a part that could not be counted.
func (c *counts) missing(part countPart) { c.gaps = append(c.gaps, part) }

// series are the rows, sorted by labels.
func (c *counts) series() []series.Series {
	var all []series.Series
	for key, row := range c.rows {
		for _, gap := range c.gaps {
			for i := max(c.index(gap.after.Add(1)), 0); i < len(row) && i <= c.index(gap.until); i++ {
				row[i] = math.NaN()
			}
		}
		all = append(all, series.Series{
			Labels: series.Labels{"service_name": key[0], "service_version": key[1]},
			Start:  c.window.Start, Step: c.window.Step, Values: row,
		})
	}
	slices.SortFunc(all, func(a, b series.Series) int { return cmp.Compare(a.Labels.String(), b.Labels.String()) })
	return all
}

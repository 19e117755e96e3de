package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// defaultScrape is assumed where the data do not tell: Prometheus' usual
	// interval.
	defaultScrape = 15 * time.Second
	// scrapeLook is the time in which samples are counted, and scrapeGrid what
	// its end is aligned to, so that the count is cached.
	scrapeLook, scrapeGrid = 15 * time.Minute, 5 * time.Minute
	// What has so few samples that a few more or less matter is looked at for longer.
	rareScrape, rareLook = 5 * time.Minute, 4 * time.Hour
	// maxCounted bounds the selectors of an expression whose samples are counted.
	maxCounted = 20
	// minRateWindow is the least window of rates: several scrapes, so that one
	// lost one is no event.
	minRateWindow = 5 * time.Minute
)

// scrapeIntervals are those that people configure. A shorter one than the default
// needs no shorter window.
var scrapeIntervals = []time.Duration{
	defaultScrape, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
	10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// ScrapeInterval is how often the series of an expression are scraped, at an
// instant: as the settings say or, from the spacing of samples, the longest
// interval where its selectors differ; 15 s where there are no samples. Macros
// in the expression may be unfilled.
func (e Sources) ScrapeInterval(ctx context.Context, promQL string, at time.Time) (time.Duration, error) {
	intervals, err := e.ScrapeIntervals(ctx, []string{promQL}, at)
	return cmp.Or(intervals[0], defaultScrape), err
}

// ScrapeIntervals are those of several expressions, learned with one query, and
// another one where some are scraped rarely; 0 where there are no samples, or the
// server cannot count them.
func (e Sources) ScrapeIntervals(ctx context.Context, promQLs []string, at time.Time) ([]time.Duration, error) {
	intervals := make([]time.Duration, len(promQLs))
	if e.Scrape > 0 || e.Metrics == nil {
		for i := range intervals {
			intervals[i] = e.Scrape
		}
		return intervals, nil
	}
	unknown := map[int]string{}
	for i, promQL := range promQLs {
		unknown[i] = promQL
	}
	if err := e.learnIntervals(ctx, intervals, unknown, at, scrapeLook, scrapeGrid); err != nil {
		return intervals, err
	}
	for i, interval := range intervals {
		if interval > 0 && interval < rareScrape {
			delete(unknown, i)
		}
	}
	return intervals, e.learnIntervals(ctx, intervals, unknown, at, rareLook, rareLook/4)
}

// learnIntervals sets the intervals of expressions by the samples of a time, and of
// its newest part.
func (e Sources) learnIntervals(ctx context.Context, intervals []time.Duration, promQLs map[int]string, at time.Time, look, newest time.Duration) error {
	var counts []string
	for _, i := range slices.Sorted(maps.Keys(promQLs)) {
		if count := sampleCounts(promQLs[i], look, newest); count != "" {
			counts = append(counts, fmt.Sprintf(`label_replace(%s, "expr", "%d", "", "")`, count, i))
		}
	}
	if len(counts) == 0 {
		return nil
	}
	at = Floor(at, scrapeGrid)
	set, err := e.Metrics.QueryRange(ctx, strings.Join(counts, " or "), upstream.Range{Start: at, End: at, Step: scrapeGrid})
	var refused *upstream.Error
	if errors.As(err, &refused) && refused.Category == upstream.Rejected {
		return nil // of metrics that differ by their names alone samples cannot be counted
	}
	if err != nil {
		return err
	}
	for _, one := range set.Series {
		if i, err := strconv.Atoi(one.Labels["expr"]); err == nil && i >= 0 && i < len(intervals) && len(one.Values) > 0 {
			intervals[i] = nearestInterval(one.Values[0], look)
		}
	}
	return nil
}

// WithScrape is a window that knows how often what it is about is scraped, which
// bounds its step from below. Where the step was chosen, that is not looked up.
func (e Sources) WithScrape(ctx context.Context, window Window, chosen time.Duration, promQL string) (Window, error) {
	if chosen > 0 {
		return window, nil
	}
	scrape, err := e.ScrapeInterval(ctx, promQL, e.Present(window))
	window.Scrape = scrape
	return window, err
}

// Present is the end of a window, or now where that is earlier.
func (e Sources) Present(window Window) time.Time {
	if e.Now != nil && window.To.After(e.Now()) {
		return e.Now()
	}
	return window.To
}

// RateWindow is the least window of a rate over what is scraped so often.
func RateWindow(scrape time.Duration) time.Duration {
	return max(minRateWindow, minRateScrapes*scrape)
}

// sampleCounts is PromQL for the samples that a series of the selector which has
// the fewest has in a time; empty where the expression is not PromQL.
func sampleCounts(promQL string, look, newest time.Duration) string {
	filled := fillMacros(promQL, Grid{Step: time.Minute, Range: time.Hour}, defaultScrape)
	if len(filled) > maxFilteredExpr {
		return ""
	}
	parsed, err := parsePromQL(filled)
	if err != nil {
		return ""
	}
	var counts []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is && len(counts) < maxCounted {
			bare := parser.VectorSelector{Name: selector.Name, LabelMatchers: selector.LabelMatchers}
			// The oldest series count, as young ones have fewer samples; and the newest
			// part, where all are young.
			counts = append(counts, "max("+union(
				fmt.Sprintf("max(count_over_time(%s[%ds]))", bare.String(), int(look.Seconds())),
				fmt.Sprintf("%d * max(count_over_time(%s[%ds]))", look/newest, bare.String(), int(newest.Seconds())),
			)+")")
		}
		return nil
	})
	if len(counts) < 2 {
		return strings.Join(counts, "")
	}
	return "min(" + union(counts...) + ")"
}

// union is PromQL for several numbers side by side, each with a label of its own.
func union(numbers ...string) string {
	for i, number := range numbers {
		numbers[i] = fmt.Sprintf(`label_replace(%s, "n", "%d", "", "")`, number, i)
	}
	return strings.Join(numbers, " or ")
}

// nearestInterval is the usual interval nearest to the spacing of so many
// samples in a time.
func nearestInterval(samples float64, look time.Duration) time.Duration {
	if !(samples >= 1) {
		return defaultScrape
	}
	spacing := time.Duration(float64(look) / samples)
	best := scrapeIntervals[0]
	for _, candidate := range scrapeIntervals {
		if (candidate - spacing).Abs() < (best - spacing).Abs() {
			best = candidate
		}
	}
	return best
}

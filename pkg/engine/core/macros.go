package core

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// macro matches a variable of Grafana's: $__name, ${__name} or ${__name:format}.
var macro = regexp.MustCompile(`\$(?:(__[a-z_]+)|\{(__[a-z_]+)(?::[^{}]*)?\})`)

// fillMacros replaces Grafana's variables of intervals and ranges. The browser
// does not know the step that models learn from, and rules fill in nothing, so
// that panels and rules agree only if it is done here. Other variables stay.
func fillMacros(promQL string, g Grid, scrape time.Duration) string {
	rate := max(g.Step+scrape, minRateScrapes*scrape)
	seconds := func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	values := map[string]string{
		"__interval": seconds(g.Step) + "s", "__interval_ms": milliseconds(g.Step),
		"__rate_interval": seconds(rate) + "s", "__rate_interval_ms": milliseconds(rate),
		"__range": seconds(g.Range) + "s", "__range_s": seconds(g.Range), "__range_ms": milliseconds(g.Range),
	}
	return macro.ReplaceAllStringFunc(promQL, func(found string) string {
		parts := macro.FindStringSubmatch(found)
		if value, known := values[parts[1]+parts[2]]; known {
			return value
		}
		return found
	})
}

const (
	// defaultScrape is assumed where the data do not tell: Prometheus' usual
	// interval.
	defaultScrape = 15 * time.Second
	// minRateScrapes is how many scrapes the window of a rate holds, so that it
	// has two samples even where one scrape is lost.
	minRateScrapes = 4
	// scrapeLook is the time in which samples are counted, and scrapeGrid what
	// its end is aligned to, so that the count is cached.
	scrapeLook, scrapeGrid = 15 * time.Minute, 5 * time.Minute
	// maxCounted bounds the selectors of an expression whose samples are counted.
	maxCounted = 10
)

// scrapeIntervals are those that people configure. A shorter one than the default
// needs no shorter window.
var scrapeIntervals = []time.Duration{
	defaultScrape, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
}

// ScrapeInterval learns from the spacing of samples how often the series of an
// expression are scraped, at an instant: the longest interval where its selectors
// differ, 15 s where there are no samples. Macros in the expression may be
// unfilled.
func (e Sources) ScrapeInterval(ctx context.Context, promQL string, at time.Time) (time.Duration, error) {
	counts := sampleCounts(promQL)
	if e.Metrics == nil || counts == "" {
		return defaultScrape, nil
	}
	at = Floor(at, scrapeGrid)
	set, err := e.Metrics.QueryRange(ctx, counts, upstream.Range{Start: at, End: at, Step: scrapeGrid})
	if err != nil || len(set.Series) == 0 || len(set.Series[0].Values) == 0 {
		return defaultScrape, err
	}
	return nearestInterval(set.Series[0].Values[0]), nil
}

// sampleCounts is PromQL for the samples in scrapeLook of a series of the
// selector that has the fewest; empty where the expression is not PromQL.
func sampleCounts(promQL string) string {
	filled := fillMacros(promQL, Grid{Step: time.Minute, Range: time.Hour}, defaultScrape)
	if len(filled) > maxFilteredExpr {
		return ""
	}
	parsed, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(filled)
	if err != nil {
		return ""
	}
	var counts []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is && len(counts) < maxCounted {
			bare := parser.VectorSelector{Name: selector.Name, LabelMatchers: selector.LabelMatchers}
			// The oldest series count, as young ones have fewer samples; and the newest
			// minutes, where all are young.
			counts = append(counts, "max("+union(
				fmt.Sprintf("max(count_over_time(%s[%ds]))", bare.String(), int(scrapeLook.Seconds())),
				fmt.Sprintf("%d * max(count_over_time(%s[%ds]))", scrapeLook/scrapeGrid, bare.String(), int(scrapeGrid.Seconds())),
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
// samples.
func nearestInterval(samples float64) time.Duration {
	if !(samples >= 1) {
		return defaultScrape
	}
	spacing := time.Duration(float64(scrapeLook) / samples)
	best := scrapeIntervals[0]
	for _, candidate := range scrapeIntervals {
		if (candidate - spacing).Abs() < (best - spacing).Abs() {
			best = candidate
		}
	}
	return best
}

// fill fills in the macros of an expression. The scrape interval is only looked
// up where a macro needs it.
func (e Sources) fill(ctx context.Context, promQL string, g Grid) (string, error) {
	scrape := defaultScrape
	if strings.Contains(promQL, "__rate_interval") {
		var err error
		if scrape, err = e.ScrapeInterval(ctx, promQL, g.To); err != nil {
			return "", err
		}
	}
	return fillMacros(promQL, g, scrape), nil
}

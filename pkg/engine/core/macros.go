package core

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
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

// minRateScrapes is how many scrapes the window of a rate holds, so that it has
// two samples even where one scrape is lost.
const minRateScrapes = 4

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

package core

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/query"
)

// macro matches a variable of Grafana's: $__name, ${__name}, ${__name:format} or
// [[__name]].
var macro = regexp.MustCompile(`\$(?:(__[a-z_]+)|\{(__[a-z_]+)(?::([^{}]*))?\})|\[\[(__[a-z_]+)(?::([^\[\]]*))?\]\]`)

// fillMacros replaces Grafana's variables of intervals, ranges and times. The
// browser does not know the step that models learn from, and rules fill in
// nothing, so that panels and rules agree only if it is done here. Other variables
// stay.
func fillMacros(promQL string, g Grid, scrape time.Duration) string {
	rate := max(g.Step+scrape, minRateScrapes*scrape)
	seconds := func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	values := map[string]string{
		"__interval": seconds(g.Step) + "s", "__interval_ms": milliseconds(g.Step),
		"__rate_interval": seconds(rate) + "s", "__rate_interval_ms": milliseconds(rate),
		"__range": seconds(g.Range) + "s", "__range_s": seconds(g.Range), "__range_ms": milliseconds(g.Range),
	}
	times := map[string]time.Time{"__from": g.From, "__to": g.To}
	return macro.ReplaceAllStringFunc(promQL, func(found string) string {
		parts := macro.FindStringSubmatch(found)
		name, format := parts[1]+parts[2]+parts[4], parts[3]+parts[5]
		if value, known := values[name]; known {
			return value
		}
		if at, known := times[name]; known {
			return timeAs(format, at)
		}
		return found
	})
}

// timeAs is a time in one of Grafana's formats: milliseconds since 1970, but for
// date:seconds and date:iso.
func timeAs(format string, at time.Time) string {
	switch format {
	case "date:seconds":
		return strconv.FormatInt(at.Unix(), 10)
	case "date", "date:iso":
		return at.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
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

// quotedText is a string of PromQL.
var quotedText = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`")

// unfilled is a variable of a dashboard that an expression still holds where it can
// mean nothing else: outside of strings, as the whole value of a label, or behind
// the end of a regular expression. It is empty where there is none.
func unfilled(promQL string) string {
	if found := query.Variable(quotedText.ReplaceAllString(promQL, `""`)); found != "" {
		return found
	}
	if len(promQL) > maxFilteredExpr {
		return ""
	}
	parsed, err := parsePromQL(promQL)
	if err != nil {
		return "" // its dialect is the server's matter
	}
	name := ""
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		for _, m := range selector.LabelMatchers {
			found := query.Variable(m.Value)
			isRegex := m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp
			if found != "" && (found == m.Value || isRegex && found[0] == '$' && !strings.Contains(m.Value, `\$`)) {
				name = found
			}
		}
		return nil
	})
	return name
}

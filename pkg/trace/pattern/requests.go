package pattern

import (
	"regexp"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Some requests are not like the others: what would be waste elsewhere is what
// they are for.

var batchName = regexp.MustCompile(`(?i)\b(job|cron|batch|import|export|migrat\w*|re?-?index\w*|etl|backfill|sync|schedule\w*|report|nightly|cleanup|worker)\b`)

// isBatch tells jobs, which work through many items by design.
func isBatch(t *trace.Trace, root *trace.Node) bool {
	if root.Span == trace.None {
		return false
	}
	span := &t.Spans[root.Span]
	if len(span.Links) > 1 && span.IsConsumer() {
		return true // it works through the messages that it is linked to
	}
	return span.Kind != trace.Server && span.Kind != trace.Client && span.Kind != trace.Consumer && batchName.MatchString(span.Name)
}

// isGraph tells queries of a graph (GraphQL).
func isGraph(t *trace.Trace, root *trace.Node) bool {
	if root.Span == trace.None {
		return false
	}
	span := &t.Spans[root.Span]
	return strings.Contains(strings.ToLower(span.Name+" "+firstOf(span, "http.route", "url.path", "http.target")), "graphql")
}

// pageLoad is how instrumentations of browsers call what a person does there.
var pageLoad = regexp.MustCompile(`(?i)^(document ?load|document ?fetch|page ?load|navigation|route ?change|click|submit)\b`)

// isBrowser tells requests that began in a browser.
func isBrowser(t *trace.Trace, root *trace.Node) bool {
	if root.Span == trace.None {
		return false
	}
	span := &t.Spans[root.Span]
	return span.Kind != trace.Server && span.Kind != trace.Consumer && pageLoad.MatchString(span.Name)
}

// agent is how instrumentations of language models call their work: what comes
// next is decided by what came before.
var agent = regexp.MustCompile(`(?i)^(invoke_agent|create_agent|execute_tool|chat|text_completion|generate_content)\b`)

// isAgent says that a scope is the work of a language model.
func (s *traceView) isAgent(made *scope) bool {
	span := s.node(made.node).Span
	return span != trace.None && agent.MatchString(s.tree.Trace.Spans[span].Name)
}

const (
	// A browser that asks for minBurst addresses of one kind within burstGap of
	// each other, for minBurstTime together, asks per item: it has few
	// connections, and each request costs. The rule is that of Sentry's N+1 API
	// calls.
	minBurst     = 5
	burstGap     = int64(15 * time.Millisecond)
	minBurstTime = int64(300 * time.Millisecond)
)

// notItems are addresses of which a browser asks for many by design.
var notItems = regexp.MustCompile(`(?i)graphql|/assets/|/static/|/_next/|\.(m?js|css|map|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf)(\?|$)`)

// bursts says that a browser makes calls of one path at nearly the same time.
func (s *traceView) bursts(calls []int32) bool {
	if !s.browser || len(calls) < minBurst || s.time(calls) < minBurstTime {
		return false
	}
	for i, index := range calls {
		if !s.calls[index].read || notItems.MatchString(s.calls[index].address) || i > 0 && s.node(index).Start-s.node(calls[i-1]).Start >= burstGap {
			return false
		}
	}
	return true
}

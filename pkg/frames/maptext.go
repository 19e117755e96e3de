package frames

import (
	"fmt"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace/topology"
)

// The node graph shows texts: figures are written here.

// latency is the 95th percentile of the first of the two that is known: a
// node's is the callee's, an edge's the caller's.
func latency(first, second topology.Quantiles) (nanoseconds float64, count int) {
	if first.Count > 0 {
		return first.P95, first.Count
	}
	return second.P95, second.Count
}

// shortDuration is a duration to three digits; empty where there is none.
func shortDuration(nanoseconds float64, count int) string {
	if count == 0 || !isFinite(nanoseconds) {
		return ""
	}
	switch d := time.Duration(nanoseconds); {
	case d >= time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3g ms", nanoseconds/1e6)
	}
	return fmt.Sprintf("%.3g µs", nanoseconds/1e3)
}

func quantilesText(q topology.Quantiles) string {
	if q.Count == 0 {
		return ""
	}
	return shortDuration(q.P50, q.Count) + " / " + shortDuration(q.P95, q.Count)
}

func rateText(perSecond float64) string {
	if perSecond > 0 && perSecond < 0.1 {
		return fmt.Sprintf("%.3g/min", 60*perSecond)
	}
	return fmt.Sprintf("%.3g/s", perSecond)
}

// percent is a share; what rounding leaves of a zero is none.
func percent(share float64) string {
	if share < 1e-9 {
		share = 0
	}
	return fmt.Sprintf("%.3g %%", 100*share)
}

// beforeAfter is a figure, with the baseline's before it where there is one.
func beforeAfter(before *topology.Load, now topology.Load, text func(topology.Load) string) string {
	after := text(now)
	if before == nil || before.Calls == 0 && before.Traces == 0 {
		return after
	}
	past := text(*before)
	if past == "" || past == after {
		return after
	}
	if after == "" {
		after = "nothing"
	}
	return past + " → " + after
}

func errorsText(now topology.Load, before *topology.Load) string {
	return beforeAfter(before, now, func(l topology.Load) string {
		if l.Calls == 0 {
			return ""
		}
		return fmt.Sprintf("%s (%s–%s)", percent(l.Errors.Estimate), percent(l.Errors.Lower), percent(l.Errors.Upper))
	})
}

func changesText(changes []topology.Change) string {
	var texts []string
	for _, change := range changes {
		texts = append(texts, strings.ReplaceAll(string(change), "_", " "))
	}
	return strings.Join(texts, ", ")
}

func versionsText(versions []topology.Version) string {
	var names []string
	for _, version := range versions {
		names = append(names, version.Name)
	}
	return strings.Join(names, ", ")
}

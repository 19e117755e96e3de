package promapi

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
)

const (
	// resolution is that of all derived metrics, as it is of rules.
	resolution = time.Minute
	// ruleWindow is the window of a rule: see provisioning/alerting.
	ruleWindow = 30 * time.Minute
	// maxInstants bounds the instants that are computed one by one for one query.
	maxInstants = 61
)

// timeSeries is one series of a result.
type timeSeries struct {
	labels map[string]string
	points []point // ascending by time, finite values
	// warnings say how far the numbers can be trusted, and what was left out.
	warnings []string
}

type point struct {
	at    time.Time
	value float64
}

// timeRange is the instants at which a metric is evaluated.
type timeRange struct {
	from, to time.Time
	step     time.Duration
}

func (r timeRange) instant() bool { return r.from.Equal(r.to) }

// window is the range with a rule's window before its first instant, so that
// engines and rules get the same number.
func (r timeRange) window() engine.Window {
	return engine.Window{From: r.from.Add(-ruleWindow), To: r.to, Step: resolution, Complete: true}
}

// windowAt is the window over which a rule is evaluated at an instant.
func windowAt(t time.Time) engine.Window { return timeRange{from: t, to: t}.window() }

// RuleWindow is the window over which a rule is evaluated now.
func RuleWindow(now time.Time) engine.Window { return windowAt(now.Truncate(resolution).UTC()) }

// instants are the points in time, oldest first.
func (r timeRange) instants() ([]time.Time, error) {
	if r.instant() {
		return []time.Time{r.to}, nil
	}
	if n := int(r.to.Sub(r.from)/r.step) + 1; n > maxInstants {
		return nil, fmt.Errorf("%d points are more than the %d that are worked out for one query: widen the step or shorten the range", n, maxInstants)
	}
	var all []time.Time
	for t := r.from; !t.After(r.to); t = t.Add(r.step) {
		all = append(all, t)
	}
	return all, nil
}

// toPoints are the finite values of a regular grid from an instant on.
func toPoints(start time.Time, step time.Duration, values []float64, from time.Time) []point {
	var points []point
	for i, v := range values {
		t := start.Add(time.Duration(i) * step)
		if !t.Before(from) && !math.IsNaN(v) && !math.IsInf(v, 0) {
			points = append(points, point{t, v})
		}
	}
	return points
}

// sizeOf is about what series take in memory, in bytes.
func sizeOf(all []timeSeries) (size int64) {
	const header, entry, each = 24, 64, 32
	for _, one := range all {
		size += 3*header + int64(len(one.points))*each
		for name, value := range one.labels {
			size += int64(len(name)+len(value)) + entry
		}
		for _, warning := range one.warnings {
			size += int64(len(warning)) + header
		}
	}
	return size
}

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
	// maxComputed bounds the instants that are computed one by one for one query.
	maxComputed = 60
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

// stretches are the instants, oldest first, in as many groups as can be computed
// one by one: what is known at the first of a group answers for all of it. Few
// instants are a group each.
func (r timeRange) stretches() ([][]time.Time, error) {
	count := int(r.to.Sub(r.from)/r.step) + 1
	if count > maxSteps {
		return nil, fmt.Errorf("%d points are more than the %d that one query may have: widen the step or shorten the range", count, maxSteps)
	}
	size := (count + maxComputed - 1) / maxComputed
	var groups [][]time.Time
	for i := range count {
		if i%size == 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], r.from.Add(time.Duration(i)*r.step))
	}
	return groups, nil
}

// held are points at the instants of the range where their own grid is coarser
// than what counts as now: each holds until the next.
func (r timeRange) held(points []point, grid time.Duration) []point {
	if grid <= lookback || len(points) == 0 {
		return points
	}
	var all []point
	next := 0
	for t := r.from; !t.After(r.to); t = t.Add(r.step) {
		for next < len(points) && !points[next].at.After(t) {
			next++
		}
		if next > 0 && t.Sub(points[next-1].at) < 2*grid {
			all = append(all, point{t, points[next-1].value})
		}
	}
	return all
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

package metrics

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// A native histogram has no series of buckets. Its shares between fixed bounds, as
// PromQL computes them, are those of a classic one.

const (
	// lowest and highest are the quantiles between which the bounds lie, with room
	// above, where a second mode would be.
	lowest, highest = 0.01, 0.999
	// above is how many times as much as the highest quantile still has a bound.
	above = 8
	// maxNativeBounds bounds the query.
	maxNativeBounds = 20
	// quantileStep is how often the quantiles of the past are looked at.
	quantileStep = 6 * time.Hour
)

// bucketsOf is PromQL of buckets with the label le: the query's own or, of native
// histograms, their shares between bounds.
func (e Evaluator) bucketsOf(ctx context.Context, q query.Anomaly, g core.Grid, basis *core.Provenance) (string, error) {
	if e.Metrics == nil {
		return "", core.ErrNoMetrics
	}
	promQL, err := e.Filled(ctx, q.Expr, q.Filters, g)
	if err != nil || strings.Contains(promQL, "_bucket") {
		return promQL, err
	}
	classic, promQL := promQL, "("+promQL+"\n)" // that may end in a comment
	end := core.Floor(g.From, quantileStep)
	past := upstream.Range{Start: core.Floor(g.Start, quantileStep), End: end, Step: quantileStep}
	// Of buckets with the label le there is no histogram_count.
	ends := make([][]float64, 2)
	for i, quantile := range []float64{lowest, highest} {
		set, err := e.Metrics.QueryRange(ctx, fmt.Sprintf("histogram_quantile(%g, %s and histogram_count(%s))", quantile, promQL, promQL), past)
		if err != nil {
			return "", err
		}
		ends[i] = positive(set.Series)
	}
	if len(ends[0]) == 0 || len(ends[1]) == 0 {
		return classic, nil // no native histogram, or one without a past
	}
	bounds := nativeBounds(slices.Min(ends[0]), slices.Max(ends[1]))
	basis.AddRemark(fmt.Sprintf("The histogram is a native one: its shares are compared between %d bounds from %.3g to %.3g.", len(bounds), bounds[0], bounds[len(bounds)-1]))
	return sharesBetween(promQL, bounds), nil
}

// positive are the numbers above zero of all series.
func positive(all []series.Series) []float64 {
	var found []float64
	for _, one := range all {
		for _, v := range one.Values {
			if v > 0 && !math.IsInf(v, 0) {
				found = append(found, v)
			}
		}
	}
	return found
}

// nativeBounds are powers of two around what was observed, so that they stay the same
// from day to day.
func nativeBounds(low, high float64) (bounds []float64) {
	first, last := math.Floor(math.Log2(low)), math.Ceil(math.Log2(high*above))
	step := 0.5
	for (last-first)/step >= maxNativeBounds {
		step *= 2
	}
	for exponent := first; exponent <= last; exponent += step {
		bounds = append(bounds, math.Exp2(exponent))
	}
	return bounds
}

// sharesBetween is what of a native histogram lies up to each bound, as a classic
// histogram's buckets.
func sharesBetween(promQL string, bounds []float64) string {
	parts := []string{fmt.Sprintf(`label_replace(histogram_count(%s), "le", "+Inf", "", "")`, promQL)}
	for _, bound := range bounds {
		le := strconv.FormatFloat(bound, 'g', 6, 64)
		parts = append(parts, fmt.Sprintf(`label_replace(histogram_fraction(-Inf, %s, %s) * histogram_count(%s), "le", %q, "", "")`, le, promQL, promQL, le))
	}
	return strings.Join(parts, " or ")
}

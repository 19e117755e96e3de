package replay

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// What people use in place of a model, on the same metric: each has the rule's
// pending and keep-firing time.

// quantiles are the static thresholds to choose from, by the share of values that
// lie within.
var quantiles = []float64{0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 1}

// Side is which deviations count.
type Side int

// The sides.
const (
	Both Side = iota
	High
	Low
)

// StaticThreshold chooses a static threshold over the first evaluations, up to
// number chosen: the tightest one that pages at most so often there. With both
// sides it is a band.
func StaticThreshold(metric *Record, rule Rule, side Side, chosen, maxPages int) Rule {
	var seen []float64
	for _, run := range metric.Runs {
		for _, s := range run.Series {
			for i := run.From; i < min(run.To, chosen); i++ {
				if v := metric.Series[s][i]; !math.IsNaN(v) {
					seen = append(seen, v)
				}
			}
		}
	}
	slices.Sort(seen)
	rule.Unload = nil
	for _, q := range quantiles {
		switch side {
		case High:
			rule.Load = Evaluator{Above, []float64{stats.Quantile(seen, q)}}
		case Low:
			rule.Load = Evaluator{Below, []float64{stats.Quantile(seen, 1-q)}}
		default:
			rule.Load = Evaluator{Outside, []float64{stats.Quantile(seen, (1-q)/2), stats.Quantile(seen, 1-(1-q)/2)}}
		}
		if Alerts(metric.Play(rule, 0, chosen).Pages()) <= maxPages {
			break
		}
	}
	return rule
}

// Alerts is how many pages are about a value.
func Alerts(pages []Page) (n int) {
	for _, p := range pages {
		if p.Kind == KindAlert {
			n++
		}
	}
	return n
}

// zScoreWindow is what a z-score is taken over, and zScoreLimit where it alerts: what
// recording rules for it commonly use.
const (
	zScoreWindow = 24 * time.Hour
	zScoreLimit  = 3
)

// ZScore is the metric in standard deviations from its mean over the last day, the
// newest value included, and the rule on it.
func ZScore(metric *Record, rule Rule, side Side) (*Record, Rule) {
	window := max(int(zScoreWindow/rule.Interval), 2)
	scores := make([][]float64, len(metric.Series))
	for k, values := range metric.Series {
		scores[k] = zScores(values, window)
	}
	rule.Unload = nil
	switch side {
	case High:
		rule.Load = Evaluator{Above, []float64{zScoreLimit}}
	case Low:
		rule.Load = Evaluator{Below, []float64{-zScoreLimit}}
	default:
		rule.Load = Evaluator{Outside, []float64{-zScoreLimit, zScoreLimit}}
	}
	return metric.With(scores), rule
}

func zScores(values []float64, window int) []float64 {
	center := stats.Median(values) // sums of squares around it lose little
	scores := make([]float64, len(values))
	sum, squares, n := 0.0, 0.0, 0.0
	add := func(v, weight float64) {
		if !math.IsNaN(v) {
			v -= center
			sum, squares, n = sum+weight*v, squares+weight*v*v, n+weight
		}
	}
	for i, v := range values {
		add(v, 1)
		if i >= window {
			add(values[i-window], -1)
		}
		mean := sum / n
		deviation := math.Sqrt(max(squares/n-mean*mean, 0))
		scores[i] = (v - center - mean) / deviation
		if n < 2 || !(deviation > 1e-9*math.Abs(center)) {
			scores[i] = math.NaN()
		}
	}
	return scores
}

// linearWindow and linearAhead are those of the usual predict_linear(x[1h], 3600).
const (
	linearWindow = time.Hour
	linearAhead  = time.Hour
)

// PredictLinear is the metric in an hour, if it goes on as a straight line through
// the last hour, as PromQL's predict_linear has it; the rule's limit stays.
func PredictLinear(metric *Record, interval time.Duration) *Record {
	window, ahead := max(int(linearWindow/interval), 2), float64(linearAhead)/float64(interval)
	lines := make([][]float64, len(metric.Series))
	for k, values := range metric.Series {
		lines[k] = lineAhead(values, window, ahead)
	}
	return metric.With(lines)
}

func lineAhead(values []float64, window int, ahead float64) []float64 {
	center := stats.Median(values)
	predicted := make([]float64, len(values))
	for i := range values {
		n, sx, sy, sxx, sxy := 0.0, 0.0, 0.0, 0.0, 0.0
		for j := max(i-window+1, 0); j <= i; j++ {
			if v := values[j]; !math.IsNaN(v) {
				x, y := float64(j-i), v-center
				n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
			}
		}
		spread := n*sxx - sx*sx
		predicted[i] = math.NaN()
		if spread > 0 {
			slope := (n*sxy - sx*sy) / spread
			predicted[i] = center + (sy-slope*sx)/n + slope*ahead
		}
	}
	return predicted
}

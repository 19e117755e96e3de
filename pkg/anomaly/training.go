package anomaly

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// This file is what detection and early warnings (package breach) share: which
// points teach and which are judged, the seasonal pattern, and the model cache.

// Split divides a history: points [Train, Test) are learned from, points
// [Test, End) are judged by what was learned. The model is valid until a time
// that the data may not have reached yet.
type Split struct {
	Train, Test, End int
	Until            time.Time
}

// Splits cuts the part of a history from a time on at midnights (UTC), each day
// with up to past before it to learn from, 28 days by default and at most.
func Splits(h series.Series, from time.Time, past time.Duration) []Split {
	var splits []Split
	for _, e := range epochs(Request{History: h, From: from, Past: past}, 0) {
		splits = append(splits, Split{Train: e.learn, Test: e.judge, End: e.end, Until: e.until})
	}
	return splits
}

// Pattern is the sum of the strong seasons of a series.
type Pattern struct {
	pattern
	clock   clock
	trained int
}

// LearnPattern learns the seasons among candidate periods, in points, by the clock
// of the past's location: where it is set back or forward, days go on by it. So
// many points ahead of the past will be asked for.
func LearnPattern(past series.Series, candidates []int, ahead int) Pattern {
	c := clockOf(past.Start, past.Step, past.Len()+ahead)
	laid := c.lay(past.Values)
	return Pattern{learnPattern(laid, candidates), c, len(laid)}
}

// At is the pattern at a point, counted from the first one learned from.
func (p Pattern) At(i int) float64 { return p.at(p.clock.shows(i), p.trained) }

// Longest is the longest period in points, zero where there is no season.
func (p Pattern) Longest() int { return p.longest() }

// Learned is anything that the model cache can hold.
type Learned interface {
	// Size is about how many bytes it takes.
	Size() int
}

// Cached returns what was learned from the training part of a split before, or
// learns it. The kind and the further parameters are what it depends on besides.
func Cached[L Learned](m *Models, kind string, h series.Series, s Split, learn func() (L, error), parameters ...any) (L, error) {
	if m == nil {
		return learn()
	}
	e := epoch{learn: s.Train, judge: s.Test, end: s.End, until: s.Until}
	return recall(m, keyOf(kind, h, e, parameters...), learn)
}

package distribution

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// lasting is how long a shape must be another: a burst of a minute is in the rates
	// of five.
	lasting = 6 * time.Minute
	// block is the time whose largest distance is one observation: distances of
	// steps in a row are alike.
	block = time.Hour
	// minBlocks is how many of them tell what is rare.
	minBlocks = 12
	// minDistance is the smallest distance that is worth a word.
	minDistance = 1
	// scored is the time that a score's probability is that of.
	scored = 5 * time.Minute
)

// Judge scores the distances from a time on by the tail of those before it: what
// lasts for some minutes, against the largest of each hour of the history, beyond
// which a generalised Pareto distribution goes on. What each day teaches is learned
// at its midnight (UTC), as anomaly.Detect does. The error wraps
// forecast.ErrShortHistory.
func (r Result) Judge(from time.Time, threshold float64) (anomaly.Result, error) {
	lasts := r.lasting()
	judged := r.Distance.Between(from, r.Distance.Time(r.Distance.Len()))
	first := r.Distance.Len() - judged.Len()
	judged.Values = lasts[first:]
	result := anomaly.Result{
		Actual: judged, Model: "distribution", Observed: r.Distance.Observed(), Parameters: map[string]float64{},
		Judgements: []anomaly.Judgement{{Detector: "distribution"}}, Notices: r.histogram.Notices,
	}
	var tail stats.Tail
	var epoch time.Time
	for i := first; i < r.Distance.Len(); i++ {
		if at := anomaly.Epoch(r.Distance.Time(i), r.Distance.Step); i == first || !at.Equal(epoch) {
			epoch = at
			maxima := maximaOf(lasts, min(max(r.Distance.Index(at), 0), i), r.Distance.Step)
			if len(maxima) < minBlocks {
				maxima = maximaOf(lasts, i, r.Distance.Step) // no day yet
			}
			if len(maxima) < minBlocks {
				return anomaly.Result{}, fmt.Errorf("%w: %d hours of the histogram's shape before %s, %d needed to tell what is usual",
					forecast.ErrShortHistory, len(maxima), r.Distance.Time(i).UTC().Format(time.RFC3339), minBlocks)
			}
			tail = stats.FitTail(maxima)
		}
		probability := r.probability(tail, lasts[i])
		result.Judgements[0].Probability = append(result.Judgements[0].Probability, probability)
		result.Score = append(result.Score, anomaly.Score(probability))
		result.Expected = append(result.Expected, min(1, tail.Quantile(0.5)))
		result.Lower = append(result.Lower, 0)
		result.Upper = append(result.Upper, max(tail.Quantile(perBlock(anomaly.ProbabilityOf(threshold))), minDistance))
	}
	result.Events = anomaly.Events(result, threshold)
	return result, nil
}

// perBlock is a probability of a score as that of a block.
func perBlock(probability float64) float64 { return min(probability*float64(block/scored), 1) }

// probability is that of a distance, by that of a block's largest.
func (r Result) probability(tail stats.Tail, distance float64) float64 {
	switch {
	case math.IsNaN(distance):
		return math.NaN()
	case distance < minDistance:
		return 1
	}
	return tail.Probability(distance) / float64(block/scored)
}

// lasting is the least distance of the last minutes.
func (r Result) lasting() []float64 {
	span := max(int(lasting/r.Distance.Step), 1)
	least := make([]float64, r.Distance.Len())
	for i, v := range r.Distance.Values {
		least[i] = v
		for _, earlier := range r.Distance.Values[max(i-span+1, 0):i] {
			if earlier < least[i] { // NaN is not
				least[i] = earlier
			}
		}
	}
	return least
}

// maximaOf are the largest values of each full block before a step.
func maximaOf(values []float64, before int, step time.Duration) (maxima []float64) {
	size := max(int(block/step), 1)
	for end := before; end >= size; end -= size {
		largest := math.Inf(-1)
		for _, v := range values[end-size : end] {
			largest = max(largest, orLeast(v))
		}
		if !math.IsInf(largest, -1) {
			maxima = append(maxima, largest)
		}
	}
	return maxima
}

func orLeast(v float64) float64 {
	if math.IsNaN(v) {
		return math.Inf(-1)
	}
	return v
}

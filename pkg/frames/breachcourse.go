package frames

import (
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
)

// course is how a series is expected to reach its limit: straight lines from the
// newest value to the limit at the times of its crossing, the early one (10 %), the
// median and the late one (90 %). It is empty where no crossing is to be expected.
type course struct {
	start  time.Time
	from   float64
	limit  float64
	ends   [3]time.Time // early, median, late
	beyond []time.Time  // the ends, each once
	answer string
}

func courseOf(a engine.BreachAnswer, s engine.BreachSeries) course {
	when := breachWhen(a, s)
	last := s.Result.Actual.Len() - 1
	if !when.expected || when.order == 0 || last < 0 || !isFinite(s.Result.Actual.Values[last]) {
		return course{}
	}
	c := course{
		start: s.Result.Actual.Time(last), from: s.Result.Actual.Values[last], limit: a.Threshold, answer: when.text,
		ends: [3]time.Time{s.Result.Early.UTC(), s.Result.Median.UTC(), s.Result.Late.UTC()},
	}
	for _, end := range c.ends {
		if end.After(c.start) {
			c.beyond = append(c.beyond, end)
		}
	}
	c.beyond = slices.CompactFunc(c.beyond, time.Time.Equal)
	return c
}

// add appends the course to a frame whose observations end after so many rows. Its
// name in the legend is the answer.
func (c course) add(frame bandFrame, name string, rows int) {
	if len(c.beyond) == 0 || rows == 0 {
		return
	}
	low, high := c.ends[2], c.ends[0]
	if c.limit < c.from {
		low, high = high, low
	}
	for _, line := range []struct {
		role string
		end  time.Time
	}{{expected, c.ends[1]}, {lower, low}, {upper, high}} {
		frame.add(line.role, func(i int) *float64 {
			if i < rows-1 {
				return nil
			}
			at := c.start
			if i >= rows {
				at = c.beyond[i-rows]
			}
			return nullable(c.at(at, line.end))
		})
	}
	config := frame.Fields[len(frame.Fields)-3].Config
	config.DisplayNameFromDS = name + " reaches it " + c.answer
}

// at is the value on the line that ends at the limit, and stays there.
func (c course) at(t, end time.Time) float64 {
	if !t.Before(end) {
		return c.limit
	}
	return c.from + (c.limit-c.from)*float64(t.Sub(c.start))/float64(end.Sub(c.start))
}

package ledger

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// step is a change of a series' value: at is the first instant with the new one.
type step struct {
	at          time.Time
	before, now float64 // NaN where the series was not there
}

// steps are the changes of a series. A gap is no change where the value is the same
// after it; with presence, that a series begins or ends within the window is.
func steps(s series.Series, presence bool) (found []step) {
	last, known, gap := math.NaN(), false, 0
	for i, value := range s.Values {
		if math.IsNaN(value) {
			gap++
			if presence && known && gap == maxGap+1 {
				found = append(found, step{s.Time(i - maxGap), last, math.NaN()})
				known = false
			}
			continue
		}
		switch {
		case known && value != last:
			found = append(found, step{s.Time(i), last, value})
		case !known && presence && i > maxGap:
			found = append(found, step{s.Time(i), math.NaN(), value})
		}
		last, known, gap = value, true, 0
	}
	return found
}

// maxGap is how many values may be missing of a series that is there: a scrape or
// two that failed.
const maxGap = 2

// rises are the increases of a counter; resets are none. Increases in a row, with a
// pause of up to maxGap steps, are one, from its first on.
func rises(s series.Series) (found []step) {
	last := math.NaN()
	quiet := math.MaxInt32
	for i, value := range s.Values {
		if math.IsNaN(value) {
			continue
		}
		if value > last {
			if quiet <= maxGap {
				found[len(found)-1].now = value
			} else {
				found = append(found, step{s.Time(i), last, value})
			}
			quiet = 0
		} else {
			quiet++
		}
		last = value
	}
	return found
}

// crossings are where a series comes to a limit from below, and stays there for two
// values.
func crossings(s series.Series, limit float64) (found []step) {
	above, last := false, math.NaN()
	for i, value := range s.Values {
		if math.IsNaN(value) {
			continue
		}
		lasts := i+1 >= len(s.Values) || !(s.Values[i+1] < limit)
		if value >= limit && !above && !math.IsNaN(last) && lasts {
			found = append(found, step{s.Time(i), last, value})
		}
		above, last = value >= limit, value
	}
	return found
}

// instants are the times that a series' values name, inside a window: Unix seconds.
func instants(s series.Series, from, to time.Time) (found []step) {
	last := math.NaN()
	for _, value := range s.Values {
		if math.IsNaN(value) || value == last || math.Abs(value) > 1e11 {
			continue
		}
		last = value
		if at := time.Unix(0, int64(value*1e9)).UTC(); !at.Before(from) && !at.After(to) {
			found = append(found, step{at, math.NaN(), math.NaN()})
		}
	}
	return found
}

package anomaly

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
)

const (
	// dayBegins is how long after midnight the first days of a metric are not
	// judged: work, jobs and prices change with the day, and nothing is known of
	// it yet. The level follows at once.
	dayBegins = 10 * time.Minute
	// dayKnown is how long after midnight the usual size of deviations is still
	// that of the day before, so that only changes are judged.
	dayKnown = time.Hour
)

// newDay is where a day begins that nobody knows yet, in points to judge. The
// zero value is nowhere.
type newDay struct{ from, judged, known int }

// newDayOf finds the midnight in the time that a model judges, by the clock of
// its start.
func newDayOf(start time.Time, step time.Duration) newDay {
	year, month, date := start.Date()
	midnight := time.Date(year, month, date, 0, 0, 0, 0, start.Location())
	if !start.Before(midnight.Add(dayKnown)) {
		midnight = midnight.AddDate(0, 0, 1)
	}
	at := func(t time.Time) int { return int(max(t.Sub(start)+step-1, 0) / step) }
	d := newDay{from: at(midnight), judged: at(midnight.Add(dayBegins)), known: at(midnight.Add(dayKnown))}
	if !start.After(midnight) {
		d.judged = max(d.judged, d.from+1) // a coarse grid
	}
	return d
}

// waits tells whether a point is not judged.
func (d newDay) waits(at int) bool { return at >= d.from && at < d.judged }

// silences tells whether a detector compares a point with sizes of another day.
func (d newDay) silences(j judge, at int) bool {
	return j.name == detector.ZScore{}.Name() && at >= d.from && at < d.known
}

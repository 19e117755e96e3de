package sizing

import (
	"fmt"
	"math"
	"time"
)

// CacheWarm is the question when to warm a cache.
type CacheWarm struct {
	// Course is the forecast of the cache's reads per second, at a high quantile,
	// Step apart from now on.
	Course []float64
	Step   time.Duration
	// HitRatio is the present share of reads that hit, 0–1.
	HitRatio float64
	// Backend is how many misses per second what lies behind the cache carries.
	Backend float64
	// WarmTime is how long warming takes; 0 where nobody said.
	WarmTime time.Duration
}

// warmMargin is time to spare, as a share of the warm time.
const warmMargin = 0.25

// Recommend is in how many seconds to begin warming, so that the cache is warm
// when the reads that miss it would be more than the backend carries. There is
// no number, and no problem, where that does not happen within the course.
func (c CacheWarm) Recommend() Recommendation {
	horizon := time.Duration(len(c.Course)) * c.Step
	found := Recommendation{Sizing: SizeCacheWarm, Unit: "s until warming begins", Value: math.NaN(), Current: math.NaN(),
		Lower: math.NaN(), Upper: math.NaN(), ValidFor: horizon}
	var highest float64
	for _, reads := range c.Course {
		if positive(reads) {
			highest = math.Max(highest, reads)
		}
	}
	required := math.Max(0, 1-c.Backend/highest)
	found.Basis = []Quantity{
		{"highest reads forecast", highest, "per second"},
		{"share of reads that hit", c.HitRatio, ""},
		{"misses that the backend carried", c.Backend, "per second"},
		{"warming takes", c.WarmTime.Seconds(), "s"},
	}
	switch {
	case !(c.HitRatio >= 0 && c.HitRatio <= 1):
		return found.unknown("not enough data: hits and misses of the cache are unknown")
	case highest == 0:
		return found.unknown("not enough data: reads of the cache could not be forecast")
	case !positive(c.Backend):
		return found.unknown("not enough data: what the backend carries is unknown")
	case c.WarmTime <= 0:
		return found.unknown("not enough data: no metric has the warm-up time; set warmTime")
	}
	found.Settings = []Quantity{{"share of reads that must hit", required, ""}}
	for i, reads := range c.Course {
		if !positive(reads) || (1-c.HitRatio)*reads <= c.Backend {
			continue
		}
		at := time.Duration(i+1) * c.Step
		begin := at - time.Duration(float64(c.WarmTime)*(1+warmMargin))
		found.Value = math.Max(0, begin.Seconds())
		found.Lower, found.Upper = found.Value, math.Max(found.Value, (at-c.WarmTime).Seconds())
		if begin <= 0 {
			found.Constraint = "no time left: warm now"
		}
		found.Reason = fmt.Sprintf("In %s %.4g reads per second would miss; the backend carries %.4g. At least %.3g %% must hit.",
			at, (1-c.HitRatio)*reads, c.Backend, 100*required)
		found.Patches = []Patch{{"Job", "foresight.cache.warm.v1", "", patch("cachewarm", struct{ Begin, HitRatio float64 }{found.Value, required})}}
		found.Revert = "Nothing to revert: warm entries expire by themselves."
		return found
	}
	found.Reason = fmt.Sprintf("Nothing to warm within %s: at the present hit ratio the backend carries what misses. After a flush at least %.3g %% would have to hit.", horizon, 100*required)
	return found
}

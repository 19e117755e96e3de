package promapi

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// The years that a time may lie in: what nanoseconds since 1970 can hold.
var (
	firstTime = time.Unix(0, math.MinInt64).Add(time.Hour)
	lastTime  = time.Unix(0, math.MaxInt64).Add(-time.Hour)
)

// parseTime reads a time as Prometheus does: seconds since the epoch with a
// fraction, or RFC 3339. Empty text is the fallback.
func parseTime(field, text string, fallback time.Time) (time.Time, error) {
	if text == "" {
		return fallback, nil
	}
	var at time.Time
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds >= float64(firstTime.Unix()) && seconds <= float64(lastTime.Unix())) {
			return at, fmt.Errorf("%s is %.40q, which is outside the supported range of times", field, text)
		}
		whole, fraction := math.Modf(seconds)
		at = time.Unix(int64(whole), int64(math.Round(fraction*1000))*int64(time.Millisecond))
	} else if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
		return at, fmt.Errorf("%s is %.40q: write seconds since 1970 or a time like 2026-01-31T12:00:00Z", field, text)
	}
	if at.Before(firstTime) || at.After(lastTime) {
		return at, fmt.Errorf("%s is %.40q, which is outside the supported range of times", field, text)
	}
	return at.UTC(), nil
}

// parseDuration reads a positive length of time as Prometheus does: seconds, or its
// own notation ("5m").
func parseDuration(field, text string) (time.Duration, error) {
	malformed := fmt.Errorf("%s is %.40q: write seconds, or a duration like \"5m\"", field, text)
	var d time.Duration
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0 && seconds < 1e9) {
			return 0, malformed
		}
		d = time.Duration(seconds * float64(time.Second))
	} else {
		parsed, err := model.ParseDuration(text)
		if err != nil {
			return 0, malformed
		}
		d = time.Duration(parsed)
	}
	if d < time.Millisecond {
		return 0, malformed
	}
	return d, nil
}

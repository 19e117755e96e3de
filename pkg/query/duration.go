package query

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Duration is a length of time, written as Prometheus writes it ("14d", "90s",
// "1h30m"), to the millisecond. A bare number is seconds.
type Duration time.Duration

// Or is the duration, or the fallback where it is not set.
func (d Duration) Or(fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return time.Duration(d)
}

// String is Prometheus' notation.
func (d Duration) String() string { return model.Duration(d).String() }

// MarshalJSON writes Prometheus' notation.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(d.String())
}

// UnmarshalJSON reads Prometheus' notation, or a number of seconds, which
// variables write as text.
func (d *Duration) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var seconds float64
	var text string
	number := data
	if json.Unmarshal(data, &text) == nil {
		text = strings.TrimSpace(text)
		number = []byte(text)
	}
	if err := json.Unmarshal(number, &seconds); err == nil {
		if seconds < 0 || seconds > 100*365*86400 {
			return fmt.Errorf("a duration of %g seconds is out of range (0 to 100 years)", seconds)
		}
		*d = Duration(time.Duration(math.Round(seconds*1000)) * time.Millisecond)
		return nil
	}
	switch {
	case data[0] != '"':
		return fmt.Errorf("%.40s is not a duration: write it like \"14d\" or \"90s\"", data)
	case text == "":
		*d = 0
		return nil
	}
	parsed, err := model.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%.40q is not a duration: write it like \"14d\" or \"90s\"", text)
	}
	*d = Duration(parsed)
	return nil
}

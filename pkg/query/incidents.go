package query

import (
	"cmp"
	"time"
)

// TypeIncidents asks what is wrong across all services.
const TypeIncidents Type = "incidents"

// DefaultLookback is how far back an incident may have begun.
const DefaultLookback = Duration(3 * time.Hour)

// Incidents asks what is abnormal across all services inside the window, grouped
// by cause: one incident for each.
type Incidents struct {
	Common
	// Services is a regular expression over the names of services: only incidents in
	// which one of them went wrong. Default: all.
	Services string `json:"services,omitempty"`
	// Lookback is how far before the end of the window an incident may have begun,
	// where the window is shorter. What lasts longer becomes the new normal. Default
	// 3h.
	Lookback Duration `json:"lookback,omitempty"`
	// Ongoing leaves out incidents that are resolved. Where none goes on, the table
	// of a panel says so in a row.
	Ongoing bool `json:"ongoing,omitempty"`
}

// Type implements Query.
func (Incidents) Type() Type { return TypeIncidents }

// WithDefaults fills in what was not asked for.
func (q Incidents) WithDefaults() Incidents {
	q.Common = q.withDefaults()
	q.Lookback = cmp.Or(q.Lookback, DefaultLookback)
	return q
}

// The bounds of the lookback.
const minLookback, maxLookback = 30 * time.Minute, 24 * time.Hour

// Validate implements Query.
func (q Incidents) Validate() error {
	return first(
		checkFormat(TypeIncidents, q.Format),
		checkPattern("services", q.Services),
		checkDuration("lookback", q.Lookback, minLookback, maxLookback),
	)
}

package query

import (
	"cmp"
	"fmt"
	"time"
)

// TypeSizing asks for the sizes of a service's settings.
const TypeSizing Type = "sizing"

// The defaults of sizing.
const (
	DefaultLead     = Duration(10 * time.Minute)
	DefaultQuantile = 0.95
	DefaultUse      = 0.7
	DefaultMaxWait  = Duration(50 * time.Millisecond)
)

// Sizing asks how many replicas and connections a service needs, which limits
// and breakers suit it, when to warm its cache and what load to shed: for the
// load that is forecast at the end of the window.
type Sizing struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
	// Lead is how long it takes until new capacity serves. Default 10m.
	Lead Duration `json:"lead,omitempty"`
	// Quantile of the forecast load to be ready for; 0.5 for what is expected,
	// which suits noisy loads. Default 0.95.
	Quantile float64 `json:"quantile,omitempty"`
	// Use is the share of a replica's capacity to use, 0 to 1. Default 0.7.
	Use float64 `json:"use,omitempty"`
	// MinReplicas and MaxReplicas bound the replicas. Default: no bound.
	MinReplicas int `json:"minReplicas,omitempty" jsonschema:"minimum=0,maximum=100000"`
	MaxReplicas int `json:"maxReplicas,omitempty" jsonschema:"minimum=0,maximum=100000"`
	// DatabaseConnections is how many connections the database allows in all, of
	// which ReservedConnections are kept for others. Default: not known.
	DatabaseConnections int `json:"databaseConnections,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	ReservedConnections int `json:"reservedConnections,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	// MaxWait is how long a request may wait for a connection or to be admitted.
	// Default 50ms.
	MaxWait Duration `json:"maxWait,omitempty"`
	// WarmTime is how long warming the cache takes. Default: not known.
	WarmTime Duration `json:"warmTime,omitempty"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
}

// Type implements Query.
func (Sizing) Type() Type { return TypeSizing }

// WithDefaults fills in what was not asked for.
func (q Sizing) WithDefaults() Sizing {
	q.Common = q.withDefaults()
	q.Lead = cmp.Or(q.Lead, DefaultLead)
	q.Quantile = cmp.Or(q.Quantile, DefaultQuantile)
	q.Use = cmp.Or(q.Use, DefaultUse)
	q.MaxWait = cmp.Or(q.MaxWait, DefaultMaxWait)
	q.History = cmp.Or(q.History, DefaultHistory)
	return q
}

// Validate implements Query.
func (q Sizing) Validate() error {
	return first(
		checkFormat(TypeSizing, q.Format),
		checkService(q.Service, "to size"),
		checkDuration("lead", q.Lead, time.Minute, 24*time.Hour),
		checkQuantile(q.Quantile),
		checkRange("use", q.Use, 0.05, 1),
		checkRange("minReplicas", float64(q.MinReplicas), 0, 100_000),
		checkRange("maxReplicas", float64(q.MaxReplicas), 0, 100_000),
		checkBounds(q.MinReplicas, q.MaxReplicas),
		checkRange("databaseConnections", float64(q.DatabaseConnections), 0, 1_000_000),
		checkRange("reservedConnections", float64(q.ReservedConnections), 0, 1_000_000),
		checkDuration("maxWait", q.MaxWait, time.Millisecond, time.Minute),
		checkDuration("warmTime", q.WarmTime, time.Second, 24*time.Hour),
		checkDuration("history", q.History, minHistory, maxHistory),
	)
}

// checkQuantile: a forecast's interval ends at the quantile, and intervals
// narrower than a half are not calibrated.
func checkQuantile(quantile float64) error {
	if quantile != 0.5 && !(quantile > 0.75 && quantile <= 0.999) {
		return fmt.Errorf("quantile is %g; it must be above 0.75 and at most 0.999, as in 0.95, or 0.5", quantile)
	}
	return nil
}

func checkBounds(least, most int) error {
	if most > 0 && least > most {
		return fmt.Errorf("minReplicas is %d, more than maxReplicas, %d", least, most)
	}
	return nil
}

// Package query is Foresight's query language: one typed struct per query
// type, with its defaults and its validation. Alert rules and provisioned
// dashboards never pass through an editor, so every default lives here.
package query

import (
	"cmp"
	"time"
)

// Type names a question.
type Type string

// The query types that are answered.
const (
	TypeForecast   Type = "forecast"
	TypeAnomaly    Type = "anomaly"
	TypeDeploys    Type = "deploys"
	TypeTraceDiff  Type = "traceDiff"
	TypeRootCause  Type = "rootCause"
	TypeServiceMap Type = "serviceMap"
	TypePatterns   Type = "patterns"
	TypeServices   Type = "services"
	TypeOperations Type = "operations"
	TypeVersions   Type = "versions"
)

// Format is the shape of an answer.
type Format string

// The formats.
const (
	Panel       Format = "panel"
	Alert       Format = "alert"
	Annotations Format = "annotations"
)

// SchemaVersion is the version of the query language that this code speaks.
const SchemaVersion = 1

// Query is any of the typed queries of this package.
type Query interface {
	Type() Type
	// Validate says in the asker's words what is wrong; nil for nothing.
	Validate() error
	// RequestedFormat is the format as it was asked for; empty where it was not.
	RequestedFormat() Format
}

// Common is part of every query.
type Common struct {
	// SchemaVersion is the version of the query language. Default: the newest.
	SchemaVersion int `json:"schemaVersion,omitempty" jsonschema:"minimum=0,maximum=1"`
	// Format is empty for "panel", or "alert" where a rule asks.
	Format Format `json:"format,omitempty" jsonschema:"enum=panel,enum=alert,enum=annotations"`
}

// RequestedFormat implements Query.
func (c Common) RequestedFormat() Format { return c.Format }

// The defaults of the query language, in one place.
const (
	DefaultModel               = "auto"
	DefaultHistory             = Duration(14 * 24 * time.Hour)
	DefaultForecastProbability = 0.95
	DefaultAnomalyProbability  = 0.99
	DefaultDirection           = "both"
	DefaultThreshold           = 75
	DefaultNonNegative         = true
	DefaultMaxTraces           = 400
)

// withDefaults leaves the format open: it depends on who asks, see FormatOf.
func (c Common) withDefaults() Common {
	c.SchemaVersion = cmp.Or(c.SchemaVersion, SchemaVersion)
	return c
}

func orTrue(b *bool) *bool {
	if b == nil {
		return new(true)
	}
	return b
}

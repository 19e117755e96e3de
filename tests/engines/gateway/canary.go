package main

import (
	"maps"
	"math"
	"net/http"
	"strings"
	"time"
)

// The traffic of cart goes to version 1, and a tenth of it to version 2, the
// canary.

const (
	perMinute    = 10_000.0
	canaryShare  = 0.1
	usualErrors  = 0.001
	canaryErrors = 0.03 // where it fails
	canaryEnded  = 12 * time.Minute
)

// versions are what a metrics server counts of both: requests, failed ones, or
// requests by how long they took.
func (s scene) versions(r *http.Request, promQL string) []any {
	step := seconds(r, "step") / 60
	var found []any
	for version, share := range map[string]float64{"1": 1 - canaryShare, "2": canaryShare} {
		count := func(part float64, more map[string]string) {
			labels := map[string]string{"service_version": version}
			maps.Copy(labels, more)
			found = append(found, s.drawn(r, labels, func(at time.Time, age time.Duration) float64 {
				presence := s.value(at, age) // a server without samples counts nothing
				if math.IsNaN(presence) || math.IsInf(presence, 0) || version == "2" && s.canary == "over" && age < canaryEnded {
					return presence * 0
				}
				return share * part * perMinute * step * s.traffic()
			})...)
		}
		errors := usualErrors
		if version == "2" && s.canary == "failing" {
			errors = canaryErrors
		}
		switch {
		case strings.Contains(promQL, `"5.."`):
			count(errors, nil)
		case strings.Contains(promQL, "_bucket"):
			for limit, part := range map[string]float64{"0.1": 0.95, "1": 0.999, "+Inf": 1} {
				count(part, map[string]string{"le": limit})
			}
		default:
			count(1, nil)
		}
	}
	return found
}

func (s scene) traffic() float64 {
	if s.canary == "few" {
		return 0.002
	}
	return 1
}

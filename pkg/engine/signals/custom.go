// Package signals knows which metrics show the latency, errors, traffic and
// saturation of a service, and the PromQL that reads them.
package signals

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

// Setting is a signal of every service, as an administrator defined it.
// Signals of a kind stand in for the presets of that kind.
type Setting struct {
	Name, Kind string // of SignalKinds
	// Expr is PromQL. In it $service stands for the service's name inside quotes,
	// $operation for a pattern that every operation matches, $interval for the
	// window of rates, and $quantile for each of Quantiles in turn.
	Expr         string
	Quantiles    []float64 // between 0 and 1; empty where Expr names none
	Unit         string
	Direction    anomaly.Direction
	MinDeviation float64
	Weight       float64 // 1 for an ordinary signal
}

// Check says what is wrong with the setting; nil for nothing.
func (s Setting) Check() error {
	_, quoted := fillService(s.Expr, "")
	switch {
	case s.Name == "":
		return fmt.Errorf("name is missing: name the signal")
	case !slices.Contains(Kinds, s.Kind):
		return fmt.Errorf("kind is %.40q: choose one of %s", s.Kind, strings.Join(Kinds, ", "))
	case s.Expr == "":
		return fmt.Errorf("expr is missing: write the PromQL of the signal, with \"$service\" for the service's name")
	case !strings.Contains(s.Expr, servicePlaceholder):
		return fmt.Errorf("expr does not hold $service: it would say the same of every service (in a provisioning file write $$service)")
	case !quoted:
		return fmt.Errorf("expr holds $service outside of a text in quotes: write it like app=\"$service\"")
	case strings.Contains(s.Expr, "$quantile") != (len(s.Quantiles) > 0):
		return fmt.Errorf("quantiles and $quantile in expr belong together")
	case !(s.Weight > 0):
		return fmt.Errorf("weight is %g: write a number above zero", s.Weight)
	case !(s.MinDeviation >= 0):
		return fmt.Errorf("minDeviation is %g: write zero or more", s.MinDeviation)
	}
	for _, q := range s.Quantiles {
		if !(q > 0 && q < 1) {
			return fmt.Errorf("quantiles holds %g: write numbers between 0 and 1, as 0.95", q)
		}
	}
	return nil
}

// presets are the signal as presets, one per quantile.
func (s Setting) presets() []BoundPreset {
	one := func(name, expr string) BoundPreset {
		return BoundPreset{preset: preset{
			Kind: s.Kind, group: name, Name: name, promQL: expr,
			Direction: s.Direction, MinDeviation: s.MinDeviation, Weight: s.Weight,
		}, Custom: true, Unit: s.Unit}
	}
	if len(s.Quantiles) == 0 {
		return []BoundPreset{one(s.Name, s.Expr)}
	}
	var found []BoundPreset
	for _, q := range s.Quantiles {
		text := strconv.FormatFloat(q, 'g', -1, 64)
		found = append(found, one(s.Name+" "+percentText(q), strings.ReplaceAll(s.Expr, "$quantile", text)))
	}
	return found
}

// fillCustom replaces the placeholders of an administrator's expression.
func fillCustom(expr, service string, rate time.Duration) string {
	expr = strings.NewReplacer("$operation", ".*", "$interval", strconv.Itoa(int(rate.Seconds()))+"s").Replace(expr)
	filled, _ := fillService(expr, service)
	return filled
}

// withCustom puts the configured signals in the place of presets of their kinds.
func (e Finder) withCustom(found []BoundPreset) []BoundPreset {
	var own []BoundPreset
	for _, s := range e.Custom {
		own = append(own, s.presets()...)
	}
	for _, p := range found {
		if !slices.ContainsFunc(e.Custom, func(s Setting) bool { return s.Kind == p.Kind }) {
			own = append(own, p)
		}
	}
	return own
}

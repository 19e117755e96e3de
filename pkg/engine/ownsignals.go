package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

// SignalSetting is a signal of every service, as an administrator defined it.
// Signals of a kind stand in for the presets of that kind.
type SignalSetting struct {
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
func (s SignalSetting) Check() error {
	_, quoted := fillService(s.Expr, "")
	switch {
	case s.Name == "":
		return fmt.Errorf("name is missing: name the signal")
	case !slices.Contains(SignalKinds, s.Kind):
		return fmt.Errorf("kind is %.40q: choose one of %s", s.Kind, strings.Join(SignalKinds, ", "))
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
func (s SignalSetting) presets() []foundPreset {
	one := func(name, expr string) foundPreset {
		return foundPreset{preset: preset{
			kind: s.Kind, group: name, name: name, promQL: expr,
			direction: s.Direction, minDeviation: s.MinDeviation, weight: s.Weight,
		}, own: true, unit: s.Unit}
	}
	if len(s.Quantiles) == 0 {
		return []foundPreset{one(s.Name, s.Expr)}
	}
	var found []foundPreset
	for _, q := range s.Quantiles {
		text := strconv.FormatFloat(q, 'g', -1, 64)
		percent := strconv.FormatFloat(100*q, 'g', 6, 64)
		found = append(found, one(s.Name+" "+percent+" %", strings.ReplaceAll(s.Expr, "$quantile", text)))
	}
	return found
}

// fillOwn replaces the placeholders of an administrator's expression.
func fillOwn(expr, service string, rate time.Duration) string {
	expr = strings.NewReplacer("$operation", ".*", "$interval", strconv.Itoa(int(rate.Seconds()))+"s").Replace(expr)
	filled, _ := fillService(expr, service)
	return filled
}

// withOwn puts the configured signals in the place of presets of their kinds.
func (e *Engine) withOwn(found []foundPreset) []foundPreset {
	var own []foundPreset
	for _, s := range e.Signals {
		own = append(own, s.presets()...)
	}
	for _, p := range found {
		if !slices.ContainsFunc(e.Signals, func(s SignalSetting) bool { return s.Kind == p.kind }) {
			own = append(own, p)
		}
	}
	return own
}

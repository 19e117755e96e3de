package query

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// The limits of what can be asked.
const (
	maxExpr      = 64 << 10 // bytes of PromQL or TraceQL
	maxName      = 1 << 10  // bytes of a name
	maxHistory   = 90 * 24 * time.Hour
	minHistory   = time.Minute
	maxHorizon   = 30 * 24 * time.Hour
	minStep      = time.Second
	maxStep      = 24 * time.Hour
	maxMaxTraces = 10_000

	maxMinDeviation = 1e300 // any finite number a metric may have
	// maxRelativeDeviation is in times of what is expected.
	maxRelativeDeviation = 1e6
)

func checkExpr(expr, verb string) error {
	if expr == "" {
		return fmt.Errorf("expr is missing: write the PromQL query of the metric to %s", verb)
	}
	return checkLength("expr", expr, maxExpr)
}

func checkService(service, which string) error {
	if service == "" {
		return fmt.Errorf("service is missing: name the service (service.name) %s", which)
	}
	return checkName("service", service)
}

func checkName(field, value string) error { return checkLength(field, value, maxName) }

func checkLength(field, value string, limit int) error {
	if len(value) > limit {
		return fmt.Errorf("%s has %d bytes; at most %d are allowed", field, len(value), limit)
	}
	return nil
}

var modelName = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,64}$`)

// checkModel checks the form only: which models there are is for the room of
// forecasts to say.
func checkModel(model string) error {
	if !modelName.MatchString(model) {
		return fmt.Errorf("model %.40q is not a model's name: use \"auto\" or a name of letters, digits and dashes", model)
	}
	return nil
}

func checkDuration(field string, d Duration, low, high time.Duration) error {
	if d != 0 && (time.Duration(d) < low || time.Duration(d) > high) {
		return fmt.Errorf("%s is %s; it must be between %s and %s", field, d, Duration(low), Duration(high))
	}
	return nil
}

func checkOrder(field string, d, step Duration) error {
	if d != 0 && d < step {
		return fmt.Errorf("%s is %s, shorter than one step of %s", field, d, step)
	}
	return nil
}

func checkProbability(p float64) error {
	if p != 0 && !(p > 0.5 && p <= 0.9999) {
		return fmt.Errorf("probability is %g; it must be above 0.5 and at most 0.9999, as in 0.95", p)
	}
	return nil
}

// MaxQuantiles is how many quantiles of latency are signals at most.
const MaxQuantiles = 5

func checkQuantiles(quantiles []float64) error {
	if len(quantiles) > MaxQuantiles {
		return fmt.Errorf("quantiles has %d numbers; at most %d are allowed", len(quantiles), MaxQuantiles)
	}
	return CheckQuantiles(quantiles)
}

// CheckQuantiles says what is wrong with quantiles, which lie between 0 and 1 and
// differ; nil for nothing.
func CheckQuantiles(quantiles []float64) error {
	for i, q := range quantiles {
		switch {
		case !(q > 0 && q < 1):
			return fmt.Errorf("quantiles holds %g: write numbers between 0 and 1, as 0.95", q)
		case slices.Contains(quantiles[:i], q):
			return fmt.Errorf("quantiles holds %g twice", q)
		}
	}
	return nil
}

func checkRange(field string, value, low, high float64) error {
	if !(value >= low && value <= high) {
		return fmt.Errorf("%s is %g; it must be between %g and %g", field, value, low, high)
	}
	return nil
}

func checkChoice(field, value string, choices ...string) error {
	if value == "" {
		return nil
	}
	return CheckKnown(field, value, choices)
}

// first is the first error: one thing to repair at a time.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

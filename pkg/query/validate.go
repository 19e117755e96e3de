package query

import (
	"errors"
	"fmt"
	"regexp"
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
)

// Validate implements Query.
func (q Forecast) Validate() error {
	return first(
		checkFormat(TypeForecast, q.Format),
		checkExpr(q.Expr, "forecast"),
		checkFilters(q.Filters),
		checkModel(q.Model),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("horizon", q.Horizon, minStep, maxHorizon),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("horizon", q.Horizon, q.Step),
		checkOrder("history", q.History, q.Step),
		checkProbability(q.Probability),
		checkTimeZone(q.TimeZone),
		checkName("legend", q.Legend),
	)
}

// Location is that of the time zone, UTC where it is not known.
func (q Forecast) Location() *time.Location {
	location, err := time.LoadLocation(q.TimeZone)
	if err != nil {
		return time.UTC
	}
	return location
}

// checkTimeZone refuses "Local", too: it would mean another place on every
// server.
func checkTimeZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == time.Local.String() {
		return fmt.Errorf("timeZone: %.64q is not a time zone; write it like \"Europe/Berlin\"", name)
	}
	return nil
}

// Validate implements Query.
func (q Anomaly) Validate() error {
	return first(
		checkFormat(TypeAnomaly, q.Format),
		checkExpr(q.Expr, "judge"),
		checkFilters(q.Filters),
		checkModel(q.Model),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("history", q.History, q.Step),
		checkProbability(q.Probability),
		checkChoice("direction", q.Direction, "both", "above", "below"),
		checkRange("minDeviation", q.MinDeviation, 0, maxMinDeviation),
		checkRange("threshold", q.Threshold, 0, 100),
		checkDetectors(q.Detectors),
		checkFeedback(q.Feedback),
		checkName("legend", q.Legend),
	)
}

// checkDetectors checks the form only: which detectors there are is for the
// room of anomalies to say.
func checkDetectors(names []string) error {
	const most = 32
	if len(names) > most {
		return fmt.Errorf("detectors has %d names; at most %d are allowed", len(names), most)
	}
	for _, name := range names {
		if name == "" || !modelName.MatchString(name) {
			return fmt.Errorf("detectors holds %.40q, which is not a detector's name", name)
		}
	}
	return nil
}

func checkFeedback(all []Feedback) error {
	const most = 500
	if len(all) > most {
		return fmt.Errorf("feedback has %d labels; at most %d are allowed", len(all), most)
	}
	for i, one := range all {
		field := fmt.Sprintf("feedback[%d].time", i)
		if one.Time == "" {
			return fmt.Errorf("%s is missing: say when the event was", field)
		}
		if _, err := moment(field, one.Time, time.Time{}); err != nil {
			return err
		}
		if one.Real == nil {
			return fmt.Errorf("feedback[%d].real is missing: true for a real event, false for a false alarm", i)
		}
	}
	return nil
}

// At is the instant the feedback speaks of. It fails as validation does.
func (f Feedback) At(windowTo time.Time) (time.Time, error) {
	return moment("feedback", f.Time, windowTo)
}

// Validate implements Query.
func (q Deploys) Validate() error {
	return first(checkFormat(TypeDeploys, q.Format), checkName("service", q.Service))
}

// Validate implements Query.
func (q TraceDiff) Validate() error {
	return first(
		checkFormat(TypeTraceDiff, q.Format),
		checkService(q.Service, "whose traces to compare"),
		checkName("operation", q.Operation),
		q.Baseline.validate("baseline"),
		q.Candidate.validate("candidate"),
		checkDistinct(q.Baseline, q.Candidate),
		checkRange("maxTraces", float64(q.MaxTraces), 0, maxMaxTraces),
		checkChoice("view", string(q.View), string(FlameGraph), string(Summary), string(Paths)),
	)
}

// Validate implements Query.
func (q Services) Validate() error { return checkFormat(TypeServices, q.Format) }

// Validate implements Query.
func (q Operations) Validate() error {
	return first(checkFormat(TypeOperations, q.Format), checkService(q.Service, "whose operations to list"))
}

// Validate implements Query.
func (q Versions) Validate() error {
	return first(checkFormat(TypeVersions, q.Format), checkService(q.Service, "whose versions to list"))
}

func (p Population) validate(side string) error {
	_, errFrom := moment("from", p.From, time.Time{})
	_, errTo := moment("to", p.To, time.Time{})
	var errAgo error
	switch {
	case p.Ago == 0:
	case side != "baseline":
		errAgo = errors.New("ago: only the baseline lies a time before the other side")
	case p.From != "" || p.To != "":
		errAgo = errors.New("ago: the times are the candidate's, so long before; leave from and to out")
	case p.Ago < 0 || time.Duration(p.Ago) > maxAgo:
		errAgo = fmt.Errorf("ago is %s; choose up to %s", p.Ago, Duration(maxAgo))
	}
	err := first(
		checkName("version", p.Version),
		checkLength("traceQL", p.TraceQL, maxExpr),
		errFrom,
		errTo,
		errAgo,
	)
	if err != nil {
		return fmt.Errorf("%s.%w", side, err)
	}
	return nil
}

func checkDistinct(baseline, candidate Population) error {
	if baseline == candidate && baseline != (Population{}) {
		return errors.New("baseline and candidate are the same population: give them another version, time or traceQL")
	}
	return nil
}

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

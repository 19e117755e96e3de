package sizing

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Breaker is the question when to take a host out of service, and when to stop
// calling a service at all.
type Breaker struct {
	Service string
	// Requests and Errors were counted over Days in ordinary times.
	Requests, Errors, Days float64
	Hosts                  float64 // that share the requests; NaN where not known
	// Slow is the usual 99 % latency, in seconds; NaN where it is unknown.
	Slow float64
	// Use is the share of the hosts' capacity that the highest load takes; NaN
	// where it is unknown.
	Use float64
}

const (
	// falseAlarms is how often a sound host may be taken out for nothing, in a day.
	falseAlarms = 0.01
	// Errors come in bursts, which the probabilities do not know: no setting
	// reacts to fewer errors in a row, or to fewer calls.
	minErrors = 3
	maxErrors = 100
	minCalls  = 10
	// breakerWindow is resilience4j's default number of calls to look at.
	breakerWindow = 100
	slowFactor    = 3
	// usualEjection is Istio's default, in percent, where capacity is unknown.
	usualEjection = 10
	// Ejection is how long a host that fails is out of service, for the first time.
	Ejection = "30s"
	// minEjection keeps the detection on, in percent, where the hosts are unknown.
	minEjection = 1
	// Hosts are judged each time they have served about so many requests.
	perInterval = 100
	minCounts   = 1000
)

// Outliers is after how many errors in a row a host is taken out: so many that a
// sound one, at its usual share of errors, sees them once in a hundred days.
func (b Breaker) Outliers() Recommendation {
	found := Recommendation{Sizing: SizeOutliers, Unit: "errors in a row", Current: math.NaN(), ValidFor: settled}
	rate, perDay, problem := b.baseline()
	found.Basis = b.basis(rate, perDay)
	if problem != "" {
		return found.unknown("%s", problem)
	}
	hosts := 1.0
	if positive(b.Hosts) {
		hosts = math.Max(1, b.Hosts)
	}
	perHost := perDay / hosts
	inARow := func(rate float64) float64 {
		return math.Max(minErrors, whole(math.Log(falseAlarms/perHost)/math.Log(rate)))
	}
	found.Value, found.Lower, found.Upper = inARow(rate.Estimate), inARow(rate.Lower), inARow(rate.Upper)
	if found.Upper > maxErrors {
		return found.unknown("%.2g of all requests fail in ordinary times: errors in a row tell nothing", rate.Estimate)
	}
	if found.Value == minErrors {
		found.Constraint = "minimum: errors come in bursts"
	}
	if hosts == 1 && positive(b.Hosts) {
		return found.unknown("only one host serves: there is no other to send requests to")
	}
	out := float64(usualEjection)
	if b.Use >= 0 && !math.IsInf(b.Use, 1) {
		out = math.Floor(100 * math.Max(0, 1-b.Use))
	}
	// A limit below one host would switch the detection off.
	if one := whole(100 / hosts); hosts > 1 && out < one {
		out = one
		found.Constraint = "at least one host can be taken out, though the others are then fully used"
	}
	out = math.Max(out, minEjection)
	interval := math.Min(300, math.Max(1, math.Round(perInterval/(perHost/86400))))
	found.Settings = []Quantity{{"max ejected hosts", out, "%"}, {"interval", interval, "s"}}
	found.Reason = fmt.Sprintf("A sound host serves %.3g requests a day, of which %.2g fail: it sees %.0f errors in a row less than once in %.0f days.",
		perHost, rate.Estimate, found.Value, 1/falseAlarms)
	values := struct {
		Service                   string
		Errors, Interval, Percent float64
		Ejection                  string
	}{b.Service, found.Value, interval, out, Ejection}
	found.Patches = []Patch{
		{"DestinationRule", "networking.istio.io/v1", "spec.trafficPolicy.outlierDetection", patch("destinationrule-outliers", values)},
		{"Cluster", "envoy.config.cluster.v3", "outlier_detection", patch("envoy-outliers", values)},
	}
	found.Revert = "Remove outlierDetection; ejected hosts return immediately."
	return found
}

// Circuit is the share of failed calls, of the last hundred, at which a breaker
// opens: so high that ordinary errors open it once in a hundred days.
func (b Breaker) Circuit() Recommendation {
	found := Recommendation{Sizing: SizeBreaker, Unit: "% of calls failed", Current: math.NaN(), ValidFor: settled}
	rate, perDay, problem := b.baseline()
	found.Basis = b.basis(rate, perDay)
	if problem != "" {
		return found.unknown("%s", problem)
	}
	allowed := falseAlarms / perDay // it is judged at each call
	found.Value, found.Lower, found.Upper = opensAt(rate.Estimate, allowed), opensAt(rate.Lower, allowed), opensAt(rate.Upper, allowed)
	if found.Upper > breakerWindow {
		return found.unknown("%.2g of all requests fail normally: no failure ratio separates an incident from that", rate.Estimate)
	}
	calls := minToOpen(rate.Estimate, found.Value/breakerWindow, allowed)
	found.Settings = []Quantity{{"fewest calls", calls, "calls"}, {"calls looked at", breakerWindow, "calls"}}
	values := struct {
		Service         string
		Window          int
		Failures, Calls float64
		Slow            string // empty where the latency is unknown
		SlowRate        float64
	}{b.Service, breakerWindow, found.Value, calls, "", math.Max(found.Value, 50)}
	if positive(b.Slow) {
		found.Settings = append(found.Settings, Quantity{"a call is slow from", slowFactor * b.Slow, "s"})
		values.Slow = milliseconds(slowFactor * b.Slow)
	}
	found.Reason = fmt.Sprintf("%.2g of all calls fail in ordinary times; %.0f of %d do less than once in %.0f days.", rate.Estimate, found.Value, breakerWindow, 1/falseAlarms)
	found.Patches = []Patch{{"CircuitBreaker", "resilience4j", "resilience4j.circuitbreaker", patch("resilience4j-circuitbreaker", values)}}
	found.Revert = "Take the instance's settings out again: resilience4j then opens at 50 % of 100 calls."
	return found
}

// baseline is the usual share of errors and the requests per day. Where none
// failed, half a request stands for the share.
func (b Breaker) baseline() (rate stats.Interval, perDay float64, problem string) {
	if !(b.Requests >= minCounts && b.Requests <= largest) || !(b.Errors >= 0 && b.Errors <= b.Requests) || !positive(b.Days) {
		return rate, math.NaN(), fmt.Sprintf("not enough data: fewer than %d requests and their errors were counted", minCounts)
	}
	perDay = b.Requests / b.Days
	rate = stats.Wilson(stats.Proportion{Successes: int(math.Round(b.Errors)), Trials: int(math.Round(b.Requests))}, 0.95)
	rate.Estimate = math.Max(rate.Estimate, 0.5/b.Requests)
	rate.Lower, rate.Upper = math.Min(math.Max(rate.Lower, 0.5/b.Requests), rate.Estimate), math.Max(rate.Upper, rate.Estimate)
	if rate.Upper >= 0.5 {
		return rate, perDay, fmt.Sprintf("%.2g of all requests fail in ordinary times: no breaker can tell trouble from them", rate.Estimate)
	}
	return rate, perDay, ""
}

func (b Breaker) basis(rate stats.Interval, perDay float64) []Quantity {
	return []Quantity{
		{"share of failed requests in ordinary times", rate.Estimate, ""},
		{"requests", perDay, "per day"},
		{"hosts", b.Hosts, ""},
		{"false alarms that are accepted", falseAlarms, "per day"},
	}
}

// opensAt is the fewest failures of a full window that are less likely than
// allowed; one more than the window where even all are likely.
func opensAt(rate, allowed float64) float64 {
	for failures := 1; failures <= breakerWindow; failures++ {
		if failuresAtLeast(failures, breakerWindow, rate) <= allowed {
			return math.Max(float64(failures), minErrors)
		}
	}
	return breakerWindow + 1
}

// minToOpen is from how many calls on the share is as unlikely as in a full
// window.
func minToOpen(rate, share, allowed float64) float64 {
	calls := breakerWindow
	for n := breakerWindow - 1; n >= minCalls; n-- {
		if failuresAtLeast(max(1, int(whole(share*float64(n)))), n, rate) > allowed {
			break
		}
		calls = n
	}
	return float64(calls)
}

// failuresAtLeast is the probability of k or more failures among n calls, by
// the incomplete beta function, which stays exact where it is small.
func failuresAtLeast(k, n int, rate float64) float64 {
	return mathext.RegIncBeta(float64(k), float64(n-k+1), rate)
}

package sizing

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
	"gonum.org/v1/gonum/mathext"
)

// Concurrency is the question how many requests to a service may be under way
// at once.
type Concurrency struct {
	Service string
	Demand  Demand
	// Slow is the 99 % quantile of how long requests take, in seconds: as usual,
	// and in better and worse times.
	Slow stats.Interval
	// Wait is how long a request may queue at its caller, in seconds.
	Wait    float64
	Current float64 // the present limit; NaN where it is not known
}

// What a limit leaves beyond the expected, at least and at most (the bulkhead
// sizes of Netflix' Hystrix: peak rate × 99 % latency, and some room).
const (
	concurrencyRoom = 1.5
	concurrencyMost = 2
	// refused is the share of sound requests that a limit may refuse.
	refused = 1e-4
	// retryShare is the share of requests under way that may be retries, and
	// fewestRetries the least number: Envoy's retry budget.
	retryShare    = 0.2
	fewestRetries = 3
)

// Recommend is the number of requests under way when the highest load meets
// slow answers (Little 1961), with half as much room again; and so many that
// requests which come as they please, however long each takes, are refused once
// in ten thousand (their number is Poisson's: the queue M/G/∞, Takács 1962).
func (c Concurrency) Recommend() Recommendation {
	found := Recommendation{Sizing: SizeConcurrency, Unit: "requests at once", Current: orUnknown(c.Current), ValidFor: settled}
	found.Basis = []Quantity{
		{"highest load", c.Demand.Highest(), "requests/s"},
		{"99 % latency, as usual", c.Slow.Estimate, "s"},
		{"room", concurrencyRoom, ""},
		{"longest wait", c.Wait, "s"},
	}
	if problem := c.Demand.problem(); problem != "" {
		return found.unknown("%s", problem)
	}
	if !ordered(c.Slow) {
		return found.unknown("not enough data: how long requests take is not known")
	}
	if !positive(c.Demand.Highest()) {
		return found.unknown("not enough data: there are no requests")
	}
	atLeastOne := func(x float64) float64 { return math.Max(1, whole(x)) }
	highest := c.Demand.Highest()
	value := atLeastOne(math.Max(highest*c.Slow.Estimate*concurrencyRoom, mostAtOnce(highest*c.Slow.Estimate)))
	found.Value = value
	found.Lower = math.Min(value, atLeastOne(c.Demand.Now*c.Slow.Lower))
	found.Upper = math.Max(value, atLeastOne(math.Max(highest*c.Slow.Upper*concurrencyMost, mostAtOnce(highest*c.Slow.Upper))))
	found.Reason = fmt.Sprintf("%.4g requests/s of up to %.3g s each.", highest, c.Slow.Estimate)
	pending := value
	if positive(c.Wait) {
		pending = atLeastOne(mostAtOnce(highest * c.Wait))
	}
	retries := math.Max(fewestRetries, whole(retryShare*value))
	found.Settings = []Quantity{{"pending requests", pending, "requests"}, {"retries at once", retries, "requests"}}
	found.Patches = []Patch{
		{"DestinationRule", "networking.istio.io/v1", "spec.trafficPolicy.connectionPool", destinationRule(c.Service, fmt.Sprintf(
			"    connectionPool:\n      tcp:\n        maxConnections: %.0f\n      http:\n        http1MaxPendingRequests: %.0f\n        http2MaxRequests: %.0f\n        maxRetries: %.0f\n",
			value, pending, value, retries))},
		{"Cluster", "envoy.config.cluster.v3", "circuit_breakers.thresholds", fmt.Sprintf(
			"circuit_breakers:\n  thresholds:\n    - priority: DEFAULT\n      max_connections: %.0f\n      max_pending_requests: %.0f\n      max_requests: %.0f\n      retry_budget:\n        budget_percent: { value: %.0f }\n        min_retry_concurrency: %d\n",
			value, pending, value, 100*retryShare, fewestRetries)},
		{"Bulkhead", "resilience4j", "resilience4j.bulkhead", fmt.Sprintf(
			"resilience4j:\n  bulkhead:\n    instances:\n      %q:\n        maxConcurrentCalls: %.0f\n        maxWaitDuration: %s\n", c.Service, value, milliseconds(c.Wait))},
	}
	found.Revert = "Take the patched fields out again; without them there is no limit. The limits of Envoy and Istio hold for each calling proxy: with several, divide."
	return found
}

// mostAtOnce is the least number that a Poisson variable exceeds with at most
// the probability refused.
func mostAtOnce(mean float64) float64 {
	exceeds := func(n float64) bool { return mathext.GammaIncReg(n+1, mean) > refused }
	low, high := -1.0, math.Max(8, 2*mean)
	for exceeds(high) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if middle := math.Floor((low + high) / 2); middle <= low || middle >= high {
			break // numbers so large that one more is none
		} else if exceeds(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

func destinationRule(service, policy string) string {
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: %q\nspec:\n  host: %q\n  trafficPolicy:\n%s", service, service, policy)
}

func milliseconds(seconds float64) string {
	if !positive(seconds) {
		return "0ms"
	}
	return fmt.Sprintf("%.0fms", whole(1000*seconds))
}

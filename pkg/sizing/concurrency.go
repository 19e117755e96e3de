package sizing

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/foresight-observability/foresight/pkg/stats"
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
	Current float64 // the present limit; NaN where it is unknown
}

// What a limit leaves beyond the expected, at least and at most (the bulkhead
// sizes of Netflix' Hystrix: peak rate × 99 % latency, and some room).
const (
	concurrencyRoom  = 1.5
	concurrencyUpper = 2
	// refused is the share of sound requests that a limit may refuse.
	refused = 1e-4
	// retryShare is the share of requests under way that may be retries, and
	// minRetries the least number: Envoy's retry budget.
	retryShare = 0.2
	minRetries = 3
)

// Recommend is the number of requests under way when the highest load meets
// slow answers (Little 1961), with half as much room again; and so many that
// requests which come as they please, however long each takes, are refused once
// in ten thousand (their number is Poisson's: the queue M/G/∞, Takács 1962).
func (c Concurrency) Recommend() Recommendation {
	found := Recommendation{Sizing: SizeConcurrency, Unit: "concurrent requests", Current: orUnknown(c.Current), ValidFor: settled}
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
		return found.unknown("not enough data: how long requests take is unknown")
	}
	if !positive(c.Demand.Highest()) {
		return found.unknown("not enough data: there are no requests")
	}
	atLeastOne := func(x float64) float64 { return math.Max(1, whole(x)) }
	highest := c.Demand.Highest()
	value := atLeastOne(math.Max(highest*c.Slow.Estimate*concurrencyRoom, maxAtOnce(highest*c.Slow.Estimate)))
	found.Value = value
	found.Lower = math.Min(value, atLeastOne(c.Demand.Now*c.Slow.Lower))
	found.Upper = math.Max(value, atLeastOne(math.Max(highest*c.Slow.Upper*concurrencyUpper, maxAtOnce(highest*c.Slow.Upper))))
	found.Reason = fmt.Sprintf("%.4g requests/s of up to %.3g s each.", highest, c.Slow.Estimate)
	pending := value
	if positive(c.Wait) {
		pending = atLeastOne(maxAtOnce(highest * c.Wait))
	}
	retries := math.Max(minRetries, whole(retryShare*value))
	found.Settings = []Quantity{{"pending requests", pending, "requests"}, {"concurrent retries", retries, "requests"}}
	values := concurrencyPatch{c.Service, value, pending, retries, 100 * retryShare, minRetries, milliseconds(c.Wait)}
	found.Patches = []Patch{
		{"DestinationRule", "networking.istio.io/v1", "spec.trafficPolicy.connectionPool", patch("destinationrule-concurrency", values)},
		{"Cluster", "envoy.config.cluster.v3", "circuit_breakers.thresholds", patch("envoy-concurrency", values)},
		{"Bulkhead", "resilience4j", "resilience4j.bulkhead", patch("resilience4j-bulkhead", values)},
	}
	found.Revert = "Take the patched fields out again; without them there is no limit. The limits of Envoy and Istio hold for each calling proxy: with several, divide."
	return found
}

// maxAtOnce is the least number that a Poisson variable exceeds with at most
// the probability refused.
func maxAtOnce(mean float64) float64 {
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

// concurrencyPatch is what the patches of a concurrency limit say.
type concurrencyPatch struct {
	Service                                  string
	Requests, Pending, Retries, RetryPercent float64
	MinRetries                               int
	Wait                                     string
}

func milliseconds(seconds float64) string {
	if !positive(seconds) {
		return "0ms"
	}
	return fmt.Sprintf("%.0fms", whole(1000*seconds))
}

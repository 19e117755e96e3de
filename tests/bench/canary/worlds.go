package canary

// canaryWorld is what real traffic does to versions that do not differ.
type canaryWorld struct {
	name string
	// Errors: variance of the counts of a version's minute over their mean, size
	// of clusters, error counted twice with probability one half.
	dispersed float64
	cluster   int
	doubled   bool
	// Outages of two minutes: of everything, or of one of three zones, in which
	// the canary is.
	outage, zoneOutage bool
	// The logarithm of a pod's error rate is AR(1) per minute, or differs for good.
	drift, persistence, static float64
	// Share of errors that a pod has in its first coldMinutes.
	coldErrors, coldMinutes float64
	// A pod has minutes with so many errors, so often an hour.
	errorBurst, errorBursts float64
	// Latency: logarithm of a pod's factor is AR(1) with this deviation; minutes
	// in which it is longer, so often an hour; its factor in the first minutes;
	// the candidate's share of requests to an endpoint that is slow.
	latencyDrift, spike, spikes, coldLatency, slowShare float64
	// The rate of all errors follows a rhythm.
	rhythm float64
	// What comes of a cold start falls by e in so many minutes, in place of
	// ending after coldMinutes.
	coldDecay float64
	// Traffic as a part of the usual, and times as much half an hour later.
	traffic, ramp float64
	// Pauses of a pod an hour, in each of which two seconds' requests are slow.
	pauses float64
	// A pod has a noisy neighbour for twenty minutes, so often an hour: its
	// latency is so many times as long and its errors are as many times as many.
	neighbour, neighbours float64
	// A dependency of a tenth of the paths (of the candidate's slowShare) is out
	// for ten minutes: half of their requests fail.
	dependency bool
	// While an outage lasts, requests come three times as often and fail in
	// clusters of five.
	retries bool
	// A pod of the baseline crashes every five minutes and fails a twentieth of
	// its requests for one.
	crashes bool
	// Bursts and spikes come together.
	together bool
	// Where metrics or pods differ from what is usual: see disturbances.go.
	disturbances
	// What is worse about the candidate: errors and latency of the main endpoint,
	// a share that fails besides, of incidents at the start too.
	errors, latency, failing float64
	simpson                  bool
	latencies                bool // requests are timed
}

// harmlessWorlds are those of real traffic, combinations of them, and others
// like them.
var harmlessWorlds = []canaryWorld{
	{name: "independent errors"},
	{name: "an outage of both", outage: true},
	{name: "three times Poisson's variance", dispersed: 3},
	{name: "clusters of three", cluster: 3},
	{name: "clusters of ten", cluster: 10},
	{name: "a zone out for two minutes", zoneOutage: true},
	{name: "drifting pods", drift: 0.5},
	{name: "cold start 1 %", coldErrors: 0.01},
	{name: "cold start 3 %", coldErrors: 0.03},
	{name: "latency: independent", latencies: true},
	{name: "latency: drifting pods", latencies: true, latencyDrift: 0.1},
	{name: "latency: a minute of 3× an hour", latencies: true, spike: 3, spikes: 1},
	{name: "latency: cold start 1.5×", latencies: true, coldLatency: 1.5},
	{name: "latency: another mix", latencies: true, slowShare: 0.12},
	{name: "an error counts two", doubled: true},
	{name: "combined: clusters, drift, cold start", cluster: 3, drift: 0.3, coldErrors: 0.03},
	{name: "combined: variance, zone, cold start", dispersed: 3, zoneOutage: true, coldErrors: 0.01},
	{name: "combined: latency drift, spikes, cold start, mix", latencies: true, latencyDrift: 0.1, spike: 3, spikes: 1, coldLatency: 1.5, slowShare: 0.12},
	{name: "like: five times the variance and a rhythm", dispersed: 5, rhythm: 0.5},
	{name: "like: clusters of twenty", cluster: 20},
	{name: "like: pods that differ for good", static: 0.4},
	{name: "like: slow drift", drift: 0.4, persistence: 0.99},
	{name: "like: cold start 4 % for 90 s", coldErrors: 0.04, coldMinutes: 1.5},
	{name: "like: a pod's minute of 20 % errors every two hours", errorBurst: 0.2, errorBursts: 0.5},
	{name: "like: latency drift 20 %, spikes of 2× twice an hour", latencies: true, latencyDrift: 0.2, spike: 2, spikes: 2},
	{name: "like: errors of a start fall over ten minutes", coldErrors: 0.02, coldDecay: 3},
	{name: "like: latency: caches fill over ten minutes", latencies: true, coldLatency: 1.5, coldDecay: 3},
	{name: "like: a deploy at the foot of a ramp", ramp: 3, drift: 0.2},
	{name: "like: latency: pauses of collections", latencies: true, pauses: 10},
	{name: "like: a noisy neighbour, twice the errors", neighbour: 2, neighbours: 0.2},
	{name: "like: latency: a noisy neighbour", latencies: true, neighbour: 1.25, neighbours: 0.2},
	{name: "like: bursts of errors and latency together", latencies: true, errorBurst: 0.1, errorBursts: 0.5, spike: 3, together: true},
	{name: "like: a dependency of a part of the paths out", dependency: true},
	{name: "like: storms of retries", outage: true, retries: true},
	{name: "like: little traffic, clusters of three", traffic: 0.01, cluster: 3},
	{name: "like: little traffic, drifting pods", traffic: 0.05, drift: 0.5},
	{name: "like: a pod of the baseline crashes", crashes: true},
	{name: "odd: three pods, clusters of three", cluster: 3, disturbances: disturbances{podCount: 3}},
	{name: "odd: two pods, drifting", drift: 0.4, disturbances: disturbances{podCount: 2}},
	{name: "odd: fifty pods, ten times the traffic, drifting", traffic: 10, drift: 0.2, disturbances: disturbances{podCount: 50}},
	{name: "odd: gaps of scrapes, and pods that begin anew", coldErrors: 0.02, disturbances: disturbances{gaps: 0.05, restarts: 0.2}},
	{name: "odd: a rollout in steps of cold pods", coldErrors: 0.03, disturbances: disturbances{steps: true}},
	{name: "odd: latency: a rollout in steps of cold pods", latencies: true, coldLatency: 1.5, disturbances: disturbances{steps: true}},
	{name: "odd: both versions grow by cold pods", coldErrors: 0.03, drift: 0.2, disturbances: disturbances{steps: true, grows: true}},
	{name: "odd: a dependency's release, four times the errors", drift: 0.2, disturbances: disturbances{release: 4}},
	{name: "odd: latency: the mix follows the hour", latencies: true, slowShare: 0.12, disturbances: disturbances{mixRhythm: 0.4}},
	{name: "odd: latency: pods differ for good by 10 %", latencies: true, disturbances: disturbances{staticLatency: 0.1}},
	{name: "odd: a noisy neighbour of one pod of the canary", neighbour: 2, disturbances: disturbances{besideCanary: 10}},
	{name: "odd: latency: a noisy neighbour of one pod of the canary", latencies: true, neighbour: 1.25, disturbances: disturbances{besideCanary: 10}},
	{name: "odd: a failing client of one pod for ten minutes", errorBurst: 0.05, errorBursts: 0.1, disturbances: disturbances{burstMinutes: 10}},
	{name: "odd: cold start with storms of retries", coldErrors: 0.02, coldDecay: 2, disturbances: disturbances{coldCluster: 5}},
	{name: "odd: three percent of errors, three times the variance", dispersed: 3, disturbances: disturbances{baseErrors: 0.03}},
	{name: "odd: one error in ten thousand, clusters of three", cluster: 3, disturbances: disturbances{baseErrors: 0.0001}},
}

// badCanaries are to be found in time.
var badCanaries = []struct {
	world       canaryWorld
	step, limit float64 // minutes
	share       func(t int) float64
}{
	{canaryWorld{name: "threefold errors", errors: 3}, 1, 30, always(0.1)},
	{canaryWorld{name: "threefold errors, three times the variance", errors: 3, dispersed: 3}, 1, 30, always(0.1)},
	{canaryWorld{name: "a tenth fails", failing: 0.1}, 0.25, 1, always(0.1)},
	{canaryWorld{name: "everything fails", failing: 1}, 0.25, 0.5, always(0.1)},
	{canaryWorld{name: "twice the latency of the main endpoint", latencies: true, latency: 2}, 0.25, 3, always(0.1)},
	{canaryWorld{name: "Simpson: twofold errors, an incident, shares of 5 to 50 %", errors: 2, simpson: true}, 1, 60,
		func(t int) float64 { return min(0.5, 0.05+0.45*float64(t/10)/3) }},
}

package playbook

import "time"

// Pattern is a known way in which services fail.
type Pattern string

// The patterns.
const (
	SlowQueryAfterDeploy  Pattern = "slowQueryAfterDeploy"
	ErrorBurstAfterDeploy Pattern = "errorBurstAfterDeploy"
	RetryStorm            Pattern = "retryStorm"
	PoolExhaustion        Pattern = "poolExhaustion"
	CacheLost             Pattern = "cacheLost"
	DependencyFailing     Pattern = "dependencyFailing"
	TrafficSpike          Pattern = "trafficSpike"
	CapacityAhead         Pattern = "capacityAhead"
	PoolAhead             Pattern = "poolAhead"
	MemoryAhead           Pattern = "memoryAhead"
	StorageAhead          Pattern = "storageAhead"
	CertificateAhead      Pattern = "certificateAhead"
)

// Action is what to do.
type Action string

// The actions.
const (
	RollBack     Action = "rollBack"
	LimitRetries Action = "limitRetries"
	GrowPool     Action = "growPool"
	WarmCache    Action = "warmCache"
	OpenBreaker  Action = "openBreaker"
	ScaleOut     Action = "scaleOut"
	RestartOne   Action = "restartOneByOne"
	GrowStorage  Action = "growStorage"
	RenewCert    Action = "renewCertificate"
)

// Rule is a pattern with what to do about it.
type Rule struct {
	Pattern Pattern
	// Needs are met by facts of one service, each by any of its kinds. Where a
	// deploy is needed, all others must have followed it.
	Needs  [][]Kind
	Action Action
	// Effect, Risk and Revert are for the person who decides.
	Effect, Risk, Revert string
}

// Rules are all patterns. Of equally strong recommendations the first goes
// before.
var Rules = []Rule{
	{SlowQueryAfterDeploy, [][]Kind{{Deployed}, {SlowStatement, MoreCalls}}, RollBack,
		"Requests take as long as with the version before.",
		"Changes of the new version are lost; a migrated schema may not work with the old version.",
		"Deploy the version again."},
	{ErrorBurstAfterDeploy, [][]Kind{{Deployed}, {Failing}}, RollBack,
		"Requests fail as rarely as with the version before.",
		"Changes of the new version are lost; a migrated schema may not work with the old version.",
		"Deploy the version again."},
	{RetryStorm, [][]Kind{{Retrying}}, LimitRetries,
		"The callee gets no more requests than it can answer, and recovers.",
		"Requests fail that a further attempt would have saved.",
		"Restore the former retry settings."},
	{PoolExhaustion, [][]Kind{{WaitsForPool}}, GrowPool,
		"Requests no longer wait for connections.",
		"The database must bear the connections: keep the sum of all pools below its maximum.",
		"Restore the former size of the pool."},
	{CacheLost, [][]Kind{{LostCache}}, WarmCache,
		"The cache answers again, and the database is relieved.",
		"Filling the cache adds load to the database for that time.",
		"Stop filling the cache."},
	{DependencyFailing, [][]Kind{{FailingCallee}}, OpenBreaker,
		"Requests no longer wait for what fails, and callers keep their threads and connections.",
		"Requests that need the callee fail immediately, or use their fallback.",
		"Close the circuit breaker."},
	{TrafficSpike, [][]Kind{{UnusualTraffic}}, ScaleOut,
		"There is capacity for the load that came.",
		"More replicas open more connections to what lies behind.",
		"Scale in once the load is as expected."},
	{CapacityAhead, [][]Kind{{CapacityEnds}}, ScaleOut,
		"The load is spread over more replicas before it exceeds them.",
		"More replicas open more connections to what lies behind.",
		"Scale in once the load is as expected."},
	{PoolAhead, [][]Kind{{PoolEnds}}, GrowPool,
		"Requests do not begin to wait for connections.",
		"The database must bear the connections: keep the sum of all pools below its maximum.",
		"Restore the former size of the pool."},
	{MemoryAhead, [][]Kind{{MemoryEnds}}, RestartOne,
		"Memory is released one replica at a time, before the kernel kills several at once.",
		"A leak goes on: it takes the same time again. The rest must bear the load meanwhile.",
		"Nothing to undo: wait until each replica is ready."},
	{StorageAhead, [][]Kind{{StorageEnds}}, GrowStorage,
		"Writes do not begin to fail.",
		"Most volumes cannot be shrunk again.",
		"Remove what is not needed from the volume."},
	{CertificateAhead, [][]Kind{{CertificateEnds}}, RenewCert,
		"Clients go on trusting the service.",
		"Clients that pin the certificate refuse the new one.",
		"Restore the former certificate while it is valid."},
}

// Patterns lists the names of all patterns.
func Patterns() (names []Pattern) {
	for _, r := range Rules {
		names = append(names, r.Pattern)
	}
	return names
}

// match is a rule that holds for a service.
type match struct {
	rule     Rule
	service  string
	evidence []Fact
	deploy   *Fact
	strength float64
}

// matches are all rules that hold, by service.
func matches(facts []Fact) (found []match) {
	for _, service := range services(facts) {
		for _, rule := range Rules {
			if m, ok := rule.match(service, facts); ok {
				found = append(found, m)
			}
		}
	}
	return found
}

// match looks for the needs of a rule among the facts of a service. A deploy is
// the newest before the effects.
func (r Rule) match(service string, facts []Fact) (match, bool) {
	m := match{rule: r, service: service, strength: 1}
	for _, need := range r.Needs {
		var met []Fact
		strongest := 0.0
		for _, fact := range facts {
			if fact.Service == service && fact.is(need) && (m.deploy == nil || follows(fact, *m.deploy)) {
				met = append(met, fact)
				strongest = max(strongest, fact.strength())
			}
		}
		if len(met) == 0 {
			return m, false
		}
		if need[0] == Deployed {
			newest := met[0]
			for _, fact := range met {
				if fact.At.After(newest.At) {
					newest = fact
				}
			}
			met, strongest, m.deploy = []Fact{newest}, newest.strength(), &newest
		}
		m.evidence = append(m.evidence, met[:min(len(met), maxFactsPerNeed)]...)
		m.strength = min(m.strength, strongest)
	}
	return m, true
}

func (f Fact) is(kinds []Kind) bool {
	for _, kind := range kinds {
		if f.Kind == kind {
			return true
		}
	}
	return false
}

// strength is between 0 and 1, whatever was given.
func (f Fact) strength() float64 {
	if !(f.Strength > 0) {
		return 0
	}
	return min(f.Strength, 1)
}

// follows tells whether an effect may be a deploy's.
func follows(effect, deploy Fact) bool {
	apart := effect.At.Sub(deploy.At)
	return apart >= -deployTolerance && apart <= deployToBlame
}

// anchor is the instant that names the occasion of a recommendation: that of its
// deploy, else now; as whole stretches of a cooldown.
func (m match) anchor(now time.Time, cooldown time.Duration) time.Time {
	if m.deploy != nil {
		now = m.deploy.At
	}
	return now.UTC().Truncate(cooldown)
}

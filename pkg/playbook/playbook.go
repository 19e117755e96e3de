// Package playbook turns what is known of services into recommended actions: by
// declarative rules, from known ways in which services fail. It changes nothing
// itself. What may be sent to automation is held back by guards: a kill switch,
// named targets, cooldowns, budgets, a blast radius, and a stop where too much
// is unusual at once. Equal evidence makes equal plans with equal ids, so that
// replicas which plan at the same time do no harm: receivers know an id.
package playbook

import "time"

// Kind is what a fact says.
type Kind string

// The kinds of facts.
const (
	Deployed       Kind = "deployed"       // a version arrived
	SlowStatement  Kind = "slowStatement"  // a statement takes longer
	MoreCalls      Kind = "moreCalls"      // calls were added, as statements in a loop
	Failing        Kind = "failing"        // failures begin in the service
	FailingCallee  Kind = "failingCallee"  // what the service calls fails or hangs
	WaitsForPool   Kind = "waitsForPool"   // requests wait for connections
	LostCache      Kind = "lostCache"      // the database is asked for what a cache held
	Retrying       Kind = "retrying"       // retries multiply the load
	UnusualTraffic Kind = "unusualTraffic" // more requests than expected

	// What will be used up soon: processor, threads or queue; connections; memory;
	// disk; or a certificate's time.
	CapacityEnds    Kind = "capacityEnds"
	PoolEnds        Kind = "poolEnds"
	MemoryEnds      Kind = "memoryEnds"
	StorageEnds     Kind = "storageEnds"
	CertificateEnds Kind = "certificateEnds"
)

const (
	maxFactsPerNeed = 5
	maxNameLength   = 200 // bytes of a target's name
	// dayOfBudget is the time of a service's budget, hourOfBudget that of all.
	dayOfBudget, hourOfBudget = 24 * time.Hour, time.Hour
	// deployTolerance is by how much an effect may be seen before its deploy, and
	// deployToBlame how long after it a deploy may still be to blame.
	deployTolerance, deployToBlame = 2 * time.Minute, 24 * time.Hour
)

// Fact is something that is known of a service.
type Fact struct {
	Kind    Kind   `json:"kind"`
	Service string `json:"service"`
	// Operation, Peer (what is called), Version and Previous are empty where they
	// mean nothing.
	Operation string `json:"operation,omitempty"`
	Peer      string `json:"peer,omitempty"`
	Version   string `json:"version,omitempty"`
	Previous  string `json:"previous,omitempty"`
	// At is when it began, as far as that is known.
	At time.Time `json:"at"`
	// Strength of the evidence, 0–1.
	Strength float64 `json:"strength"`
	// Text can be checked by a person.
	Text   string   `json:"text"`
	Traces []string `json:"traces,omitempty"`
}

// Past is an action that was sent before.
type Past struct {
	ID      string    `json:"id"`
	Pattern Pattern   `json:"pattern"`
	Service string    `json:"service"`
	At      time.Time `json:"at"`
	// Outcome is empty until it is known.
	Outcome Outcome `json:"outcome,omitempty"`
}

// Outcome is what came of an action.
type Outcome string

// The outcomes.
const (
	Pending  Outcome = "pending"  // it is too early to tell, or nothing can be told
	Verified Outcome = "verified" // what it was to cure is gone
	Failed   Outcome = "failed"   // what it was to cure is still there
)

// Situation is all that a plan rests on.
type Situation struct {
	Now   time.Time
	Facts []Fact
	// Known is how many services there are, of which Unusual are unusual; 0 where
	// that is unknown.
	Known, Unusual int
	// Missing says which evidence could not be had; empty for none.
	Missing string
	Past    []Past
	// Record is what came of all recommendations whose outcome is kept, and
	// RecordMissing why it is not known; empty where it is.
	Record        []Past
	RecordMissing string
}

// Target is what an action is about.
type Target struct {
	Service   string `json:"service"`
	Operation string `json:"operation,omitempty"`
	Peer      string `json:"peer,omitempty"`
	// Version is to be replaced by Previous, in a rollback.
	Version  string `json:"version,omitempty"`
	Previous string `json:"previous,omitempty"`
}

// State is what becomes of a recommendation.
type State string

// The states.
const (
	Observed State = "observed" // written down, no more
	Proposed State = "proposed" // for a person to act upon
	Ready    State = "ready"    // may be sent to automation
	Held     State = "held"     // would be sent, but a guard holds it back
)

// Recommendation is an action with what speaks for it.
type Recommendation struct {
	ID         string  `json:"id"`
	Pattern    Pattern `json:"pattern"`
	Action     Action  `json:"action"`
	Target     Target  `json:"target"`
	Evidence   []Fact  `json:"evidence"`
	Confidence float64 `json:"confidence"` // that of the weakest need, 0–1
	// Effect is what to expect, Risk what may go wrong, Revert how to undo it.
	Effect string `json:"effect"`
	Risk   string `json:"risk"`
	Revert string `json:"revert"`
	State  State  `json:"state"`
	// Held says which guard holds it back, or why it is only proposed.
	Held string `json:"held,omitempty"`
	// ValidUntil is when its evidence is too old to act upon.
	ValidUntil time.Time `json:"validUntil"`
	// VerifyFrom and VerifyBy are when, if it is acted upon now, what it cures
	// must be gone.
	VerifyFrom time.Time `json:"verifyFrom"`
	VerifyBy   time.Time `json:"verifyBy"`
}

// Plan is what is recommended, the best founded first.
type Plan struct {
	Recommendations []Recommendation `json:"recommendations"`
	// Refused are targets that were named by nothing or by a wildcard.
	Refused []string `json:"refused"`
	// Outcomes are what came of past actions whose outcome was unknown.
	Outcomes []Past `json:"outcomes"`
	// Records are those by which auto is earned; empty where it need not be.
	Records []Record `json:"records,omitempty"`
}

package query

import "slices"

// TypeChanges asks what changed in the systems.
const TypeChanges Type = "changes"

// ChangeKinds are the kinds of changes that can be asked for.
var ChangeKinds = []string{
	"deploy", "replicas", "autoscaler", "config", "restart", "outOfMemory", "throttling",
	"pods", "node", "certificate", "job", "sync", "incident", "action", "announced",
}

// LedgerChanges asks what changed inside the window: one list of deploys, scaling,
// configuration, restarts, nodes, certificates, jobs and what others announced.
type LedgerChanges struct {
	Common
	// Service narrows the list to what is about a service, and to what is about
	// none, as nodes; empty for all.
	Service string `json:"service,omitempty"`
	// Kinds are the kinds of changes to list. Default: all.
	Kinds []string `json:"kinds,omitempty" jsonschema:"maxItems=30"`
}

// Type implements Query.
func (LedgerChanges) Type() Type { return TypeChanges }

// WithDefaults fills in what was not asked for.
func (q LedgerChanges) WithDefaults() LedgerChanges {
	q.Common = q.withDefaults()
	return q
}

// Validate implements Query.
func (q LedgerChanges) Validate() error {
	if err := first(checkFormat(TypeChanges, q.Format), checkName("service", q.Service)); err != nil {
		return err
	}
	for _, kind := range q.Kinds {
		if err := CheckKnown("kinds", kind, ChangeKinds); err != nil {
			return err
		}
	}
	return nil
}

// Wants says whether a kind of change is asked for.
func (q LedgerChanges) Wants(kind string) bool {
	return len(q.Kinds) == 0 || slices.Contains(q.Kinds, kind)
}

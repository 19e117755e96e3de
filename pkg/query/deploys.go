package query

// Deploys asks which versions of a service were seen and when each arrived.
type Deploys struct {
	Common
	// Service is the service.name; empty for every service.
	Service string `json:"service,omitempty"`
}

// Type implements Query.
func (Deploys) Type() Type { return TypeDeploys }

// WithDefaults fills in what was not asked for.
func (q Deploys) WithDefaults() Deploys { return Deploys{q.withDefaults(), q.Service} }

// Validate implements Query.
func (q Deploys) Validate() error {
	return first(checkFormat(TypeDeploys, q.Format), checkName("service", q.Service))
}

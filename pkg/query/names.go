package query

// Services asks for the names of all services.
type Services struct{ Common }

// Type implements Query.
func (Services) Type() Type { return TypeServices }

// WithDefaults fills in what was not asked for.
func (q Services) WithDefaults() Services { return Services{q.withDefaults()} }

// Validate implements Query.
func (q Services) Validate() error { return checkFormat(TypeServices, q.Format) }

// Operations asks for the operations (span names) of a service.
type Operations struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
}

// Type implements Query.
func (Operations) Type() Type { return TypeOperations }

// WithDefaults fills in what was not asked for.
func (q Operations) WithDefaults() Operations {
	return Operations{q.withDefaults(), q.Service}
}

// Validate implements Query.
func (q Operations) Validate() error {
	return first(checkFormat(TypeOperations, q.Format), checkService(q.Service, "whose operations to list"))
}

// Versions asks for the versions of a service.
type Versions struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
}

// Type implements Query.
func (Versions) Type() Type { return TypeVersions }

// WithDefaults fills in what was not asked for.
func (q Versions) WithDefaults() Versions { return Versions{q.withDefaults(), q.Service} }

// Validate implements Query.
func (q Versions) Validate() error {
	return first(checkFormat(TypeVersions, q.Format), checkService(q.Service, "whose versions to list"))
}

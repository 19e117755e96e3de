package sizing

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Pool is the question how many connections each instance of a service needs.
type Pool struct {
	Name string // empty where there is only one
	// Asked is how many connections an instance asks for per second, those that
	// it waits for in vain included. Growth is how many times as many it will be
	// at the highest load.
	Asked, Growth float64
	// Hold is how long a connection is held, in seconds: on average, and what the
	// average was in quieter and busier minutes.
	Hold    stats.Interval
	Current float64 // connections per instance; NaN where it is unknown
	// Seen is the most that were in use at once of late; 0 where not known.
	Seen float64
	// Instances is how many there will be. All of them share the database's
	// Connections, of which Reserve are kept free for others; 0 where not known.
	Instances            float64
	Connections, Reserve int
	// At most a share, Waiting, of the requests waits longer than Patience, in
	// seconds.
	Patience, Waiting float64
}

// Recommend is the smallest pool in which connections are there in time. The
// load in connections is rate times holding time (Little 1961); how long
// requests wait at that load is Erlang's formula for a queue. Holding times
// that vary less than exponential ones wait less than it says; those that vary
// more, and bursts, are why it is never smaller than what was in use at once.
func (p Pool) Recommend() Recommendation {
	found := Recommendation{Sizing: SizePool, Subject: p.Name, Unit: "connections per instance", Current: orUnknown(p.Current), ValidFor: settled}
	found.Basis = []Quantity{
		{"connections requested by an instance", p.Asked, "per second"},
		{"growth up to the highest load", p.Growth, ""},
		{"a connection is held for", p.Hold.Estimate, "s"},
		{"longest wait", p.Patience, "s"},
		{"share of requests that may wait longer", p.Waiting, ""},
		{"max in use", p.Seen, "connections"},
	}
	if !positive(p.Asked) || !ordered(p.Hold) {
		return found.unknown("not enough data: the rate at which connections are requested, or how long they are held, is unknown")
	}
	if !positive(p.Patience) || !(p.Waiting > 0 && p.Waiting < 1) {
		return found.unknown("how long requests may wait for a connection is not said")
	}
	growth := math.Max(1, p.Growth)
	if !positive(growth) {
		return found.unknown("not enough data: the load of the next minutes is unknown")
	}
	size := func(rate, hold float64) (float64, bool) {
		n, ok := serversFor(rate*hold, hold, p.Patience, p.Waiting)
		return float64(n), ok
	}
	value, ok1 := size(p.Asked*growth, p.Hold.Estimate)
	lower, ok2 := size(p.Asked, p.Hold.Lower)
	upper, ok3 := size(p.Asked*growth, p.Hold.Upper)
	if !ok1 || !ok2 || !ok3 {
		return found.unknown("more than %d connections would be needed: the metrics of the pool are not to be believed", maxServers)
	}
	if positive(p.Seen) && value < whole(p.Seen) {
		value, found.Constraint = whole(p.Seen), "the highest number in use"
	}
	load := p.Asked * growth * p.Hold.Estimate
	found.Reason = fmt.Sprintf("%.3g requests per second hold a connection for %.3g s each: %.3g connections in use on average.", p.Asked*growth, p.Hold.Estimate, load)
	if p.Connections > 0 && positive(p.Instances) {
		ceiling := math.Floor(float64(p.Connections-p.Reserve) / p.Instances)
		found.Basis = append(found.Basis, Quantity{"most connections that the database leaves an instance", ceiling, "connections"})
		if ceiling < 1 {
			return found.unknown("the database has fewer connections than there are instances: put a pooler between them")
		}
		if value > ceiling {
			value, found.Constraint = ceiling, "the database's connections"
			if ceiling <= load {
				found.Reason += " The database cannot serve that: hold connections for less time, or admit fewer requests."
			}
		}
	}
	found.Value, found.Lower, found.Upper = value, math.Min(lower, value), math.Max(upper, value)
	found.Basis = append(found.Basis, Quantity{"use of the recommended pool", load / value, ""})
	found.Patches = []Patch{
		{"HikariCP", "spring-boot", "spring.datasource.hikari.maximum-pool-size", patch("hikaricp", value)},
		{"PgBouncer", "pgbouncer.ini", "pgbouncer.default_pool_size", patch("pgbouncer", value)},
		{"Go", "database/sql", "DB.SetMaxOpenConns", patch("go", value)},
	}
	found.Revert = "Put the size of the pool back to what it was"
	if positive(p.Current) {
		found.Revert += fmt.Sprintf(" (%.0f)", p.Current)
	}
	found.Revert += " and restart, or reload, the instances."
	return found
}

package shop

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// Fault is something that can be switched on.
type Fault struct {
	Name        string        `json:"name"`
	Service     string        `json:"service,omitempty"` // where it lies; empty for the traffic
	Description string        `json:"description"`
	Ramp        time.Duration `json:"-"` // how long it takes to reach its severity, where none is asked for
}

// Names of the faults.
const (
	SlowQuery      = "slow-query"
	NPlusOne       = "n-plus-one"
	ErrorBurst     = "error-burst"
	PoolExhaustion = "pool-exhaustion"
	LostCache      = "lost-cache"
	RetryStorm     = "retry-storm"
	TrafficSpike   = "traffic-spike"
	TrafficDrop    = "traffic-drop"
)

// Faults are all faults, by name.
var Faults = map[string]Fault{
	SlowQuery:      {SlowQuery, Orders, "the statement that reads a customer's recent orders no longer uses its index: 8 times slower at severity 1", 0},
	NPlusOne:       {NPlusOne, Orders, "the items of a customer's orders are read with one statement per order instead of one for all, for the share of requests that severity gives", 0},
	ErrorBurst:     {ErrorBurst, Payment, "the payment provider answers 503 to 40 % of the charges at severity 1", 0},
	PoolExhaustion: {PoolExhaustion, Orders, "connections of orders' pool return ever later, up to 1.2 s late at severity 1: the pool fills up, callers wait, then time out", 10 * time.Minute},
	LostCache:      {LostCache, Cache, "the cache forgets: the share of reads that severity gives misses and goes to the database", 0},
	RetryStorm:     {RetryStorm, Catalog, "catalog answers 503 to half of its calls at severity 1; cart and web both try again, up to 3 times each", 0},
	TrafficSpike:   {TrafficSpike, "", "traffic is 4 times as high at severity 1", 0},
	TrafficDrop:    {TrafficDrop, "", "traffic falls by 80 % at severity 1", 0},
}

// ActiveFault is a fault that is on.
type ActiveFault struct {
	Name     string    `json:"name"`
	Severity float64   `json:"severity"`
	Ramp     string    `json:"ramp"`
	Since    time.Time `json:"since"`
	Version  string    `json:"version,omitempty"` // only requests that this version of the fault's service serves
	ramp     time.Duration
}

// level is the severity reached by now.
func (f ActiveFault) level(now time.Time) float64 {
	into := now.Sub(f.Since)
	if into >= f.ramp {
		return f.Severity
	}
	return f.Severity * max(0, float64(into)/float64(f.ramp))
}

func newActiveFault(name, version string, severity float64, ramp time.Duration, now time.Time) (ActiveFault, error) {
	fault, known := Faults[name]
	if !known {
		return ActiveFault{}, fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(faultNames(), ", "))
	}
	if severity <= 0 || severity > 10 {
		return ActiveFault{}, fmt.Errorf("severity %g: give above 0 and at most 10 (1 is the usual)", severity)
	}
	if ramp < 0 {
		ramp = fault.Ramp
	}
	return ActiveFault{name, severity, ramp.String(), now, version, ramp}, nil
}

func faultNames() []string {
	names := make([]string, 0, len(Faults))
	for name := range Faults {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

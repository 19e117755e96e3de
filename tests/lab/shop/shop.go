package shop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Options are what a shop is made of.
type Options struct {
	Seed      uint64
	Rate      float64 // requests per second at load factor 1
	Load      Load
	Telemetry Telemetry
}

// Shop is the running simulation. Its methods may be called from any goroutine.
type Shop struct {
	mutex      sync.Mutex
	options    Options
	engine     engine
	ids        *seededIDs
	background context.Context
	arrivals   *rand.Rand
	requests   uint64
	deployed   map[string]*deployment
	faults     map[string]ActiveFault
	consumers  pool

	cacheHits, cacheMisses int64
}

// New opens a shop at the given time, with every service at its first version.
func New(options Options, at time.Time) (*Shop, error) {
	s := &Shop{
		options: options, background: context.Background(),
		engine:   engine{now: at},
		ids:      newSeededIDs(options.Seed, uint64(at.UnixNano())),
		arrivals: rand.New(rand.NewPCG(mix(options.Seed), mix(uint64(at.UnixNano())))),
		deployed: map[string]*deployment{},
		faults:   map[string]ActiveFault{},
	}
	s.consumers = pool{engine: &s.engine, max: consumerWorkers}
	for _, service := range serviceOrder {
		first, err := s.newInstance(service, definitions[service].version)
		if err != nil {
			return nil, err
		}
		s.deployed[service] = &deployment{stable: first}
	}
	s.engine.at(at, s.tick)
	s.engine.at(at, s.nextVisit)
	s.engine.at(at, s.nextReindex)
	return s, nil
}

// Run lets the simulation proceed to the given time.
func (s *Shop) Run(until time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.engine.runUntil(until)
}

// RunLive keeps the simulation at the present until the context ends.
func (s *Shop) RunLive(ctx context.Context) {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-pace.C:
			s.Run(now)
		}
	}
}

// Close flushes and ends the telemetry of every instance.
func (s *Shop) Close(ctx context.Context) error {
	s.mutex.Lock()
	var running []*instance
	for _, service := range serviceOrder {
		running = append(running, s.deployed[service].instances()...)
	}
	s.mutex.Unlock()
	var failures []error
	for _, i := range running {
		failures = append(failures, i.release(ctx))
	}
	return errors.Join(failures...)
}

// tick settles how busy the processors are.
func (s *Shop) tick() {
	contention := s.options.Load.Contention(s.engine.now)
	for _, service := range serviceOrder {
		for _, i := range s.deployed[service].instances() {
			i.processor.tick(contention)
		}
	}
	s.engine.at(s.engine.now.Add(processorTick), s.tick)
}

// nextVisit draws the time of the next request from a Poisson process whose
// rate follows the load, and lets it arrive.
func (s *Shop) nextVisit() {
	factor := s.options.Load.Factor(s.engine.now)
	factor *= 1 + 3*s.level(TrafficSpike, nil)
	factor *= max(0.02, 1-0.8*s.level(TrafficDrop, nil))
	gap := s.arrivals.ExpFloat64() / (s.options.Rate * factor)
	s.engine.at(s.engine.now.Add(time.Duration(gap*float64(time.Second))), func() {
		pick := s.arrivals.Float64()
		for _, visit := range visits {
			if pick -= visit.share; pick < 0 {
				s.arrive(visit.route, visit.path)
				break
			}
		}
		s.nextVisit()
	})
}

// nextReindex runs the nightly job, a few chunks each second.
func (s *Shop) nextReindex() {
	if s.options.Load.Reindexing(s.engine.now) {
		s.reindexChunk()
	}
	s.engine.at(s.engine.now.Add(time.Duration(float64(250*time.Millisecond)*defaultRate/s.options.Rate)), s.nextReindex)
}

func (s *Shop) newRequest(random *rand.Rand) *request {
	return &request{
		shop: s, instances: map[string]*instance{},
		customer: 1000 + random.IntN(9000),
		product:  100 + random.IntN(2000),
		items:    1 + random.IntN(5),
		orders:   4 + random.IntN(13),
	}
}

// backend is the instance of a service that has no versions side by side.
func (s *Shop) backend(service string) *instance { return s.deployed[service].stable }

// level is how strong a fault is now: for the instance of a service, or nil for
// the traffic. A fault that came with a version is in that version alone.
func (s *Shop) level(name string, i *instance) float64 {
	fault, on := s.faults[name]
	if !on || (i != nil && i.service != Faults[name].Service) ||
		(fault.Version != "" && (i == nil || i.version != fault.Version)) {
		return 0
	}
	return fault.level(s.engine.now)
}

// Break switches a fault on, or changes its severity. A negative ramp takes
// the fault's own.
func (s *Shop) Break(name string, severity float64, ramp time.Duration) (ActiveFault, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fault, err := newActiveFault(name, "", severity, ramp, s.engine.now)
	if err == nil {
		s.faults[name] = fault
	}
	return fault, err
}

// Mend switches a fault off.
func (s *Shop) Mend(name string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, on := s.faults[name]; !on {
		return fmt.Errorf("the fault %q is not on", name)
	}
	delete(s.faults, name)
	return nil
}

// State is what runs.
type State struct {
	Time     time.Time              `json:"time"`
	Rate     float64                `json:"requests_per_second"` // by the rhythm, without faults
	Requests uint64                 `json:"requests"`
	Services map[string][]Version   `json:"services"`
	Faults   map[string]ActiveFault `json:"faults"`
}

// State describes the shop now.
func (s *Shop) State() State {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	services := map[string][]Version{}
	for _, service := range slices.Sorted(maps.Keys(s.deployed)) {
		services[service] = s.deployed[service].versions()
	}
	return State{s.engine.now, s.options.Rate * s.options.Load.Factor(s.engine.now), s.requests, services, maps.Clone(s.faults)}
}

package shop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// deployment is the versions of a service that serve at the moment.
type deployment struct {
	stable, canary *instance
	share          float64   // of the requests, to the canary
	since          time.Time // when the newest version came
	draining       []*instance
}

// Version is a version of a service and its share of the requests.
type Version struct {
	Version string    `json:"version"`
	Share   float64   `json:"share"`
	Since   time.Time `json:"since,omitzero"`
}

// drainFor is how long an old version keeps its telemetry after the last
// request was given to it.
const drainFor = 15 * time.Second

func (d *deployment) instances() []*instance {
	running := append([]*instance{d.stable}, d.draining...)
	if d.canary != nil {
		running = append(running, d.canary)
	}
	return running
}

func (d *deployment) versions() []Version {
	if d.canary == nil {
		return []Version{{d.stable.version, 1, d.since}}
	}
	return []Version{{d.stable.version, 1 - d.share, time.Time{}}, {d.canary.version, d.share, d.since}}
}

// choose picks the instance that serves a request.
func (s *Shop) choose(service string, random *rand.Rand) *instance {
	d := s.deployed[service]
	pick := random.Float64() // drawn always, so that a canary leaves all other draws as they were
	if d.canary != nil && pick < d.share {
		return d.canary
	}
	return d.stable
}

// Deploy brings a version of a service. With share 1 it replaces the others at
// once; with less it is a canary beside the stable version. The fault, empty
// for none, comes with the version: requests that another version serves do
// not have it.
func (s *Shop) Deploy(service, version string, share float64, fault string) error {
	if version == "" {
		return fmt.Errorf("say which version of %s to deploy", service)
	}
	if share <= 0 || share > 1 {
		return fmt.Errorf("share %g: give above 0 and at most 1", share)
	}
	if f, known := Faults[fault]; fault != "" && known && f.Service != service {
		return fmt.Errorf("the fault %s comes with a version of %q, not of %q", fault, f.Service, service)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	d := s.deployed[service]
	if d == nil {
		return fmt.Errorf("there is no service %q; there are %v", service, serviceOrder)
	}
	if fault != "" {
		active, err := newActiveFault(fault, version, 1, -1, s.engine.now)
		if err != nil {
			return err
		}
		s.faults[fault] = active
	}

	next, err := s.instanceOf(d, service, version)
	if err != nil {
		return err
	}
	previous := d.instances()
	d.since = s.engine.now
	if share == 1 || next == d.stable {
		d.stable, d.canary, d.share = next, nil, 0
	} else {
		d.canary, d.share = next, share
	}
	d.draining = nil
	for _, i := range previous {
		if i != d.stable && i != d.canary {
			d.draining = append(d.draining, i)
			s.engine.at(s.engine.now.Add(drainFor), func() { s.retire(d, i) })
		}
	}
	return nil
}

// instanceOf returns the instance that runs this version already, or a new one.
func (s *Shop) instanceOf(d *deployment, service, version string) (*instance, error) {
	for _, i := range d.instances() {
		if i.version == version {
			return i, nil
		}
	}
	return s.newInstance(service, version)
}

// retire ends an instance that has served its last request.
func (s *Shop) retire(d *deployment, gone *instance) {
	for i := range d.draining {
		if d.draining[i] == gone {
			d.draining = append(d.draining[:i], d.draining[i+1:]...)
			// Flushing reads the gauges, which takes the lock that is held here.
			go gone.release(context.Background())
			return
		}
	}
}

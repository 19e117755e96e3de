package servers

import (
	"context"
	"fmt"
	"sync"
)

// What can be done to a running server, as tests of faults do it.
const (
	Kill   = "kill"   // ends it at once, without a chance to clean up
	Start  = "start"  // starts a killed one again, on its ports and data
	Pause  = "pause"  // it keeps its connections and does nothing
	Resume = "resume" // ends a pause
)

// State is what a server does at the moment.
type State struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	PID    int    `json:"pid"`
	Killed bool   `json:"killed"`
}

// Set is the servers that run in a lab.
type Set struct {
	mutex   sync.Mutex
	members []*Process
}

// Add makes a server known.
func (s *Set) Add(process *Process) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.members = append(s.members, process)
}

// States lists the servers in the order in which they were added.
func (s *Set) States() []State {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	states := make([]State, 0, len(s.members))
	for _, p := range s.members {
		states = append(states, p.state())
	}
	return states
}

// Do does one of the above to a server. A server that is started is ready when
// Do returns.
func (s *Set) Do(ctx context.Context, name, what string) error {
	process, err := s.find(name)
	if err != nil {
		return err
	}
	process.mutex.Lock()
	defer process.mutex.Unlock()
	ended := process.now.asked.Load()
	switch {
	case what == Start && !ended:
		return fmt.Errorf("%s runs already", name)
	case what == Start:
		return process.launch(ctx)
	case what != Kill && what != Pause && what != Resume:
		return fmt.Errorf("there is no %q, only %s, %s, %s and %s", what, Kill, Start, Pause, Resume)
	case ended:
		return fmt.Errorf("%s was killed: %s it first", name, Start)
	case what == Kill:
		process.now.end(0)
		return nil
	default:
		return suspend(process.now.command.Process, what == Pause)
	}
}

func (s *Set) find(name string) (*Process, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var names []string
	for _, p := range s.members {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("there is no server %q, only %v", name, names)
}

func (p *Process) state() State {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return State{Name: p.Name, URL: p.URL, PID: p.now.command.Process.Pid, Killed: p.now.asked.Load()}
}

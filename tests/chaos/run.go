package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Cell is a place in the table: one question while one server failed in one way.
type Cell struct {
	Outcome Outcome
	// Reason says what is wrong; empty where nothing is.
	Reason string
	// Recovered is how long after the end of the fault the whole answer came
	// again; negative where it did not.
	Recovered time.Duration
}

// Row is one fault of one server, with a cell for each question.
type Row struct {
	Server, Fault, Means string
	Cells                map[string]Cell
}

const (
	// times is how often a question is put while the server fails: again, as a
	// rule or a viewer would, until the server is left alone for a while.
	times = 3
	// patience is how long an answer may take to come back: the server is tried
	// again after 15 seconds.
	patience = 45 * time.Second
	// atOnce is how many questions wait at the same time.
	atOnce = 12
)

// play puts every question while a server fails, and again when it does not.
func (s *stage) play(ctx context.Context, upstream Upstream, fault Fault, questions []Question) (Row, error) {
	row := Row{Server: upstream.Name, Fault: fault.Name, Means: fault.Means, Cells: map[string]Cell{}}
	proxies, err := s.proxies()
	if err != nil {
		return row, err
	}
	defer func() {
		for _, p := range proxies {
			p.Close()
		}
	}()
	if err := proxies[upstream.Name].Break(fault); err != nil {
		return row, err
	}
	sources := make([]asked, len(questions))
	cells := make([]Cell, len(questions))
	each(questions, func(i int, q Question) {
		sources[i] = s.source(proxies)
		for range q.often(upstream.Name) {
			outcome, reason := q.judge(q.put(ctx, sources[i]), s.whole[q.Name], upstream.Name)
			if outcome != Wrong && !slices.Contains(q.expected(fault.Effect, upstream.Name), outcome) {
				outcome, reason = Wrong, fmt.Sprintf("the outcome %q is none of those expected", Signs[outcome])
			}
			if outcome >= cells[i].Outcome {
				cells[i].Outcome, cells[i].Reason = outcome, reason
			}
			if outcome == Wrong {
				break
			}
		}
	})
	if err := proxies[upstream.Name].Mend(); err != nil {
		return row, err
	}
	mended := time.Now()
	each(questions, func(i int, q Question) {
		if q.often(upstream.Name) > 1 {
			cells[i].Recovered = s.recovers(ctx, q, sources[i], mended)
		}
	})
	for i, q := range questions {
		row.Cells[q.Name] = cells[i]
	}
	return row, nil
}

// often is how many times a question is put while a server fails.
func (q Question) often(failing string) int {
	if slices.Contains(q.Needs, failing) || slices.Contains(q.Uses, failing) {
		return times
	}
	return 1
}

// recovers asks until the whole answer is there again.
func (s *stage) recovers(ctx context.Context, q Question, on asked, mended time.Time) time.Duration {
	for time.Since(mended) < patience {
		begun := time.Now()
		if outcome, _ := q.judge(q.put(ctx, on), s.whole[q.Name], "nobody"); outcome == Right {
			return begun.Sub(mended)
		}
		time.Sleep(500 * time.Millisecond)
	}
	return -1
}

// each works on every question, some at once.
func each(questions []Question, work func(int, Question)) {
	turns := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i, q := range questions {
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			work(i, q)
		})
	}
	group.Wait()
}

// proxies stand before each of the servers.
func (s *stage) proxies() (map[string]*Proxy, error) {
	all := map[string]*Proxy{}
	settings := s.lab.Settings()
	for _, upstream := range s.topology.Upstreams {
		p, err := NewProxy(settings[upstream.Setting].(map[string]any)["url"].(string))
		if err != nil {
			return all, err
		}
		all[upstream.Name] = p
	}
	return all, nil
}

// learn asks every question without a fault, until it says the same twice and
// nothing of a server that did not answer: the machine may be busy.
func (s *stage) learn(ctx context.Context) error {
	deadline := time.Now().Add(5 * time.Minute)
	for _, q := range Questions() {
		for last := (reply{failure: "not asked yet"}); ; {
			next := q.put(ctx, s.source(nil))
			problem := s.blemish(q, last, next)
			if problem == "" {
				s.whole[q.Name] = next
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s has no steady answer without a fault: %s", q.Name, problem)
			}
			last = next
		}
	}
	return nil
}

// blemish is why two replies without a fault do not make a whole answer; empty
// for no reason.
func (s *stage) blemish(q Question, last, next reply) string {
	if last.failure != "" || next.failure != "" {
		return last.failure + next.failure
	}
	for _, upstream := range s.topology.Upstreams {
		if outcome, reason := q.judge(next, last, upstream.Name); outcome != Right {
			return fmt.Sprintf("%s %s", Signs[outcome], reason)
		}
	}
	return ""
}

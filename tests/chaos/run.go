package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	Server, Fault string
	Cells         map[string]Cell
}

// trouble is a fault that comes and goes.
type trouble struct {
	upstream   Upstream
	name       string
	effect     Effect
	loses      bool
	proxies    map[string]*Proxy
	begin, end func() error
}

// between is a fault between the plugin and a server.
func (s *stage) between(upstream Upstream, fault Fault) (trouble, error) {
	proxies, err := s.proxies()
	p := proxies[upstream.Name]
	return trouble{upstream, fault.Name, fault.Effect, fault.Loses, proxies, func() error { return p.Break(fault) }, p.Mend}, err
}

// inside is a fault of a process itself.
func (s *stage) inside(ctx context.Context, upstream Upstream, process Process, name, do, undo string) (trouble, error) {
	proxies, err := s.proxies()
	control := func(do string) func() error {
		return func() error { return s.lab.Do(ctx, process.Name, do) }
	}
	return trouble{upstream, process.Name + " " + name, process.Effect, false, proxies, control(do), control(undo)}, err
}

// judge takes what a server has lost into account: it does not tell, so that
// numbers may be others and rows may be missing without a notice, but nothing is
// zero for want of data, other than a count of the deploys that are known. That
// there is no number to be written down is final.
func (t trouble) judge(q Question, got, whole reply) (Outcome, string) {
	if !t.loses {
		return q.judge(got, whole, t.upstream.Name)
	}
	q.Near = anyNumber
	got.notices = append(got.notices, "")
	got.blamed = got.blamed || strings.HasPrefix(got.failure, "HTTP 422: there are no recent samples")
	got.facts = maps.Clone(got.facts)
	maps.DeleteFunc(got.facts, func(name, value string) bool { return strings.HasSuffix(name, "left_out") && value == "0" })
	return q.judge(got, whole, "")
}

// patience is how long an answer may take to come back: the server is tried
// again after 15 seconds. What was lost in the middle of a history is remembered
// with it.
func (t trouble) patience() time.Duration {
	if t.loses {
		return remembered + patience
	}
	return patience
}

// expected are the outcomes that a question may have.
func (t trouble) expected(q Question) []Outcome {
	if t.loses && q.often(t.upstream.Name) > 1 {
		return []Outcome{Right, Noticed, Less, Refused}
	}
	return q.expected(t.effect, t.upstream.Name)
}

func (t trouble) close() {
	for _, p := range t.proxies {
		p.Close()
	}
}

// shows is the fault that shows which questions have nothing to do with a
// server.
const shows = "refused"

const (
	// times is how often a question is put while the server fails: again, as a
	// rule or a viewer would, until the server is not queried for a while.
	times    = 2
	patience = 90 * time.Second
	// remembered is how long the plugin keeps a history that does not change any
	// more.
	remembered = 10 * time.Minute
	// atOnce is how many questions wait at the same time.
	atOnce = 14
	// busy is how often a question is put again because another server, which
	// has no fault, did not answer in time: the machine has too much to do.
	busy = 3
	// rest is for how long such a server is let be: it may be left alone by then.
	rest = 8 * time.Second
)

// slowed says that a server without a fault did not answer in time.
func (s *stage) slowed(got reply, failing string) bool {
	said := append([]string{got.failure}, got.notices...)
	for _, upstream := range s.topology.Upstreams {
		late := func(text string) bool {
			return strings.Contains(text, upstream.Name+" did not answer in time") || strings.Contains(text, upstream.Name+" is at its limit") || strings.Contains(text, upstream.Name+" is not queried for a while") || strings.Contains(text, upstream.Name+" was not waited for")
		}
		if upstream.Name != failing && slices.ContainsFunc(said, late) {
			return true
		}
	}
	return false
}

// play puts every question while a server fails, and again when it does not. A
// live stream runs meanwhile.
func (s *stage) play(ctx context.Context, t trouble, questions []Question) (Row, error) {
	defer t.close()
	failing := t.upstream.Name
	row := Row{Server: failing, Fault: t.name, Cells: map[string]Cell{}}
	live := s.watch(ctx, s.source(t.proxies))
	defer live.stop()
	if err := live.await(time.Time{}, time.Minute); err != nil {
		return row, err
	}
	begun := time.Now()
	cells, mended, err := s.pass(ctx, t, questions)
	if err != nil {
		return row, err
	}
	row.Cells[Live] = live.judge(begun, mended)
	for i, q := range questions {
		row.Cells[q.Name] = cells[i]
	}
	return row, nil
}

// pass lets a fault come and go, and puts the questions meanwhile and after.
func (s *stage) pass(ctx context.Context, t trouble, questions []Question) (judged []Cell, mended time.Time, err error) {
	failing := t.upstream.Name
	if err := t.begin(); err != nil {
		return nil, mended, err
	}
	sources := make([]queried, len(questions))
	cells := make([]Cell, len(questions))
	each(questions, func(i int, q Question) {
		if q.often(failing) == 1 && t.name != shows {
			return
		}
		sources[i] = s.source(t.proxies)
		for range q.often(failing) {
			got := q.put(ctx, sources[i])
			for range busy {
				if !s.slowed(got, failing) {
					break
				}
				time.Sleep(rest)
				got = q.put(ctx, sources[i])
			}
			outcome, reason := t.judge(q, got, s.whole[q.Name])
			if outcome != Wrong && !slices.Contains(t.expected(q), outcome) {
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
	if err := t.end(); err != nil {
		return nil, mended, err
	}
	mended = time.Now()
	each(questions, func(i int, q Question) {
		if q.often(failing) > 1 {
			cells[i].Recovered = s.recovers(ctx, q, sources[i], mended, t.patience())
		}
	})
	for i, q := range questions {
		if q.holds == nil || sources[i].notes == nil || cells[i].Outcome == Wrong {
			continue
		}
		if less, wrong := q.holds(sources[i]).against(s.whole[q.Name].facts, 0); len(less)+len(wrong) > 0 {
			cells[i].Outcome, cells[i].Reason = Wrong, "in the end Grafana holds something else: "+some(append(less, wrong...))
		}
	}
	return cells, mended, nil
}

// often is how many times a question is put while a server fails.
func (q Question) often(failing string) int {
	if slices.Contains(q.Needs, failing) || slices.Contains(q.Uses, failing) {
		return times
	}
	return 1
}

// recovers asks until the whole answer is there again.
func (s *stage) recovers(ctx context.Context, q Question, on queried, mended time.Time, patience time.Duration) time.Duration {
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
	settings := s.settings()
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
	deadline := time.Now().Add(10 * time.Minute)
	questions := Questions()
	whole, problems := make([]reply, len(questions)), make([]string, len(questions))
	each(questions, func(i int, q Question) {
		for last := (reply{failure: "not asked yet"}); time.Now().Before(deadline); {
			next := q.put(ctx, s.source(nil))
			whole[i], problems[i] = next, s.blemish(q, last, next)
			if problems[i] == "" {
				return
			}
			last = next
			time.Sleep(time.Second)
		}
	})
	for i, q := range questions {
		if problems[i] != "" {
			return fmt.Errorf("%s has no steady answer without a fault: %s", q.Name, problems[i])
		}
		s.whole[q.Name] = whole[i]
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
		if outcome, reason := q.judge(next, last, upstream.Name); outcome != Right && outcome != Noticed {
			return fmt.Sprintf("%s %s", Signs[outcome], reason)
		}
	}
	return ""
}

//go:build integration

package chaos

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

var (
	form = flag.String("chaos", "", "play the table of faults: short or full")
	runs = flag.String("lab", "", "play with the lab that runs at these addresses, the line of JSON that it prints")
	only = flag.String("only", "", "play the faults whose names hold this, for a closer look; those \"of Grafana\" have a page of their own")
)

// sideBySide is how many faults of proxies are played at the same time.
const sideBySide = 3

// TestChaos plays the table of single servers: every fault, every question.
func TestChaos(t *testing.T) {
	if *form == "" {
		t.Skip("run it by go tool mage chaos, or with -chaos short")
	}
	s := openTest(t, Single)
	b := &book{pages: map[string]func() string{}}
	if *form == "full" && *only == "" {
		b.pages["servers.md"] = func() string { return Page(b.between, b.inside, names()) }
	}
	if *form == "full" && (*only == "" || *only == "of "+Grafana) {
		b.pages["grafana.md"] = func() string { return GrafanaPage(b.between, names()) }
	}
	if *only == "" {
		require.NoError(t, s.killedMidQuery(t.Context()))
		require.NoError(t, s.killedMidStream(t.Context()))
		require.NoError(t, s.clocksApart(t.Context()))
	}
	s.betweenAll(t, b, true)
	if *form == "full" {
		s.insideAll(t, b)
		s.betweenAll(t, b, false)
	}
}

// TestParts plays the table of servers in parts, each of which is killed and
// paused.
func TestParts(t *testing.T) {
	if *form != "full" {
		t.Skip("run it by go tool mage chaos, or with -chaos full")
	}
	s := openTest(t, Split)
	b := &book{pages: map[string]func() string{}}
	if *only == "" {
		b.pages["parts.md"] = func() string { return PartsPage(b.inside, names()) }
	}
	s.insideAll(t, b)
}

// openTest is a stage that has learnt the answers without a fault.
func openTest(t *testing.T, topology Topology) *stage {
	s, err := openStage(t.Context(), topology, *runs, os.Stderr, "-history", "2d", "-rate", "2.5")
	require.NoError(t, err)
	t.Cleanup(s.close)
	require.NoError(t, s.prepare(t.Context()))
	require.NoError(t, s.learn(t.Context()))
	return s
}

// names are those of the questions, in the order of the page.
func names() (all []string) {
	for _, q := range Questions() {
		all = append(all, q.Name)
	}
	return append(all, Live)
}

// book holds what was played, and writes it down on pages of docs.
type book struct {
	mu              sync.Mutex
	pages           map[string]func() string // by their names
	between, inside []Row
}

// add reports a row. The pages have what was played so far, cells that must not be
// among it, so that a run that is broken off leaves what it found.
func (b *book) add(t *testing.T, rows *[]Row, row Row, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	report(t, row, err)
	if err != nil {
		return
	}
	for _, problem := range wrong([]Row{row}) {
		t.Error(problem)
	}
	*rows = append(*rows, row)
	slices.SortStableFunc(b.between, func(x, y Row) int { return cmp.Or(cmp.Compare(x.Server, y.Server), cmp.Compare(place(x), place(y))) })
	root, err := harness.Root()
	require.NoError(t, err)
	for name, write := range b.pages {
		if err := os.WriteFile(filepath.Join(root, "tests", "chaos", "results", name), []byte(strings.TrimSpace(write())+"\n"), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// place is a row's among the faults.
func place(row Row) int {
	return slices.IndexFunc(Faults, func(f Fault) bool { return f.Name == row.Fault })
}

// betweenAll plays the faults of connections and answers, those of the short
// form or the others, some side by side.
func (s *stage) betweenAll(t *testing.T, b *book, short bool) {
	var group sync.WaitGroup
	turns := make(chan struct{}, sideBySide)
	for _, fault := range Faults {
		for _, upstream := range s.topology.Upstreams {
			if fault.short(upstream.Name) != short || fault.Of != "" && fault.Of != upstream.Name || !strings.Contains(fault.Name+" of "+upstream.Name, *only) {
				continue
			}
			turns <- struct{}{}
			group.Go(func() {
				defer func() { <-turns }()
				var row Row
				trouble, err := s.between(upstream, fault)
				if err == nil {
					row, err = s.play(t.Context(), trouble, asks(upstream.Name, short))
				}
				b.add(t, &b.between, row, err)
			})
		}
	}
	group.Wait()
}

// asks are the questions that are put while a server fails. What is told is kept
// in Grafana: of the short form's faults only Grafana's concern it.
func asks(failing string, short bool) []Question {
	all := Questions()
	if short && failing != Grafana && *form == "short" {
		all = slices.DeleteFunc(all, func(q Question) bool { return q.holds != nil })
	}
	return all
}

// insideAll kills and pauses the servers themselves, one after the other.
func (s *stage) insideAll(t *testing.T, b *book) {
	for _, upstream := range s.topology.Upstreams {
		for _, process := range upstream.Processes {
			for _, fault := range [][3]string{{"killed", "kill", "start"}, {"paused", "pause", "resume"}} {
				if !strings.Contains(process.Name+" "+fault[0], *only) {
					continue
				}
				var row Row
				trouble, err := s.inside(t.Context(), upstream, process, fault[0], fault[1], fault[2])
				if err == nil {
					row, err = s.play(t.Context(), trouble, Questions())
				}
				b.add(t, &b.inside, row, err)
			}
		}
	}
}

func report(t *testing.T, row Row, err error) {
	if err != nil {
		t.Errorf("%s of %s: %v", row.Fault, row.Server, err)
	}
	for _, name := range names() {
		cell := row.Cells[name]
		fmt.Printf("%-18s %-10s %-22s %-6s %5.1fs %s\n", row.Fault, row.Server, name, Signs[cell.Outcome], cell.Recovered.Seconds(), cell.Reason)
	}
}

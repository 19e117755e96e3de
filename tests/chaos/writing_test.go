//go:build integration

package chaos

import (
	"io"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestWhatIsToldIsKeptOnce plays Grafana's faults alone: what is told needs no
// other server, unless a number is asked for it.
func TestWhatIsToldIsKeptOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for deadlines; run without -short")
	}
	plugin, err := harness.StartPlugin(t.Context(), io.Discard)
	require.NoError(t, err)
	s := &stage{
		topology: Topology{Settings: func(*harness.Lab) map[string]any { return map[string]any{} }, Upstreams: []Upstream{{Name: Grafana, Setting: "grafana"}}},
		plugin:   plugin, keepLab: true, notes: harness.NewAnnotations(), timeout: 5 * time.Second, whole: map[string]reply{},
		scene: scene{time.Now().Add(-10 * time.Minute), time.Now().Add(-time.Minute)},
	}
	s.grafana = httptest.NewServer(s.notes)
	t.Cleanup(s.close)
	questions := slices.DeleteFunc(writes(), func(q Question) bool { return len(q.Needs) > 1 || len(q.Uses) > 0 })
	require.Len(t, questions, 8)
	for _, q := range questions {
		s.whole[q.Name] = q.put(t.Context(), s.source(nil))
		require.Empty(t, s.whole[q.Name].failure, q.Name)
		require.NotEmpty(t, s.whole[q.Name].facts, q.Name)
	}
	var group sync.WaitGroup // it is waiting for the most part
	for _, fault := range Faults {
		if fault.Of != "" && fault.Of != Grafana {
			continue
		}
		group.Go(func() {
			trouble, err := s.between(s.topology.Upstreams[0], fault)
			var cells []Cell
			if err == nil {
				defer trouble.close()
				cells, _, err = s.pass(t.Context(), trouble, questions)
			}
			if err != nil {
				t.Errorf("%s: %v", fault.Name, err)
				return
			}
			row := Row{Server: Grafana, Fault: fault.Name, Cells: map[string]Cell{}}
			for i, q := range questions {
				row.Cells[q.Name] = cells[i]
			}
			for _, problem := range wrong([]Row{row}) {
				t.Error(problem)
			}
		})
	}
	group.Wait()
}

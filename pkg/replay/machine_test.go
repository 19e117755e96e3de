package replay_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/replay"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// TestStatesAreThoseOfGrafana: each script is one evaluation a minute of one
// instance. A number is its value, "-" no data, "." no instance though another one
// is there, "_" no instance at all, "!" a failed evaluation.
func TestStatesAreThoseOfGrafana(t *testing.T) {
	over := replay.Rule{Load: replay.Evaluator{Type: replay.Above, Params: []float64{75}}, Interval: time.Minute, NoData: replay.AsOK, Error: replay.AsError}
	with := func(change func(*replay.Rule)) replay.Rule { r := over; change(&r); return r }
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	hysteresis := &replay.Evaluator{Type: replay.Below, Params: []float64{50}}
	for name, test := range map[string]struct {
		rule   replay.Rule
		script string
		want   string // start-end of pages in minutes, with their peak
	}{
		"at once":                          {over, "1 80 90 1 1", "1-3 alert 90"},
		"the limit itself does not alert":  {over, "75 75 75", ""},
		"pending":                          {with(func(r *replay.Rule) { r.For = minutes(2) }), "1 80 80 85 1", "3-4 alert 85"},
		"pending in vain":                  {with(func(r *replay.Rule) { r.For = minutes(2) }), "1 80 80 1 80 80 1", ""},
		"keeps firing":                     {with(func(r *replay.Rule) { r.KeepFiring = minutes(3) }), "80 1 1 1 1 1", "0-4 alert 80"},
		"fires again while it recovers":    {with(func(r *replay.Rule) { r.KeepFiring = minutes(3); r.For = minutes(2) }), "80 80 80 1 1 90 1 1 1 1 1", "2-9 alert 90"},
		"recovery threshold":               {with(func(r *replay.Rule) { r.Unload = hysteresis }), "60 80 60 60 40 60", "1-4 alert 80"},
		"recovery threshold while pending": {with(func(r *replay.Rule) { r.Unload = hysteresis; r.For = minutes(2) }), "80 60 60 40", "2-3 alert 60"},
		"no recovery threshold while it recovers": {
			with(func(r *replay.Rule) { r.Unload = hysteresis; r.KeepFiring = minutes(2) }), "80 40 60 60 60", "0-3 alert 80"},
		"no data is fine":                    {over, "80 - 80 -", "0-1 alert 80, 2-3 alert 80"},
		"no data is an alert of its own":     {with(func(r *replay.Rule) { r.NoData = replay.AsNoData }), "80 - - 1", "0-1 alert 80, 1-3 no data"},
		"no data alerts":                     {with(func(r *replay.Rule) { r.NoData = replay.AsAlert }), "1 - - 1", "1-3 alert"},
		"no data keeps the state":            {with(func(r *replay.Rule) { r.NoData = replay.KeepLast }), "80 - - 1", "0-3 alert 80"},
		"no data keeps what is pending":      {with(func(r *replay.Rule) { r.NoData = replay.KeepLast; r.For = minutes(2) }), "80 - - - 1", "2-4 alert"},
		"a failure is an alert of its own":   {over, "1 ! ! 1 1 1", "1-4 error"},
		"a failure keeps the state":          {with(func(r *replay.Rule) { r.Error = replay.KeepLast }), "80 ! 80 1", "0-3 alert 80"},
		"a failure is fine":                  {with(func(r *replay.Rule) { r.Error = replay.AsOK }), "80 ! 80", "0-1 alert 80, 2-2 alert 80 firing"},
		"a lost evaluation does not resolve": {over, "80 . 80 1", "0-3 alert 80"},
		"a lost series does":                 {over, "80 . . . .", "0-2 alert 80"},
		"nothing at all is no data":          {over, "80 _ _", "0-1 alert 80"},
		"nothing at all, told":               {with(func(r *replay.Rule) { r.NoData = replay.AsNoData }), "80 _ _ 1 1", "0-2 alert 80, 1-4 no data"},
		"still firing":                       {over, "1 80 80", "1-2 alert 80 firing"},
	} {
		t.Run(name, func(t *testing.T) {
			m := replay.NewMachine(test.rule)
			for i, step := range strings.Fields(test.script) {
				at := noon.Add(time.Duration(i) * time.Minute)
				var v float64
				switch step {
				case "!":
					m.Fail(at)
					continue
				case "_":
					m.Evaluate(at, nil, nil)
					continue
				case ".":
					m.Evaluate(at, []int{2}, []float64{0})
					continue
				case "-":
					v = math.NaN()
				default:
					_, err := fmt.Sscan(step, &v)
					require.NoError(t, err)
				}
				m.Evaluate(at, []int{1, 2}, []float64{v, 0})
			}
			var got []string
			for _, p := range m.Pages() {
				text := fmt.Sprintf("%.0f-%.0f %s", p.Start.Sub(noon).Minutes(), p.End.Sub(noon).Minutes(), p.Kind)
				if !math.IsNaN(p.Peak) {
					text += fmt.Sprintf(" %v", p.Peak)
				}
				if p.Firing {
					text += " firing"
				}
				got = append(got, text)
			}
			require.Equal(t, test.want, strings.Join(got, ", "))
		})
	}
}

func TestTimeInAlertCountsOverlappingPagesOnce(t *testing.T) {
	m := replay.NewMachine(replay.Rule{Load: replay.Evaluator{Type: replay.Above, Params: []float64{0}}, Interval: time.Minute, NoData: replay.AsOK})
	for i, values := range [][]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}} {
		m.Evaluate(noon.Add(time.Duration(i)*time.Minute), []int{1, 2}, values)
	}
	count, firing := m.Evaluations()
	require.Equal(t, 5, count)
	require.Equal(t, 3*time.Minute, firing)
	require.Len(t, m.Pages(), 2)
}

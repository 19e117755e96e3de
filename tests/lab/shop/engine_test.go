package shop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProcessesWaitInSimulatedTime(t *testing.T) {
	e := &engine{now: monday}
	var log []string
	note := func(what string) { log = append(log, what+" "+e.now.Sub(monday).String()) }
	e.spawn(func(p *process) {
		p.parallel(
			func(p *process) { p.wait(3 * time.Second); note("slow") },
			func(p *process) { p.wait(time.Second); note("fast") },
		)
		note("both")
	})
	e.runUntil(monday.Add(2 * time.Second))
	require.Equal(t, []string{"fast 1s"}, log)
	e.runUntil(monday.Add(time.Minute))
	require.Equal(t, []string{"fast 1s", "slow 3s", "both 3s"}, log)
}

func TestPoolServesInOrderAndTimesOut(t *testing.T) {
	e := &engine{now: monday}
	p := &pool{engine: e, max: 1, acquireWithin: 2 * time.Second}
	var log []string
	use := func(name string, at, hold time.Duration) {
		e.at(monday.Add(at), func() {
			e.spawn(func(process *process) {
				if !p.acquire(process) {
					log = append(log, name+" gave up at "+e.now.Sub(monday).String())
					return
				}
				log = append(log, name+" at "+e.now.Sub(monday).String())
				process.wait(hold)
				p.release()
			})
		})
	}
	use("first", 0, 1500*time.Millisecond)
	use("second", 100*time.Millisecond, time.Second)
	use("third", 200*time.Millisecond, time.Second)
	e.runUntil(monday.Add(time.Minute))
	require.Equal(t, []string{"first at 0s", "second at 1.5s", "third gave up at 2.2s"}, log)
	require.Zero(t, p.used)
	require.EqualValues(t, 1, p.timeouts)
	require.Empty(t, p.waiting)
}

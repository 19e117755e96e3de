package rollout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/canary"
)

// busy has so many requests a second; its past is six hours in which nothing
// changed.
func busy(rate, bad float64, pods int) Service {
	s := Service{
		Requests: []float64{60 * rate}, Period: time.Minute, Bad: bad, Pods: pods, Signals: 4,
		Signal: canary.Signal{Name: "errors", Margin: 0.001},
	}
	t := newTrial(s, 1, 99)
	t.serve([]stay{{0, 360}}, 360)
	s.Signal.Noise = canary.Learn(t.groups[:max(1, min(pods, maxBaselinePods))])
	return s
}

func promise() Promise {
	return Promise{Ratio: 3, Probability: 0.95, MaxHarmed: 1000, From: 0.01, MaxWeight: 0.5, MinPause: 5 * time.Minute, MaxDuration: 6 * time.Hour}
}

// planned are plans that several tests look at.
var planned = map[float64]Plan{}

// plannedFor is the plan for so many requests a second that keeps the promise.
func plannedFor(rate float64) Plan {
	if _, is := planned[rate]; !is {
		planned[rate] = Make(busy(rate, 0.01, 10), promise())
	}
	return planned[rate]
}

func TestPlanKeepsItsPromise(t *testing.T) {
	for _, rate := range []float64{20, 200} {
		plan := plannedFor(rate)
		require.True(t, plan.Kept(), "%v", plan.Relax)
		require.GreaterOrEqual(t, plan.InTime, 0.93)
		require.GreaterOrEqual(t, plan.Found, plan.InTime)
		require.LessOrEqual(t, plan.HarmedAtMost, 1000.0)
		require.LessOrEqual(t, plan.Duration(), 6*time.Hour)
		before := Step{}
		for _, s := range plan.Steps {
			require.Greater(t, s.Weight, before.Weight)
			require.GreaterOrEqual(t, s.Power, before.Power)
			require.GreaterOrEqual(t, s.Harmed, before.Harmed)
			require.GreaterOrEqual(t, s.Pause, 5*time.Minute)
			require.InDelta(t, s.Weight*rate*s.Pause.Seconds(), s.Requests, 1e-6)
			before = s
		}
	}
	require.Equal(t, plannedFor(200), Make(busy(200, 0.01, 10), promise()), "the same input, the same plan")
}

// TestFoundAtTheFirstWeight is the promise of the issue: at 1 % of 200 requests a
// second a threefold rise is found before the step ends.
func TestFoundAtTheFirstWeight(t *testing.T) {
	p := promise()
	p.MaxWeight, p.Probability = p.From, 0.99
	plan := Make(busy(200, 0.01, 10), p)
	require.True(t, plan.Kept())
	require.GreaterOrEqual(t, plan.Steps[0].Power, 0.985)
	require.Less(t, plan.Steps[0].Pause, 2*time.Hour)
}

// TestFewerRequestsTakeLonger: the less traffic, and the less there is to find, the
// longer it takes.
func TestFewerRequestsTakeLonger(t *testing.T) {
	fast, slow := plannedFor(200), plannedFor(20)
	require.LessOrEqual(t, fast.Duration(), slow.Duration())
	p := promise()
	p.Ratio = 2
	require.Greater(t, Make(busy(20, 0.01, 10), p).Duration(), slow.Duration())
}

func TestWhatToRelax(t *testing.T) {
	// kept is the constraint whose relaxation is tried.
	of := func(s Service, kept Constraint, change func(*Promise)) (found []Constraint) {
		p := promise()
		change(&p)
		plan := Make(s, p)
		require.False(t, plan.Kept())
		for _, r := range plan.Relax {
			require.NotEmpty(t, r.Text())
			if found = append(found, r.Constraint); r.Constraint != kept {
				continue
			}
			again := p
			switch r.Constraint {
			case MaxHarmed:
				again.MaxHarmed = 1.1 * r.Needed
			case Ratio:
				again.Ratio = 1.1 * r.Needed
			case MaxDuration:
				again.MaxDuration = time.Duration(1.1 * r.Needed * float64(time.Second))
			}
			require.True(t, Make(s, again).Kept(), "%s", r.Text())
		}
		return found
	}
	// A failing candidate harms 120 requests in the first minute.
	require.Contains(t, of(busy(200, 0.01, 10), MaxHarmed, func(p *Promise) { p.MaxHarmed = 50 }), MaxHarmed)
	require.Contains(t, of(busy(2, 0.01, 10), MaxDuration, func(p *Promise) { p.MaxDuration = time.Hour }), MaxDuration)
	require.Contains(t, of(busy(20, 0.01, 10), Ratio, func(p *Promise) { p.Ratio, p.MaxDuration = 1.5, time.Hour }), Ratio)
	require.Equal(t, []Constraint{Margin, Ratio}, of(busy(200, 0.0001, 10), "", func(*Promise) {}), "a rise within the margin")
}

func TestEvenPlan(t *testing.T) {
	plan := MakeEven(busy(200, 0.01, 10), promise())
	require.NotEmpty(t, plan.Steps)
	require.GreaterOrEqual(t, plan.InTime, 0.93)
	for _, s := range plan.Steps {
		require.Equal(t, plan.Interval, s.Pause)
	}
	p := promise()
	p.MaxHarmed = 300 // a failing candidate harms 600 in the first five minutes
	require.Empty(t, MakeEven(busy(200, 0.01, 10), p).Steps)
}

// TestBoundedWork: whatever is asked for, a plan is made in seconds.
func TestBoundedWork(t *testing.T) {
	begun := time.Now()
	p := promise()
	p.MaxDuration, p.Ratio = 7*24*time.Hour, 1.5
	for _, s := range []Service{busy(0.01, 0.01, 0), {Period: time.Minute, Bad: 0.01}} {
		Make(s, p)
	}
	require.Less(t, time.Since(begun), 2*time.Minute)
}

package slo_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/slo"
)

const week = 7 * 24 * time.Hour

var objective = slo.Objective{Name: "availability", Service: "shop", Target: 0.99, Window: week}

// steady are n steps with so many requests of which a share is bad, changed by what
// comes after.
func steady(t *testing.T, n int, requests, share float64, change func(i int, total, bad *float64)) slo.Counts {
	t.Helper()
	total, bad := make([]float64, n), make([]float64, n)
	for i := range n {
		total[i], bad[i] = requests, requests*share
		if change != nil {
			change(i, &total[i], &bad[i])
		}
	}
	c, err := slo.NewCounts(monday, step, total, bad, false)
	require.NoError(t, err)
	return c
}

// level is a forecast of as many requests in every step.
func level(from, horizon int, requests float64) forecast.Result {
	r := forecast.Result{Start: monday.Add(time.Duration(from) * step), Step: step, Mean: make([]float64, horizon)}
	for h := range r.Mean {
		r.Mean[h] = requests
	}
	return r
}

func TestBudget(t *testing.T) {
	// A quarter of the budget is the usual, another quarter is burnt in the last six
	// hours.
	c := steady(t, 14*48, 1000, 0.0025, func(i int, total, bad *float64) {
		if i >= 14*48-12 {
			*bad += 0.0025 * 7 * 48 * 1000 / 12
		}
	})
	b := objective.Of(c)
	require.InDelta(t, 336_000, b.Total, 1e-6)
	require.InDelta(t, 3360, b.Allowed, 1e-6)
	require.InDelta(t, 1680, b.Bad, 1e-6)
	require.InDelta(t, 0.5, b.Left, 1e-9)
	require.InDelta(t, 1, b.Covered, 1e-9)
	require.InDelta(t, 0.25, objective.Burn(c, 2*week), 0.13)
	require.InDelta(t, 7.25, objective.Burn(c, 6*time.Hour), 1e-9)
	course := objective.Course(c, 13*48)
	require.Len(t, course, 48)
	require.InDelta(t, 0.75, course[0], 1e-9)
	require.InDelta(t, 0.5, course[47], 1e-9)
}

func TestBudgetWithoutData(t *testing.T) {
	nothing, err := slo.NewCounts(monday, step, []float64{math.NaN(), 0}, []float64{math.NaN(), 0}, false)
	require.NoError(t, err)
	require.True(t, math.IsNaN(objective.Of(nothing).Left))
	require.True(t, math.IsNaN(objective.Burn(nothing, time.Hour)))
	require.True(t, math.IsNaN(objective.Burn(slo.Counts{Step: step}, time.Hour)))
	require.Empty(t, objective.Split(nothing, nil, nil))
	_, err = objective.Ahead(nothing, level(2, 1, 100))
	require.ErrorIs(t, err, slo.ErrTooShort)
	require.ErrorContains(t, err, "not enough data")
	_, err = objective.Ahead(nothing, forecast.Result{})
	require.ErrorIs(t, err, slo.ErrBadRequest)
	_, err = objective.Ahead(steady(t, 10, 100, 0, nil), level(11, 3, 100))
	require.ErrorIs(t, err, slo.ErrBadRequest, "a gap between the counts and the forecast")
	quiet := steady(t, 10, 0, 0, nil)
	_, err = objective.Ahead(quiet, level(10, 3, 100))
	require.ErrorIs(t, err, slo.ErrTooShort, "no requests")
}

func TestBadObjectives(t *testing.T) {
	with := func(change func(*slo.Objective)) slo.Objective {
		o := objective
		change(&o)
		return o
	}
	other := with(func(o *slo.Objective) { o.Name = "latency"; o.Target = 0.95 })
	require.NoError(t, slo.Check([]slo.Objective{objective, other, objective}), "the same twice is once")
	for message, all := range map[string][]slo.Objective{
		"no name":                    {with(func(o *slo.Objective) { o.Name = "" })},
		"it must lie between":        {with(func(o *slo.Objective) { o.Target = 1 })},
		"target of shop availab":     {with(func(o *slo.Objective) { o.Target = math.NaN() })},
		"between an hour and":        {with(func(o *slo.Objective) { o.Window = time.Minute })},
		"the targets 0.99 and 0.999": {objective, other, with(func(o *slo.Objective) { o.Target = 0.999 })},
		"the windows 168h0m0s and":   {objective, with(func(o *slo.Objective) { o.Window *= 2 })},
		`the indicators "" and "x"`:  {objective, with(func(o *slo.Objective) { o.Indicator = "x" })},
	} {
		err := slo.Check(all)
		require.ErrorIs(t, err, slo.ErrBadRequest, message)
		require.ErrorContains(t, err, message)
	}
}

// More good requests than requests are two expressions that count other things; a
// little more is the noise of rates.
func TestCountsThatContradict(t *testing.T) {
	_, err := slo.NewCounts(monday, step, []float64{100, 100, 100}, []float64{-2, 103, 50}, false)
	require.NoError(t, err)
	_, err = slo.NewCounts(monday, step, []float64{100, 100, 100}, []float64{-20, 0, 0}, false)
	require.ErrorContains(t, err, "1 of 3 steps")
	_, err = slo.NewCounts(monday, step, []float64{1}, nil, false)
	require.ErrorIs(t, err, slo.ErrBadRequest)
}

func TestAlerts(t *testing.T) {
	month := slo.Objective{Name: "a", Target: 0.999, Window: 30 * 24 * time.Hour}
	var factors []float64
	for _, a := range month.Alerts() {
		factors = append(factors, math.Round(10*a.Factor)/10)
		require.Empty(t, a.Impossible(month))
	}
	require.Equal(t, []float64{14.4, 6, 3, 1}, factors)
	page := month.Alerts()[0]
	require.Equal(t, 1.0, page.Fires(15, 15))
	require.Zero(t, page.Fires(15, 14), "the burn has ended")
	require.Zero(t, page.Fires(14, 15), "too little was burnt")
	require.True(t, math.IsNaN(page.Fires(15, math.NaN())))
	lax := slo.Objective{Name: "a", Target: 0.9, Window: 30 * 24 * time.Hour}
	require.Contains(t, lax.Alerts()[0].Impossible(lax), "never fires")
	for _, a := range objective.Alerts() {
		require.GreaterOrEqual(t, a.Factor, 1.0, "no alert while the budget lasts")
	}
}

// An incident that goes on exhausts the budget; the same incident an hour after its
// end does not.
func TestAnIncidentThatGoesOn(t *testing.T) {
	incident := func(from, to int) slo.Counts {
		return steady(t, 14*48, 1000, 0.001, func(i int, total, bad *float64) {
			if i >= from && i < to {
				*bad = 100
			}
		})
	}
	const n = 14 * 48
	goingOn, err := objective.Ahead(incident(n-16, n), level(n, 48, 1000))
	require.NoError(t, err)
	require.Greater(t, goingOn.Probability, 0.3)
	require.Equal(t, monday.Add((n-16)*step), goingOn.Since)
	require.False(t, goingOn.Early.IsZero())
	over, err := objective.Ahead(incident(n-18, n-2), level(n, 48, 1000))
	require.NoError(t, err)
	require.Less(t, over.Probability, 0.2)
	require.True(t, over.Since.IsZero())
	require.Less(t, over.Probability, goingOn.Probability)
	again, err := objective.Ahead(incident(n-18, n-2), level(n, 48, 1000))
	require.NoError(t, err)
	require.Equal(t, over, again, "equal questions have equal answers")
	spent, err := objective.Ahead(steady(t, n, 1000, 0.02, nil), level(n, 48, 1000))
	require.NoError(t, err)
	require.Equal(t, 1.0, spent.Probability)
	require.Equal(t, monday.Add((n-1)*step), spent.Median)
}

// A budget that always burns a little faster than it lasts is exhausted when its
// window is full, with certainty.
func TestASteadyBurnIsExhaustedInTime(t *testing.T) {
	const n = 14 * 48
	c := steady(t, n, 1000, 0.005, func(i int, total, bad *float64) {
		if i >= 6*48 {
			*bad = 11
		}
	})
	// In the last 8 of 14 days 1.1 budgets a day were burnt, in the others half of one:
	// the 14 days are exhausted where x·1.1 + (14−x)·0.5 = 14, never; those of the last
	// week are.
	require.Equal(t, 1.0, mustAhead(t, objective, c, 48).Probability)
	two := objective
	two.Window = 2 * week
	require.Zero(t, mustAhead(t, two, c, 48).Probability)
}

func mustAhead(t *testing.T, o slo.Objective, c slo.Counts, horizon int) slo.Outlook {
	t.Helper()
	outlook, err := o.Ahead(c, level(c.Len(), horizon, 1000))
	require.NoError(t, err)
	return outlook
}

func TestSplit(t *testing.T) {
	const n = 14 * 48
	at := func(i int) time.Time { return monday.Add(time.Duration(i) * step) }
	calls, failed := make([]float64, n), make([]float64, n)
	c := steady(t, n, 1000, 0.001, func(i int, total, bad *float64) {
		calls[i], failed[i] = 1000, 1
		switch {
		case i >= n-200 && i < n-190: // a deploy
			*bad = 101
		case i >= n-100 && i < n-90: // a dependency fails, which explains half
			*bad, failed[i] = 101, 51
		case i >= n-40 && i < n-20: // twice the load
			*total, *bad = 2000, 2
		}
	})
	parts := objective.Split(c, []slo.Deploy{{Name: "old", At: at(n - 230)}, {Name: "2.0", At: at(n - 201)}}, []slo.Called{{Name: "payment", Calls: calls, Failed: failed}})
	bad := map[string]float64{}
	budget := 0.0
	for _, p := range parts {
		bad[string(p.Cause)+p.Name] += p.Bad
		budget += p.Budget
	}
	require.InDelta(t, 1000, bad["deploy2.0"], 1)
	require.InDelta(t, 500, bad["dependencypayment"], 1)
	require.InDelta(t, 500, bad["unknown"], 1)
	require.InDelta(t, 20, bad["load"], 1)
	require.InDelta(t, 336, bad["usual"], 1)
	require.InDelta(t, 1-objective.Of(c).Left, budget, 1e-9)
	require.Equal(t, slo.Deployed, parts[0].Cause, "the largest first")
	require.Equal(t, at(n-200), parts[0].From)
	require.Equal(t, at(n-190), parts[0].To)
}

// TestProperties: parts sum to the whole whatever the counts, what is left and
// probabilities stay in their bounds, and intervals hold their median.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		number := rapid.OneOf(rapid.Float64Range(0, 1e4), rapid.Just(0.0), rapid.Just(math.NaN()), rapid.Just(math.Inf(1)))
		total := rapid.SliceOfN(number, n, n).Draw(t, "total")
		share := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Just(0.0)), n, n).Draw(t, "share")
		bad := make([]float64, n)
		for i := range bad {
			bad[i] = total[i] * share[i]
		}
		c, err := slo.NewCounts(monday, step, total, bad, rapid.Bool().Draw(t, "shares"))
		require.NoError(t, err)
		o := slo.Objective{Name: "a", Target: rapid.Float64Range(0.5, 0.9999).Draw(t, "target"), Window: time.Duration(rapid.IntRange(2, 500).Draw(t, "window")) * step}
		require.NoError(t, o.Validate())
		var deploys []slo.Deploy
		for _, at := range rapid.SliceOfN(rapid.IntRange(0, n), 0, 3).Draw(t, "deploys") {
			deploys = append(deploys, slo.Deploy{Name: string(rune('a' + at%26)), At: c.Time(at)})
		}
		called := []slo.Called{{Name: "db", Calls: total, Failed: rapid.SliceOfN(number, n, n).Draw(t, "failed")}, {Name: "short"}}
		b := o.Of(c)
		sum, spent := 0.0, 0.0
		for _, p := range o.Split(c, deploys, called) {
			sum, spent = sum+p.Bad, spent+p.Budget
		}
		require.InDelta(t, b.Bad, sum, 1e-6*(1+b.Bad))
		if !math.IsNaN(b.Left) {
			require.LessOrEqual(t, b.Left, 1+1e-9)
			require.InDelta(t, 1-b.Left, spent, 1e-6*(1+math.Abs(b.Left)))
		}
		require.LessOrEqual(t, b.Covered, 1.0)
		horizon := rapid.IntRange(1, max(n/4, 1)).Draw(t, "horizon")
		outlook, err := o.Ahead(c, level(n, horizon, 500))
		if err != nil {
			require.ErrorIs(t, err, slo.ErrTooShort)
			return
		}
		require.GreaterOrEqual(t, outlook.Probability, 0.0)
		require.LessOrEqual(t, outlook.Probability, 1.0)
		for h := range horizon {
			require.LessOrEqual(t, outlook.Lower[h], outlook.Left[h])
			require.LessOrEqual(t, outlook.Left[h], outlook.Upper[h])
			require.LessOrEqual(t, outlook.Upper[h], 1+1e-9)
		}
	})
}

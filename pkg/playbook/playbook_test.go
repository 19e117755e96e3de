package playbook

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func ago(minutes float64) time.Time { return noon.Add(-time.Duration(minutes * float64(time.Minute))) }

// slowAfterDeploy is orders 2, deployed twenty minutes ago, with a slow query.
func slowAfterDeploy() []Fact {
	return []Fact{
		{Kind: Deployed, Service: "orders", Version: "2", Previous: "1", At: ago(20), Strength: 1, Text: "orders changed from 1 to 2"},
		{Kind: SlowStatement, Service: "orders", Operation: "POST /orders", At: ago(19), Strength: 0.9, Text: "SELECT takes 8 times as long"},
	}
}

func automatic() Config {
	return Config{Mode: Auto, Services: []string{"orders", "cart", "stock", "users"}}
}

func situation(facts []Fact, past ...Past) Situation {
	return Situation{Now: noon, Facts: facts, Known: 10, Past: past}
}

func TestPatterns(t *testing.T) {
	deploy := Fact{Kind: Deployed, Service: "cart", Version: "2", Previous: "1", At: ago(20), Strength: 1}
	fact := func(kind Kind) Fact { return Fact{Kind: kind, Service: "cart", At: ago(10), Strength: 0.8} }
	early := fact(Failing)
	early.At = ago(40)
	elsewhere := fact(Failing)
	elsewhere.Service = "stock"
	for name, test := range map[string]struct {
		facts []Fact
		want  []Pattern
	}{
		"nothing":                 {nil, nil},
		"a deploy alone":          {[]Fact{deploy}, nil},
		"slow query after deploy": {[]Fact{deploy, fact(SlowStatement)}, []Pattern{SlowQueryAfterDeploy}},
		"loop after deploy":       {[]Fact{deploy, fact(MoreCalls)}, []Pattern{SlowQueryAfterDeploy}},
		"slow query alone":        {[]Fact{fact(SlowStatement)}, nil},
		"errors after deploy":     {[]Fact{deploy, fact(Failing)}, []Pattern{ErrorBurstAfterDeploy}},
		"errors before deploy":    {[]Fact{deploy, early}, nil},
		"errors elsewhere":        {[]Fact{deploy, elsewhere}, nil},
		"pool":                    {[]Fact{fact(WaitsForPool)}, []Pattern{PoolExhaustion}},
		"cache":                   {[]Fact{fact(LostCache)}, []Pattern{CacheLost}},
		"dependency":              {[]Fact{fact(FailingCallee)}, []Pattern{DependencyFailing}},
		"retries":                 {[]Fact{fact(Retrying)}, []Pattern{RetryStorm}},
		"traffic":                 {[]Fact{fact(UnusualTraffic)}, []Pattern{TrafficSpike}},
		"two at once":             {[]Fact{fact(WaitsForPool), deploy, fact(Failing)}, []Pattern{ErrorBurstAfterDeploy, PoolExhaustion}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Pattern
			for _, r := range Make(Config{Mode: Recommend}, situation(test.facts)).Recommendations {
				got = append(got, r.Pattern)
				require.Equal(t, Proposed, r.State)
				require.NotEmpty(t, r.Evidence)
				require.NotEmpty(t, r.Action)
				require.NotEmpty(t, r.Effect+r.Risk+r.Revert)
				require.Equal(t, "cart", r.Target.Service)
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestARollbackNamesServiceAndVersions(t *testing.T) {
	older := Fact{Kind: Deployed, Service: "orders", Version: "1", Previous: "0", At: ago(300), Strength: 1}
	plan := Make(automatic(), situation(append(slowAfterDeploy(), older)))
	require.Len(t, plan.Recommendations, 1)
	got := plan.Recommendations[0]
	require.Equal(t, RollBack, got.Action)
	require.Equal(t, Target{Service: "orders", Operation: "POST /orders", Version: "2", Previous: "1"}, got.Target)
	require.Equal(t, Ready, got.State, got.Held)
	require.Equal(t, 0.9, got.Confidence)
	require.Len(t, got.Evidence, 2)
}

func TestGuards(t *testing.T) {
	change := func(change func(*Config)) Config {
		c := automatic()
		change(&c)
		return c
	}
	acted := func(service string, minutes float64, outcome Outcome) Past {
		return Past{ID: "another " + service, Pattern: SlowQueryAfterDeploy, Service: service, At: ago(minutes), Outcome: outcome}
	}
	known := Make(automatic(), situation(slowAfterDeploy())).Recommendations[0].ID
	weak := slowAfterDeploy()
	weak[1].Strength = 0.4
	nameless := slowAfterDeploy()
	nameless[0].Previous = ""
	for name, test := range map[string]struct {
		config    Config
		situation Situation
		state     State
		held      string
	}{
		"observe":         {Config{}, situation(slowAfterDeploy()), Observed, ""},
		"an unknown mode": {Config{Mode: "yolo"}, situation(slowAfterDeploy()), Observed, ""},
		"one pattern is observed": {change(func(c *Config) { c.Modes = map[Pattern]Mode{SlowQueryAfterDeploy: Observe} }),
			situation(slowAfterDeploy()), Observed, ""},
		"kill switch":   {change(func(c *Config) { c.KillSwitch = true }), situation(slowAfterDeploy()), Held, "kill switch"},
		"not its to do": {change(func(c *Config) { c.Services = []string{"cart"} }), situation(slowAfterDeploy()), Held, "not among those"},
		"no services":   {change(func(c *Config) { c.Services = nil }), situation(slowAfterDeploy()), Held, "not among those"},
		"a wildcard service is none": {change(func(c *Config) { c.Services = []string{"*"} }),
			situation(slowAfterDeploy()), Held, "not among those"},
		"weak":                 {automatic(), situation(weak), Held, "confidence of 40 %"},
		"no version to go to":  {automatic(), situation(nameless), Held, "versions have no names"},
		"evidence missing":     {automatic(), Situation{Now: noon, Facts: slowAfterDeploy(), Known: 10, Missing: "Tempo is closed"}, Held, "Tempo is closed"},
		"nobody counted":       {automatic(), Situation{Now: noon, Facts: slowAfterDeploy()}, Held, "is unknown"},
		"too much at once":     {automatic(), Situation{Now: noon, Facts: slowAfterDeploy(), Known: 10, Unusual: 5}, Held, "5 of 10 services are anomalous"},
		"some at once":         {automatic(), Situation{Now: noon, Facts: slowAfterDeploy(), Known: 10, Unusual: 4}, Ready, ""},
		"the same":             {automatic(), situation(slowAfterDeploy(), Past{ID: known, Service: "orders", At: ago(50), Outcome: Verified}), Held, "it was sent at"},
		"cools down":           {automatic(), situation(slowAfterDeploy(), acted("orders", 30, Verified)), Held, "cools down"},
		"has cooled down":      {automatic(), situation(slowAfterDeploy(), acted("orders", 70, Verified)), Ready, ""},
		"it did not help":      {automatic(), situation(slowAfterDeploy(), acted("orders", 120, Failed)), Held, "did not help"},
		"it is not seen yet":   {automatic(), situation(slowAfterDeploy(), acted("orders", 120, "")), Held, "did not help"},
		"budget of a day":      {automatic(), situation(slowAfterDeploy(), acted("orders", 70, Verified), acted("orders", 200, Verified)), Held, "2 times within a day"},
		"budget of an hour":    {change(func(c *Config) { c.MaxShare = 1 }), situation(slowAfterDeploy(), acted("a", 10, Verified), acted("b", 10, Verified), acted("c", 10, Verified)), Held, "3 actions"},
		"blast radius":         {automatic(), situation(slowAfterDeploy(), acted("a", 10, Verified), acted("b", 10, Verified)), Held, "3 of 10 services"},
		"inside of the radius": {automatic(), situation(slowAfterDeploy(), acted("a", 10, Verified)), Ready, ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan := Make(test.config, test.situation)
			require.Len(t, plan.Recommendations, 1)
			require.Equal(t, test.state, plan.Recommendations[0].State, plan.Recommendations[0].Held)
			require.Contains(t, plan.Recommendations[0].Held, test.held)
			require.Equal(t, test.held == "", plan.Recommendations[0].Held == "")
		})
	}
}

func TestTargetsThatAreNoServiceAreRefused(t *testing.T) {
	for _, name := range []string{"", "  ", "*", "ord*", "orders|cart", "orders,cart", "(orders)", string(make([]byte, 300))} {
		facts := slowAfterDeploy()
		for i := range facts {
			facts[i].Service = name
		}
		c := automatic()
		c.Services = []string{name}
		plan := Make(c, situation(facts))
		require.Empty(t, plan.Recommendations, "%q", name)
		require.Len(t, plan.Refused, 1, "%q", name)
	}
}

func TestOutcomes(t *testing.T) {
	act := func(minutes float64) Past {
		return Past{ID: "x", Pattern: SlowQueryAfterDeploy, Service: "orders", At: ago(minutes)}
	}
	for name, test := range map[string]struct {
		facts   []Fact
		past    Past
		missing string
		want    Outcome
	}{
		"too early":       {nil, act(3), "", Pending},
		"gone":            {nil, act(10), "", Verified},
		"still there":     {slowAfterDeploy(), act(10), "", Pending},
		"for too long":    {slowAfterDeploy(), act(31), "", Failed},
		"nothing is seen": {nil, act(31), "Tempo is closed", Pending},
	} {
		t.Run(name, func(t *testing.T) {
			s := situation(test.facts, test.past)
			s.Missing = test.missing
			outcomes := Make(automatic(), s).Outcomes
			require.Len(t, outcomes, 1)
			require.Equal(t, test.want, outcomes[0].Outcome)
		})
	}
	known := act(31)
	known.Outcome = Verified
	require.Empty(t, Make(automatic(), situation(slowAfterDeploy(), known)).Outcomes)
}

func anyFact(t *rapid.T) Fact {
	return Fact{
		Kind:    rapid.SampledFrom([]Kind{Deployed, SlowStatement, MoreCalls, Failing, FailingCallee, WaitsForPool, LostCache, Retrying, UnusualTraffic}).Draw(t, "kind"),
		Service: rapid.SampledFrom([]string{"orders", "cart", "stock", "users", "", "*"}).Draw(t, "service"),
		Version: rapid.SampledFrom([]string{"2", "3", ""}).Draw(t, "version"), Previous: rapid.SampledFrom([]string{"1", ""}).Draw(t, "previous"),
		Operation: rapid.SampledFrom([]string{"GET /", "POST /"}).Draw(t, "operation"),
		At:        ago(rapid.Float64Range(-5, 2000).Draw(t, "at")), Strength: rapid.Float64Range(-1, 2).Draw(t, "strength"),
	}
}

func anyConfig(t *rapid.T) Config {
	c := automatic()
	c.PerService, c.PerHour = rapid.IntRange(0, 4).Draw(t, "service"), rapid.IntRange(0, 4).Draw(t, "hour")
	c.MaxShare, c.MinConfidence = rapid.Float64Range(0, 1).Draw(t, "share"), rapid.Float64Range(0, 1).Draw(t, "confidence")
	c.Cooldown = time.Duration(rapid.IntRange(0, 90).Draw(t, "cooldown")) * time.Minute
	return c
}

func anySituation(t *rapid.T) Situation {
	s := Situation{Now: noon, Facts: rapid.SliceOfN(rapid.Custom(anyFact), 0, 30).Draw(t, "facts"),
		Known: rapid.IntRange(0, 12).Draw(t, "known"), Unusual: rapid.IntRange(0, 12).Draw(t, "unusual")}
	for range rapid.IntRange(0, 6).Draw(t, "past") {
		s.Past = append(s.Past, Past{ID: rapid.StringN(1, 3, -1).Draw(t, "id"), Pattern: rapid.SampledFrom(Patterns()).Draw(t, "pattern"),
			Service: rapid.SampledFrom([]string{"orders", "cart", "stock", "other"}).Draw(t, "past service"), At: ago(rapid.Float64Range(0, 2000).Draw(t, "past at")),
			Outcome: rapid.SampledFrom([]Outcome{"", Verified, Failed}).Draw(t, "outcome")})
	}
	return s
}

func ready(p Plan) (found []Recommendation) {
	for _, r := range p.Recommendations {
		if r.State == Ready {
			found = append(found, r)
		}
	}
	return found
}

// TestNoActionBeyondItsBudget checks every limit over whatever happened.
func TestNoActionBeyondItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, s := anyConfig(t), anySituation(t)
		acts := ready(Make(c, s))
		c = c.withDefaults()
		var inHour int
		targets, ofDay := map[string]bool{}, map[string]int{}
		for _, past := range s.Past {
			if noon.Sub(past.At) < time.Hour {
				inHour++
				targets[past.Service] = true
			}
			if noon.Sub(past.At) < 24*time.Hour {
				ofDay[past.Service]++
			}
		}
		seen := map[string]bool{}
		for _, r := range acts {
			inHour++
			ofDay[r.Target.Service]++
			targets[r.Target.Service] = true
			require.False(t, seen[r.Target.Service], "a service is acted upon once")
			seen[r.Target.Service] = true
			require.LessOrEqual(t, ofDay[r.Target.Service], c.PerService)
			require.Contains(t, c.Services, r.Target.Service)
			require.GreaterOrEqual(t, r.Confidence, c.MinConfidence)
			require.Empty(t, r.Held)
			for _, past := range s.Past {
				require.False(t, past.ID == r.ID || past.Service == r.Target.Service && noon.Sub(past.At) < c.Cooldown)
			}
		}
		if len(acts) > 0 {
			require.LessOrEqual(t, inHour, c.PerHour)
			require.True(t, len(targets) <= 1 || float64(len(targets)) <= c.MaxShare*float64(s.Known))
			require.True(t, s.Known < minServices || float64(s.Unusual) <= c.StopShare*float64(s.Known))
		}
	})
}

func TestNothingIsReadyUnlessAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, s := anyConfig(t), anySituation(t)
		switch rapid.IntRange(0, 3).Draw(t, "which") {
		case 0:
			c.KillSwitch = true
		case 1:
			c.Mode = rapid.SampledFrom([]Mode{Observe, Recommend, "", "AUTO"}).Draw(t, "mode")
		case 2:
			s.Missing = "something"
		case 3:
			c.Services = nil
		}
		require.Empty(t, ready(Make(c, s)))
	})
}

// TestReplicasPlanTheSame shuffles what is known, and looks a little later.
func TestReplicasPlanTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, s := anyConfig(t), anySituation(t)
		first := Make(c, s)
		random := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "order")))
		s.Facts, s.Past = slices.Clone(s.Facts), slices.Clone(s.Past)
		random.Shuffle(len(s.Facts), func(i, j int) { s.Facts[i], s.Facts[j] = s.Facts[j], s.Facts[i] })
		random.Shuffle(len(s.Past), func(i, j int) { s.Past[i], s.Past[j] = s.Past[j], s.Past[i] })
		again := Make(c, s)
		require.Len(t, again.Recommendations, len(first.Recommendations))
		for i, r := range first.Recommendations {
			require.Equal(t, []any{r.ID, r.State, r.Target, r.Confidence}, []any{again.Recommendations[i].ID, again.Recommendations[i].State, again.Recommendations[i].Target, again.Recommendations[i].Confidence})
		}
		s.Now = s.Now.Add(time.Minute) // within the same hour, and the same cooldown where that divides it
		c.Cooldown = time.Hour
		ids := func(p Plan) (found []string) {
			for _, r := range p.Recommendations {
				found = append(found, r.ID)
			}
			slices.Sort(found)
			return found
		}
		before := s
		before.Now = noon
		require.Equal(t, ids(Make(c, before)), ids(Make(c, s)))
	})
}

func TestThePastIsLeftAlone(t *testing.T) {
	s := situation(slowAfterDeploy(), Past{ID: "x", Pattern: SlowQueryAfterDeploy, Service: "orders", At: ago(10)})
	facts := slices.Clone(s.Facts)
	Make(automatic(), s)
	require.Equal(t, facts, s.Facts)
	require.Empty(t, s.Past[0].Outcome)
}

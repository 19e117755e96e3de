package impact

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(minutes float64) time.Time {
	return noon.Add(time.Duration(minutes * float64(time.Minute)))
}

// day is a watched day, from noon to noon.
func day(r Record) Record {
	r.From, r.To, r.EveryWatched, r.RollbacksKnown = at(0), at(24*60), true, true
	return r
}

func incident(service string, start, end float64) Incident {
	return Incident{Service: service, Start: at(start), End: at(end), Source: Objective}
}

func TestAlerts(t *testing.T) {
	fired := Episode{Alert: "Errors", Service: "cart", Start: at(100), End: at(110)}
	warned := Episode{Alert: "Soon", Service: "cart", Start: at(100), End: at(110), Horizon: 2 * time.Hour}
	for name, test := range map[string]struct {
		episode Episode
		record  Record
		want    Finding
	}{
		"during an incident":      {fired, Record{Incidents: []Incident{incident("cart", 95, 120)}}, Yes},
		"just before an incident": {fired, Record{Incidents: []Incident{incident("cart", 114, 120)}}, Yes},
		"of another service":      {fired, Record{Incidents: []Incident{incident("orders", 95, 120)}}, No},
		"long before an incident": {fired, Record{Incidents: []Incident{incident("cart", 200, 220)}}, No},
		"a warning come true":     {warned, Record{Incidents: []Incident{incident("cart", 200, 220)}}, Yes},
		"a warning too early":     {warned, Record{Incidents: []Incident{incident("cart", 300, 320)}}, No},
		"a warning acted upon":    {warned, Record{Acts: []Act{{"cart", at(150)}}}, Acted},
		"acted upon elsewhere":    {warned, Record{Acts: []Act{{"orders", at(150)}}}, No},
		"an alert acted upon":     {fired, Record{Acts: []Act{{"cart", at(105)}}}, No},
		"a person says no":        {fired, Record{Incidents: []Incident{incident("cart", 95, 120)}, Said: []Said{{"cart", at(105), false}}}, No},
		"the last word":           {fired, Record{Said: []Said{{"", at(106), true}, {"cart", at(105), false}}}, Yes},
		"said of another":         {fired, Record{Said: []Said{{"orders", at(105), true}}}, No},
		"no service":              {Episode{Start: at(1), End: at(2)}, Record{Incidents: []Incident{incident("cart", 0, 120)}}, Open},
		"a rollback followed": {fired, Record{
			Deploys: []Deploy{{"cart", "2", at(98)}}, Rollbacks: []Rollback{{Service: "cart", Version: "2", At: at(130)}}}, Yes},
		"still firing":          {Episode{Service: "cart", Start: at(1400), End: at(1440), Firing: true}, Record{}, Open},
		"its horizon goes on":   {Episode{Service: "cart", Start: at(1400), End: at(1410), Horizon: time.Hour}, Record{}, Open},
		"its horizon is over":   {Episode{Service: "cart", Start: at(1300), End: at(1310), Horizon: time.Hour}, Record{}, No},
		"true before it passed": {Episode{Service: "cart", Start: at(1400), End: at(1410), Horizon: time.Hour}, Record{Incidents: []Incident{incident("cart", 1420, 1430)}}, Yes},
	} {
		t.Run(name, func(t *testing.T) {
			record := day(test.record)
			record.Episodes = []Episode{test.episode}
			got := record.Judge(Rules{})
			require.Equal(t, test.want, got.Episodes[0].Finding, got.Episodes[0].Reason)
			require.NotEmpty(t, got.Episodes[0].Reason)
		})
	}
}

func TestWithoutKnowledgeOfIncidentsNothingIsFalse(t *testing.T) {
	record := day(Record{
		Episodes: []Episode{{Service: "cart", Start: at(1), End: at(2)}, {Service: "orders", Start: at(1), End: at(2)}},
		Deploys:  []Deploy{{"cart", "2", at(10)}, {"orders", "2", at(10)}},
	})
	record.EveryWatched, record.RollbacksKnown, record.Watched = false, false, map[string]bool{"orders": true}
	got := record.Judge(Rules{})
	require.Equal(t, Share{Of: 1, LeftOut: 1, Interval: got.Precision.Interval}, got.Precision)
	require.Equal(t, Share{Of: 1, LeftOut: 1, Interval: got.ChangeFailure.Interval}, got.ChangeFailure)
	nothing := Record{From: at(0), To: at(10)}.Judge(Rules{})
	require.False(t, nothing.Precision.Known())
	require.False(t, nothing.Recall.Known())
	require.Zero(t, nothing.Detect)
	require.Equal(t, 1.0, nothing.Precision.Interval.Upper-nothing.Precision.Interval.Lower)
}

// TestPrecisionHasWilsonsInterval against the worked example of 8 of 10 at 95 %:
// 0.490 to 0.943 (Brown, Cai and DasGupta 2001, Statistical Science 16:101).
func TestPrecisionHasWilsonsInterval(t *testing.T) {
	var record Record
	for i := range 10 {
		start := float64(20 + 60*i)
		record.Episodes = append(record.Episodes, Episode{Service: "cart", Start: at(start), End: at(start + 5)})
		if i < 8 {
			record.Incidents = append(record.Incidents, incident("cart", start-2, start+5))
		}
	}
	got := day(record).Judge(Rules{})
	require.Equal(t, 8, got.Precision.Count)
	require.Equal(t, 10, got.Precision.Of)
	require.InDelta(t, 0.490, got.Precision.Interval.Lower, 0.001)
	require.InDelta(t, 0.943, got.Precision.Interval.Upper, 0.001)
	require.Equal(t, 8, got.Detect.Count)
	require.Equal(t, 2*time.Minute, got.Detect.Median)
	require.True(t, got.Detect.Bounded)
	require.Equal(t, 7*time.Minute, got.Resolve.Median)
}

func TestTimesOfIncidents(t *testing.T) {
	record := day(Record{
		Incidents: []Incident{
			incident("foretold", 100, 130), incident("late", 100, 160), incident("missed", 100, 130), incident("firing", 100, 140),
			incident("before", -10, 30), {Service: "now", Start: at(1430), End: at(1440), Ongoing: true, Source: Objective},
		},
		Episodes: []Episode{
			{Service: "foretold", Start: at(70), End: at(80), Horizon: time.Hour},
			{Service: "late", Start: at(120), End: at(125)},
			{Service: "missed", Start: at(30), End: at(40), Horizon: time.Hour},
			{Service: "firing", Start: at(20), End: at(120)},
		},
	})
	got := record.Judge(Rules{})
	findings := map[string]JudgedIncident{}
	for _, one := range got.Incidents {
		findings[one.Service] = one
	}
	require.Equal(t, Yes, findings["foretold"].Finding)
	require.Equal(t, 30*time.Minute, findings["foretold"].Lead)
	require.Zero(t, findings["foretold"].Detect)
	require.Equal(t, No, findings["late"].Finding)
	require.Equal(t, 20*time.Minute, findings["late"].Detect)
	require.Equal(t, No, findings["missed"].Finding)
	require.Equal(t, Yes, findings["firing"].Finding)
	require.Zero(t, findings["firing"].Lead)
	require.Equal(t, Open, findings["before"].Finding)
	require.Equal(t, Open, findings["now"].Finding)
	require.Equal(t, 2, got.Recall.Count)
	require.Equal(t, 4, got.Recall.Of)
	require.Equal(t, 1, got.Lead.Count)
	require.Equal(t, 4, got.Resolve.Count) // neither the one that goes on nor the one begun before
	require.False(t, got.Resolve.Bounded)
}

func TestIncidentsThatOverlapAreOne(t *testing.T) {
	got := day(Record{Incidents: []Incident{
		{Service: "cart", Start: at(90), End: at(200), Source: Reported}, incident("cart", 100, 120), incident("cart", 120, 130), incident("orders", 110, 115),
	}}).Judge(Rules{})
	require.Len(t, got.Incidents, 2)
	require.Equal(t, Objective, got.Incidents[0].Source)
	require.Equal(t, at(130), got.Incidents[0].End)
}

func TestDeploysThatFail(t *testing.T) {
	got := day(Record{
		Deploys: []Deploy{
			{"cart", "1", at(10)}, {"cart", "2", at(200)}, {"cart", "1", at(220)}, // undone
			{"orders", "7", at(100)}, {"orders", "8", at(400)}, {"orders", "7", at(900)}, // returned to, later
			{"stock", "3", at(300)}, {"stock", "4", at(310)}, // the second is to blame
			{"users", "5", at(500)}, // stopped by its engine
			{"late", "1", at(1430)}, // nobody knows yet
		},
		Incidents: []Incident{incident("stock", 320, 330), incident("orders", 350, 360)},
		Rollbacks: []Rollback{{Service: "users", At: at(505)}, {Service: "cart", Version: "2", At: at(219)}},
	}).Judge(Rules{FailsWithin: 2 * time.Hour})
	findings := map[string]Finding{}
	for _, one := range got.Deploys {
		findings[one.Service+one.Version] = one.Finding
	}
	require.Equal(t, map[string]Finding{
		"cart1": No, "cart2": Yes, "orders7": No, "orders8": No, "stock3": No, "stock4": Yes, "users5": Yes, "late1": Open,
	}, findings)
	require.Equal(t, 3, got.ChangeFailure.Count)
	require.Equal(t, 8, got.ChangeFailure.Of)
}

func TestRollbacksThatPrevented(t *testing.T) {
	got := day(Record{
		Rollbacks: []Rollback{
			{Service: "cart", At: at(100), ByFail: true}, {Service: "orders", At: at(100)}, {Service: "stock", At: at(100), ByFail: true},
		},
		Incidents: []Incident{incident("stock", 80, 90)},
		Said:      []Said{{"cart", at(105), true}},
	}).Judge(Rules{})
	require.Len(t, got.Prevented, 1)
	require.Equal(t, ByRollback, got.Prevented[0].Ground)
	require.Equal(t, "cart", got.Prevented[0].Service)
	require.Len(t, got.NotCounted, 1)
	require.Contains(t, got.NotCounted[0], "stock")
}

// Ten harmless versions that we failed and that were rolled back are no incident
// prevented, no failed change and no right alert: nothing but our own fail speaks
// for them. Rolled out again and sound, they were false.
func TestFalseFailsPreventNothing(t *testing.T) {
	var record Record
	for i := range 10 {
		service, start := string(rune('a'+i)), float64(60*i+10)
		record.Deploys = append(record.Deploys, Deploy{service, "1", at(start - 5)}, Deploy{service, "2", at(start)})
		record.Rollbacks = append(record.Rollbacks, Rollback{Service: service, Version: "2", At: at(start + 10), ByFail: true})
		record.Episodes = append(record.Episodes, Episode{Alert: "Canary", Service: service, Start: at(start + 5), End: at(start + 10)})
	}
	got := day(record).Judge(Rules{})
	require.Empty(t, got.Prevented)
	require.Zero(t, got.Precision.Count)
	require.Equal(t, 10, got.Precision.LeftOut)
	require.Zero(t, got.ChangeFailure.Count)
	require.Empty(t, got.Incidents)
	require.Contains(t, got.NotCounted[len(got.NotCounted)-1], "Of 10 rollbacks after our fail, 10 (100 %) are of unknown need")

	for i := range 10 {
		record.Deploys = append(record.Deploys, Deploy{string(rune('a' + i)), "2", at(float64(60*i + 10 + 100))})
	}
	got = day(record).Judge(Rules{})
	require.Empty(t, got.Prevented)
	require.Zero(t, got.Precision.Count)
	require.Equal(t, 10, got.Precision.Of, "each was a false alarm")
	require.Zero(t, got.ChangeFailure.Count)
	require.Contains(t, got.NotCounted[0], "was not needed")
}

// A rollback is known to have been needed where the same version did harm when
// it was rolled out again.
func TestARollbackThatTheNextAttemptProved(t *testing.T) {
	record := day(Record{
		Deploys:   []Deploy{{"cart", "1", at(5)}, {"cart", "2", at(10)}, {"cart", "2", at(200)}},
		Rollbacks: []Rollback{{Service: "cart", Version: "2", At: at(20), ByFail: true}},
		Incidents: []Incident{incident("cart", 210, 230)},
	})
	got := record.Judge(Rules{})
	require.Len(t, got.Prevented, 1)
	require.Contains(t, got.Prevented[0].Reason, "the same version led to an incident")
	record.Said = []Said{{"cart", at(15), false}}
	require.Empty(t, record.Judge(Rules{}).Prevented, "the word of a person counts before")
}

// warnings of 30 %: every tenth third breaches. Those before actedFrom were let
// be, those after were acted upon.
func warnings(n int, probability float64, actedFrom int, breaches func(i int) bool) (r Record) {
	for i := range n {
		start := float64(30 * i)
		r.Warnings = append(r.Warnings, Warning{Service: "cart", At: at(start), Horizon: 10 * time.Minute, Probability: probability})
		if breaches(i) {
			r.Incidents = append(r.Incidents, incident("cart", start+5, start+8))
		}
		if i >= actedFrom {
			r.Acts = append(r.Acts, Act{"cart", at(start + 1)})
		}
	}
	r.From, r.To, r.EveryWatched = at(-1), at(float64(30*n)), true
	return r
}

func TestWarningsActedUpon(t *testing.T) {
	third := func(i int) bool { return i < 30 && i%3 == 0 }
	got := warnings(40, 1.0/3, 30, third).Judge(Rules{})
	require.Len(t, got.Prevented, 1)
	require.Equal(t, ByWarning, got.Prevented[0].Ground)
	require.InDelta(t, 10.0/3, got.Prevented[0].Count, 1e-9)
	require.Less(t, got.Prevented[0].Interval.Lower, got.Prevented[0].Count)
	require.Greater(t, got.Prevented[0].Interval.Upper, got.Prevented[0].Count)

	few := warnings(25, 1.0/3, 10, third).Judge(Rules{})
	require.Empty(t, few.Prevented)
	require.Contains(t, few.NotCounted[0], "there are 10")

	boastful := warnings(40, 0.9, 30, third).Judge(Rules{})
	require.Empty(t, boastful.Prevented)
	require.Contains(t, boastful.NotCounted[0], "not calibrated")

	inVain := warnings(40, 1.0/3, 30, func(i int) bool { return third(i) || i >= 30 }).Judge(Rules{})
	require.InDelta(t, 10.0/3-10, inVain.Prevented[0].Count, 1e-9)
}

func TestReactiveScalingMissesARiseFasterThanItsStart(t *testing.T) {
	demand, ahead, behind := make([]float64, 60), make([]float64, 60), make([]float64, 60)
	for i := range demand {
		demand[i] = 70
		ahead[i], behind[i] = 5, 1
		if i >= 30 {
			demand[i] = 450
		}
	}
	s := Scaled{Service: "cart", Start: noon, Step: time.Minute, Demand: demand, Replicas: ahead, PerReplica: 100, StartUp: 3 * time.Minute}
	// Calm ends after five minutes: what there was too much of at first is gone.
	require.Equal(t, []Stretch{{at(30), at(33)}}, s.Missed())
	s.Replicas = behind
	require.Empty(t, s.Missed(), "there was too little in truth")
	s.Replicas = ahead
	s.Demand[31] = math.NaN()
	require.Equal(t, []Stretch{{at(30), at(31)}}, s.Missed())
	s.PerReplica = 0
	require.Empty(t, s.Missed())
}

func TestTheMediansRank(t *testing.T) {
	// David and Nagaraja 2003; tables of the sign test.
	for n, want := range map[int]int{1: -1, 5: -1, 6: 0, 9: 1, 10: 1, 20: 5, 100: 39} {
		require.Equal(t, want, medianRank(n, 0.95), n)
	}
}

// TestAnyRecord checks what holds whatever happened.
func TestAnyRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		service := rapid.SampledFrom([]string{"a", "b", ""})
		minute := rapid.Float64Range(-100, 1600)
		horizon := rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour})
		several := rapid.IntRange(0, 8)
		var r Record
		for range several.Draw(t, "episodes") {
			start := minute.Draw(t, "start")
			r.Episodes = append(r.Episodes, Episode{Service: service.Draw(t, "service"), Start: at(start),
				End: at(start + math.Abs(minute.Draw(t, "length"))), Horizon: horizon.Draw(t, "horizon"), Firing: rapid.Bool().Draw(t, "firing")})
		}
		for range several.Draw(t, "incidents") {
			start := minute.Draw(t, "start")
			r.Incidents = append(r.Incidents, Incident{Service: service.Draw(t, "service"), Start: at(start), End: at(start + math.Abs(minute.Draw(t, "length"))),
				Source: rapid.SampledFrom([]Source{Objective, Reported}).Draw(t, "source"), Ongoing: rapid.Bool().Draw(t, "ongoing")})
		}
		for range several.Draw(t, "deploys") {
			r.Deploys = append(r.Deploys, Deploy{service.Draw(t, "service"), rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "version"), at(minute.Draw(t, "at"))})
		}
		for range several.Draw(t, "rollbacks") {
			r.Rollbacks = append(r.Rollbacks, Rollback{Service: service.Draw(t, "service"), At: at(minute.Draw(t, "at")), ByFail: rapid.Bool().Draw(t, "ours")})
		}
		for range several.Draw(t, "said") {
			r.Said = append(r.Said, Said{service.Draw(t, "service"), at(minute.Draw(t, "at")), rapid.Bool().Draw(t, "real")})
		}
		for range rapid.IntRange(0, 40).Draw(t, "warnings") {
			r.Warnings = append(r.Warnings, Warning{service.Draw(t, "service"), at(minute.Draw(t, "at")), horizon.Draw(t, "horizon"), rapid.Float64().Draw(t, "p")})
		}
		for range several.Draw(t, "acts") {
			r.Acts = append(r.Acts, Act{service.Draw(t, "service"), at(minute.Draw(t, "at"))})
		}
		r = day(r)
		got := r.Judge(Rules{})
		for _, share := range []Share{got.Precision, got.Recall, got.ChangeFailure} {
			require.GreaterOrEqual(t, share.Of, share.Count)
			require.LessOrEqual(t, share.Interval.Lower, share.Interval.Estimate+1e-12)
			require.GreaterOrEqual(t, share.Interval.Upper, share.Interval.Estimate-1e-12)
		}
		require.Len(t, r.Episodes, got.Precision.Of+got.Precision.LeftOut)
		for _, one := range got.Incidents {
			require.GreaterOrEqual(t, one.Detect, time.Duration(0))
			require.GreaterOrEqual(t, one.Lead, time.Duration(0))
		}
		byRollback := 0
		for _, one := range got.Prevented {
			require.False(t, math.IsNaN(one.Count) || math.IsNaN(one.Interval.Lower) || math.IsNaN(one.Interval.Upper))
			if one.Ground == ByRollback {
				byRollback++
			}
		}
		require.LessOrEqual(t, byRollback, len(r.Rollbacks))

		random := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "order")))
		shuffle(random, r.Episodes)
		shuffle(random, r.Incidents)
		shuffle(random, r.Warnings)
		again := r.Judge(Rules{})
		require.Equal(t, got.Precision, again.Precision)
		require.Equal(t, got.Recall, again.Recall)
		require.Equal(t, got.ChangeFailure, again.ChangeFailure)
		require.Len(t, again.Prevented, len(got.Prevented))
	})
}

func shuffle[T any](random *rand.Rand, all []T) {
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

func TestTheRecordIsLeftAlone(t *testing.T) {
	record := day(Record{Incidents: []Incident{incident("b", 20, 30), incident("a", 10, 15)}, Deploys: []Deploy{{"b", "1", at(9)}, {"a", "1", at(3)}}})
	before := slices.Clone(record.Incidents)
	record.Judge(Rules{})
	require.Equal(t, before, record.Incidents)
	require.Equal(t, "b", record.Deploys[0].Service)
}

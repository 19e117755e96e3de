package cause_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

const (
	recent = "SELECT * FROM orders WHERE customer = ?"
	lines  = "SELECT * FROM order_lines WHERE order_id = ?"
)

func rank(faulty tracetest.Shop, evidence cause.Evidence) cause.Result {
	before := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	faulty.Seed, faulty.Traces = 2, 400
	after := faulty.Generate()
	evidence.Patterns = pattern.Detect(after, before, pattern.Options{}).Findings
	return cause.Rank(diff.Compare(before, after, diff.Options{}), evidence)
}

// TestFaults checks that every fault of the shop is first among its suspects,
// with who and in which way.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault                          tracetest.Shop
		kind                           cause.Kind
		service, operation, call, says string
	}{
		"a slow statement":       {tracetest.Shop{SlowQuery: 8}, cause.Statement, "orders", "POST /orders", recent, "others of the same service take as long as before"},
		"a loop":                 {tracetest.Shop{NPlusOne: 20}, cause.NewCall, "orders", "POST /orders", lines, "A pattern came with it"},
		"failing payments":       {tracetest.Shop{PaymentFails: 0.3}, cause.Errors, "payment", "POST /pay", "", "Failures begin here"},
		"a slow way to one":      {tracetest.Shop{SlowNetwork: 40}, cause.WayTo, "payment", "POST /pay", "", "towards this callee alone"},
		"a caller out of breath": {tracetest.Shop{StarvedWeb: 30}, cause.Starved, "web", "", "", "several of its callees"},
		"a lost cache":           {tracetest.Shop{LostCache: true}, cause.LostCache, "cart", "", "", "what a cache used to"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rank(c.fault, cause.Evidence{})
			require.Equal(t, diff.Regressed, r.Verdict)
			require.NotEmpty(t, r.Suspects)
			first := r.Suspects[0]
			require.Equal(t, c.kind, first.Kind, "%+v", r.Suspects)
			require.Equal(t, []string{c.service, c.operation, c.call}, []string{first.Service, first.Operation, first.Call})
			require.Contains(t, strings.Join(first.Reasons, " "), c.says)
			require.NotContains(t, strings.Join(first.Reasons, " "), "NaN")
			require.LessOrEqual(t, first.Finding.Lower, first.Finding.Effect)
			require.LessOrEqual(t, first.Finding.Effect, first.Finding.Upper+1e-9)
			total := 0.0
			for _, s := range r.Suspects {
				total += s.Confidence
				require.NotEmpty(t, s.Reasons)
				require.NotEmpty(t, s.Endpoints)
			}
			require.InDelta(t, 1, total, 0.05)
		})
	}
}

// TestNothing checks that there is nobody to blame where nothing changed, or
// nothing can be said.
func TestNothing(t *testing.T) {
	require.Empty(t, rank(tracetest.Shop{}, cause.Evidence{Deploys: []cause.Deploy{{Service: "orders", Version: "2"}}}).Suspects)
	few := tracetest.Shop{Seed: 3, Traces: 10, SlowQuery: 20}.Generate()
	r := cause.Rank(diff.Compare(few, few, diff.Options{}), cause.Evidence{})
	require.Equal(t, diff.Insufficient, r.Verdict)
	require.Empty(t, r.Suspects)
	require.Empty(t, cause.Rank(diff.Result{}, cause.Evidence{}).Suspects)
}

// TestVictims checks that callers are distinguished from causes.
func TestVictims(t *testing.T) {
	r := rank(tracetest.Shop{SlowQuery: 8}, cause.Evidence{})
	require.Equal(t, []string{"web POST /checkout", "orders POST /orders"}, r.Victims)
}

// TestDeploys checks that a deploy tips the scales between suspects, but makes
// none.
func TestDeploys(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	both := tracetest.Shop{SlowQuery: 5, SlowNetwork: 40}
	share := func(r cause.Result, service string) float64 {
		for _, s := range r.Suspects {
			if s.Service == service {
				return s.Confidence
			}
		}
		return 0
	}
	plain := rank(both, cause.Evidence{})
	deployed := rank(both, cause.Evidence{Deploys: []cause.Deploy{{Service: "payment", Previous: "1", Version: "2", At: at}, {Service: "catalog", Version: "9", At: at}}})
	require.Greater(t, share(plain, "payment"), 0.0)
	require.Greater(t, share(deployed, "payment"), share(plain, "payment"))
	require.Less(t, share(deployed, "orders"), share(plain, "orders"))
	require.Zero(t, share(deployed, "catalog"), "the traces clear it")
	for _, s := range deployed.Suspects {
		want := "itself was not deployed"
		if s.Service == "payment" {
			want = "payment changed from 1 to 2 at 12:00:00Z."
		}
		require.Contains(t, strings.Join(s.Reasons, " "), want)
	}
}

// TestSignals checks that metrics add to suspects whose kind they can explain.
func TestSignals(t *testing.T) {
	signal := cause.Signal{Service: "web", Kind: cause.Processor, Title: "processor use", Unit: "%", Before: 0.3, Now: 0.95, Worse: true}
	first := rank(tracetest.Shop{StarvedWeb: 30}, cause.Evidence{Signals: []cause.Signal{signal}}).Suspects[0]
	require.Contains(t, first.Reasons, "Its metrics agree: processor use went from 30 % to 95 %.")
	signal.Worse = false
	first = rank(tracetest.Shop{StarvedWeb: 30}, cause.Evidence{Signals: []cause.Signal{signal}}).Suspects[0]
	require.NotContains(t, strings.Join(first.Reasons, " "), "metrics")
	signal.Worse, signal.Service = true, "payment"
	errors := rank(tracetest.Shop{PaymentFails: 0.3}, cause.Evidence{Signals: []cause.Signal{signal}}).Suspects[0]
	require.NotContains(t, strings.Join(errors.Reasons, " "), "metrics", "a busy processor answers no 503")
}

// TestPoolWait checks that a wait for connections has its name, once for all
// operations of the service.
func TestPoolWait(t *testing.T) {
	wait := func(endpoint string) (diff.Path, diff.Suspect) {
		path := diff.Path{Key: endpoint + " > acquire", Parent: endpoint, Endpoint: endpoint, Service: "orders", Operation: "acquire connection",
			Candidate: diff.PathSummary{Calls: 10, Duration: diff.Quantile{P50: 2e9}}, PerCallEffect: 2e9}
		found := diff.Finding{Aspect: diff.New, Effect: 1, Worse: true}
		path.Findings = []diff.Finding{found}
		return path, diff.Suspect{Path: path.Key, Endpoint: endpoint, Service: "orders", Kind: diff.New, Share: 0.9, Score: 0.9, Finding: found}
	}
	onePath, one := wait("a")
	otherPath, other := wait("b")
	patterns := []pattern.Finding{{Kind: pattern.PoolWait, Path: onePath.Key}, {Kind: pattern.PoolWait, Path: otherPath.Key}}
	r := cause.Rank(diff.Result{Verdict: diff.Regressed, Suspects: []diff.Suspect{one, other}, Paths: []diff.Path{onePath, otherPath}},
		cause.Evidence{Patterns: patterns, Signals: []cause.Signal{{Service: "orders", Kind: cause.Pool, Title: "time to get a connection", Unit: "s", Before: 0.001, Now: 1.6, Worse: true}}})
	require.Len(t, r.Suspects, 1)
	require.Equal(t, cause.PoolWait, r.Suspects[0].Kind)
	require.Len(t, r.Suspects[0].Endpoints, 2)
	require.Equal(t, "orders waits 2 s for a connection at the median, 0 ms before (adjusted p below 1e-12).", r.Suspects[0].Reasons[0])
	require.Contains(t, r.Suspects[0].Reasons, "Its metrics agree: time to get a connection went from 1 ms to 1.6 s.")
}

// TestSharedCache checks that services which lose their caches at once point at
// what they share.
func TestSharedCache(t *testing.T) {
	var paths []diff.Path
	var suspects []diff.Suspect
	var patterns []pattern.Finding
	for _, service := range []string{"cart", "catalog"} {
		found := diff.Finding{Aspect: diff.Calls, Effect: 9, Lower: 5, Upper: 14, Worse: true}
		paths = append(paths, diff.Path{Key: service, Endpoint: service, Service: service, Operation: "SELECT ?", Findings: []diff.Finding{found}})
		suspects = append(suspects, diff.Suspect{Path: service, Endpoint: service, Service: service, Kind: diff.Calls, Share: 0.5, Score: 0.5, Finding: found})
		patterns = append(patterns, pattern.Finding{Kind: pattern.LostCache, Path: service})
	}
	r := cause.Rank(diff.Result{Verdict: diff.Regressed, Suspects: suspects, Paths: paths}, cause.Evidence{Patterns: patterns})
	require.Len(t, r.Suspects, 2)
	for _, s := range r.Suspects {
		require.Equal(t, cause.LostCache, s.Kind)
		require.Contains(t, strings.Join(s.Reasons, " "), "lost a cache as well: what they share, the cache itself, is to blame")
		require.Contains(t, s.Reasons[0], "×9 for each call of its caller")
	}
}

// TestImproved checks that what got better is told as such.
func TestImproved(t *testing.T) {
	slow, fast := tracetest.Shop{Seed: 1, Traces: 400, SlowQuery: 8}.Generate(), tracetest.Shop{Seed: 2, Traces: 400}.Generate()
	r := cause.Rank(diff.Compare(slow, fast, diff.Options{}), cause.Evidence{})
	require.Equal(t, diff.Improved, r.Verdict)
	require.Equal(t, cause.Statement, r.Suspects[0].Kind)
	require.Contains(t, r.Suspects[0].Reasons[1], "saved, -")

	looping, plain := tracetest.Shop{Seed: 1, Traces: 400, NPlusOne: 20}.Generate(), tracetest.Shop{Seed: 2, Traces: 400}.Generate()
	lost := cause.Rank(diff.Compare(looping, plain, diff.Options{}), cause.Evidence{}).Suspects[0]
	require.Equal(t, cause.LostCall, lost.Kind)
	require.Equal(t, []string{"orders", "POST /orders", lines}, []string{lost.Service, lost.Operation, lost.Call})
}

// TestStarved checks that a caller out of breath clears its callees, and what
// it costs.
func TestStarved(t *testing.T) {
	r := rank(tracetest.Shop{StarvedWeb: 30}, cause.Evidence{})
	require.Len(t, r.Suspects, 1, "%+v", r.Suspects)
	require.Equal(t, []string{"web GET /catalog", "web POST /checkout"}, r.Suspects[0].Endpoints)
	require.Greater(t, r.Suspects[0].PerRequest, 15e6)
}

// TestFirstReasons shows the sentences that people read.
func TestFirstReasons(t *testing.T) {
	for _, fault := range []tracetest.Shop{{SlowQuery: 8}, {NPlusOne: 20}, {PaymentFails: 0.3}, {StarvedWeb: 30}} {
		first := rank(fault, cause.Evidence{}).Suspects[0]
		t.Log(first.Kind, first.Service, first.Confidence, strings.Join(first.Reasons, "\n  "))
		require.Regexp(t, `^[^%]*(→.*at the median.*×.*95 %.*adjusted p|is called|fails in .* before)`, first.Reasons[0])
	}
}

// TestADeployIsNotBlamedForWhatBeganLater: the statement came with the deploy,
// failing payments began nine minutes after it.
func TestADeployIsNotBlamedForWhatBeganLater(t *testing.T) {
	deploy := time.Date(2026, 3, 2, 19, 15, 0, 0, time.UTC)
	before := tracetest.Shop{Seed: 1, Traces: 600, Start: deploy.Add(-10 * time.Minute)}.Generate()
	first := tracetest.Shop{Seed: 2, Traces: 500, Start: deploy, SlowQuery: 6}.Generate()
	second := tracetest.Shop{Seed: 3, Traces: 700, Start: deploy.Add(9 * time.Minute), SlowQuery: 6, SlowNetwork: 400}.Generate()
	compared := diff.Compare(before, append(first, second...), diff.Options{})
	r := cause.Rank(compared, cause.Evidence{Deploys: []cause.Deploy{
		{Service: "orders", Previous: "1", Version: "2", At: deploy}, {Service: "payment", Previous: "1", Version: "2", At: deploy}}})
	require.Equal(t, diff.Regressed, r.Verdict)
	require.Equal(t, cause.Statement, r.Suspects[0].Kind, "%+v", r.Suspects)
	require.Zero(t, r.Suspects[0].Began)
	later := r.Suspects[1]
	require.Equal(t, cause.WayTo, later.Kind)
	require.WithinDuration(t, deploy.Add(9*time.Minute), later.Began, 20*time.Second)
	require.Contains(t, strings.Join(later.Reasons, " "), "after the deploy and not with it")
	require.NotContains(t, strings.Join(later.Reasons, " "), "payment changed from")
}

// TestACarriedCallIsNamedByWhatItCarries: a database's library over HTTP makes
// two clients' paths; the statement is to blame, not the request that carries
// it.
func TestACarriedCallIsNamedByWhatItCarries(t *testing.T) {
	found := diff.Finding{Aspect: diff.SelfTime, Effect: 9, Lower: 5, Upper: 14, Worse: true}
	paths := []diff.Path{
		{Key: "web", Endpoint: "web", Service: "web", Operation: "GET /", Kind: trace.Server},
		{Key: "web > find", Parent: "web", Endpoint: "web", Service: "web", Operation: "find carts", Kind: trace.Client},
		{Key: "web > find > POST", Parent: "web > find", Endpoint: "web", Service: "web", Operation: "POST /_search", Kind: trace.Client, Findings: []diff.Finding{found}},
	}
	suspects := []diff.Suspect{{Path: "web > find > POST", Endpoint: "web", Service: "web", Kind: diff.SelfTime, Share: 0.9, Score: 0.9, Finding: found}}
	first := cause.Rank(diff.Result{Verdict: diff.Regressed, Suspects: suspects, Paths: paths}, cause.Evidence{}).Suspects[0]
	require.Equal(t, cause.Statement, first.Kind)
	require.Equal(t, []string{"web", "GET /", "find carts"}, []string{first.Service, first.Operation, first.Call})
}

package cause

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// weigh adds what deploys, patterns and metrics say, and writes the reasons.
func (r *ranking) weigh(s *Suspect) {
	path := r.paths[s.Path]
	if s.Kind == Starved {
		path = r.slowestWay(s.Path)
	}
	s.Reasons = append(s.Reasons, finding(s, path))
	if s.Share > 0 {
		s.Reasons = append(s.Reasons, explained(s))
	}
	for _, e := range s.Explanations {
		s.Reasons = append(s.Reasons, e.String()+".")
	}
	s.Reasons = append(s.Reasons, r.rule(s))
	if s.Kind == LostCache {
		s.Reasons = append(s.Reasons, r.sharedLoss(s)...)
	}
	s.Reasons = append(s.Reasons, newErrors(r.paths[s.Path])...)
	r.weighPatterns(s)
	r.weighDeploys(s)
	r.weighSignals(s)
}

// maxNewErrors is how many new ways to fail are named of a suspect.
const maxNewErrors = 3

// newErrors are the ways in which calls of a path fail that the baseline never
// showed: exceptions by type, or by message where only that is new.
func newErrors(path *diff.Path) (reasons []string) {
	for _, e := range path.ErrorTypes {
		if e.New && len(reasons) < maxNewErrors {
			reasons = append(reasons, fmt.Sprintf("New: it fails with %s in %d traces, in none of the baseline.", e.Name, e.Candidate))
		}
	}
	return reasons
}

// sharedLoss names other services that lost a cache at the same time: then it
// is the cache that they share.
func (r *ranking) sharedLoss(s *Suspect) []string {
	var others []string
	for _, other := range r.suspects {
		if other.Kind == LostCache && other.Service != s.Service {
			others = append(others, other.Service)
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	return []string{fmt.Sprintf("%s lost a cache as well: what they share, the cache itself, is to blame.", strings.Join(others, ", "))}
}

// slowestWay is the callee of a path to which the way became longer with the
// strongest evidence; the path itself where there is none.
func (r *ranking) slowestWay(caller string) *diff.Path {
	strongest, doubt := r.paths[caller], 2.0
	for i := range r.compared.Paths {
		path := &r.compared.Paths[i]
		for _, f := range path.Findings {
			if path.Parent == caller && f.Aspect == diff.Gap && f.Worse && f.PValue < doubt {
				strongest, doubt = path, f.PValue
			}
		}
	}
	return strongest
}

// rules is why each kind names whom it names.
var rules = map[Kind]string{
	OwnWork:    "The time is spent in its own work: no call below it, and not the way to it, explains it.",
	Statement:  "It is this statement: others of the same service take as long as before. Look at its plan, indexes and locks.",
	Database:   "Most statements of this service take longer: what they share, the database or its host, is to blame.",
	Outside:    "What it calls sends no spans: the time is spent there or on the way.",
	WayTo:      "The time passes between caller and callee, and towards this callee alone: its accept queue, a proxy, or the network.",
	Starved:    "The time passes between this caller and several of its callees: what these have in common is the caller, its processor or its connections.",
	MoreCalls:  "Each call takes its usual time; there are more of them. The caller decides how many.",
	FewerCalls: "The caller makes the call less often.",
	NewCall:    "The caller makes a call that it did not make before.",
	LostCall:   "The caller no longer makes a call: it returns before, or goes another way.",
	Errors:     "Failures begin here: nothing below it fails. Its callers only pass them on.",
	LostCache:  "Its database answers what a cache used to: look at the cache, its keys, expiry and size.",
	PoolWait:   "Its requests wait for a connection: too few for the load, or held for too long.",
	Unplaced:   "It takes longer as a whole; no single call below explains it.",
}

// betterRules stand in for rules where the change is an improvement.
var betterRules = map[Kind]string{
	OwnWork:   "The time is saved in its own work: no call below it, and not the way to it, explains it.",
	Statement: "It is this statement: others of the same service take as long as before.",
	Database:  "Most statements of this service take less time: what they share, the database or its host, is faster.",
	Outside:   "What it calls sends no spans: the time is saved there or on the way.",
	WayTo:     "The way between caller and callee became shorter, towards this callee alone: its accept queue, a proxy, or the network.",
	Errors:    "Failures that began here went. Its callers only passed them on.",
	PoolWait:  "Its requests no longer wait as long for a connection.",
	Unplaced:  "It takes less time as a whole; no single call below explains it.",
}

func (r *ranking) rule(s *Suspect) string {
	if better, known := betterRules[s.Kind]; known && r.better(s) {
		return better
	}
	return rules[s.Kind]
}

// finding is the evidence in figures.
func finding(s *Suspect, path *diff.Path) string {
	f := &s.Finding
	name := strings.TrimSpace(path.Service + " " + path.Operation)
	doubt := fmt.Sprintf("adjusted p %.2g", f.PValue)
	if f.PValue < 1e-12 {
		doubt = "adjusted p below 1e-12"
	}
	kind := s.Kind
	if kind == LostCache {
		if kind = MoreCalls; f.Aspect == diff.New {
			kind = NewCall
		}
	}
	switch kind {
	case Errors:
		return fmt.Sprintf("%s fails in %.3g %% of its calls, %.3g %% before (%+.3g points of its requests, 95 %% %+.3g to %+.3g; %s).",
			name, 100*path.Candidate.ErrorRate, 100*path.Baseline.ErrorRate, 100*f.Effect, 100*f.Lower, 100*f.Upper, doubt)
	case MoreCalls, FewerCalls:
		return fmt.Sprintf("%s is called %.3g times per request, %.3g before (×%.3g for each call of its caller, 95 %% %.3g to %.3g; %s).",
			name, path.Candidate.CallsPerRequest, path.Baseline.CallsPerRequest, f.Effect, f.Lower, f.Upper, doubt)
	case NewCall:
		return fmt.Sprintf("%s is called in %.3g %% of the requests that could, never before (%s).", name, 100*f.Effect, doubt)
	case PoolWait:
		if s.pause != nil {
			return fmt.Sprintf("%s: own time ×%.3g (95 %% %.3g to %.3g; %s), and it is spent before the first statement, %s: %s there on average, %s before. No span shows what happens there.",
				name, f.Effect, f.Lower, f.Upper, doubt, s.pause.Statement, trace.FormatDuration(s.pause.Now), trace.FormatDuration(s.pause.Before))
		}
		return fmt.Sprintf("%s waits %s for a connection at the median, %s before (%s).", s.Service,
			trace.FormatDuration(path.Candidate.Duration.P50), trace.FormatDuration(path.Baseline.Duration.P50), doubt)
	case LostCall:
		return fmt.Sprintf("%s was called in %.3g %% of the requests that could, now never (%s).", name, 100*f.Effect, doubt)
	}
	before, now, what := path.Baseline.SelfTime, path.Candidate.SelfTime, "own time"
	switch s.Kind {
	case WayTo, Starved:
		before, now, what = path.Baseline.Gap, path.Candidate.Gap, "way"
	case Unplaced:
		before, now, what = path.Baseline.Duration, path.Candidate.Duration, "duration"
	}
	if s.traced {
		doubt = "of a caller's duration, traced down to here; " + doubt
	}
	return fmt.Sprintf("%s: %s %s → %s at the median, %s → %s at p95 (×%.3g, 95 %% %.3g to %.3g; %s).", name, what,
		trace.FormatDuration(before.P50), trace.FormatDuration(now.P50), trace.FormatDuration(before.P95), trace.FormatDuration(now.P95), f.Effect, f.Lower, f.Upper, doubt)
}

// explained is what the suspect explains of its endpoints' change.
func explained(s *Suspect) string {
	endpoints := strings.Join(s.Endpoints[:min(len(s.Endpoints), 3)], ", ")
	if more := len(s.Endpoints) - 3; more > 0 {
		endpoints += fmt.Sprintf(" and %d more", more)
	}
	failures, time := "further failures", "gained"
	if s.PerRequest < 0 || s.Kind == Errors && !s.Finding.Worse {
		failures, time = "failures that went", "saved"
	}
	if s.Kind == Errors {
		return fmt.Sprintf("It explains %.0f %% of the %s of %s.", 100*s.Share, failures, endpoints)
	}
	return fmt.Sprintf("It explains %.0f %% of the time that %s %s, %s per request.", 100*s.Share, endpoints, time, signed(s.PerRequest))
}

func signed(nanoseconds float64) string {
	if nanoseconds > 0 {
		return "+" + trace.FormatDuration(nanoseconds)
	}
	return trace.FormatDuration(nanoseconds)
}

// weighPatterns adds an inefficiency that came to the suspect's place, or went
// from it.
func (r *ranking) weighPatterns(s *Suspect) {
	for i := range r.evidence.Patterns {
		p := &r.evidence.Patterns[i]
		here := p.Path == s.Path || sameCall(p, s) || s.pause != nil && p.Path == s.pause.Path
		if !here || !changed(p.Change, !r.better(s)) {
			continue
		}
		came := "came"
		if r.better(s) {
			came = "went"
		}
		s.weight *= patternFactor
		s.Reasons = append(s.Reasons, fmt.Sprintf("A pattern %s with it: %s.", came, p.Evidence))
		return
	}
}

func sameCall(p *pattern.Finding, s *Suspect) bool {
	return p.Service == s.Service && p.Operation == s.Operation && s.Call != "" &&
		slices.ContainsFunc(p.Calls, func(c pattern.Call) bool { return c.Operation == s.Call })
}

// weighDeploys adds that the suspect's service was deployed. Who was deployed
// but is no suspect stays without blame: the traces clear it. Nor is a version
// blamed for what was there before it, or began well after it.
func (r *ranking) weighDeploys(s *Suspect) {
	if s.Grows && len(r.evidence.Deploys) > 0 {
		s.Reasons = append(s.Reasons, "It has grown since the candidate began, as a leak does.")
	}
	if r.beganLater(s) {
		if r.cameWithDeploy() {
			s.weight *= lateFactor
		}
		s.Reasons = append(s.Reasons, fmt.Sprintf("It began at %s, after the deploy and not with it: an incident of its own, unless the deploy set off something that takes time.", s.Began.Format("15:04:05Z")))
		return
	}
	deployed := false
	for _, d := range r.evidence.Deploys {
		if d.Service != s.Service {
			continue
		}
		if deployed = true; !r.mayCause(d, s) {
			s.Reasons = append(s.Reasons, fmt.Sprintf("The deploy of %s %s at %s is not to blame: %s.", d.Service, d.Version, d.At.UTC().Format("15:04:05Z"), r.otherTime(s)))
			continue
		}
		s.weight *= deployFactor
		from := d.Previous
		if from == "" {
			from = "no known version"
		}
		s.Reasons = append(s.Reasons, fmt.Sprintf("%s changed from %s to %s at %s.", d.Service, from, d.Version, d.At.UTC().Format("15:04:05Z")))
		return
	}
	if len(r.evidence.Deploys) > 0 && !deployed {
		s.Reasons = append(s.Reasons, fmt.Sprintf("%s itself was not deployed in this time.", s.Service))
	}
}

// mayCause says that a deploy came when a suspect's difference began, as far as
// that is known.
func (r *ranking) mayCause(d Deploy, s *Suspect) bool {
	switch candidate := &r.compared.Candidate; {
	case d.At.After(candidate.End):
		return true // its time is not that of these traces
	case !s.Began.IsZero():
		return !s.Began.Before(d.At.Add(-settled)) && s.Began.Before(d.At.Add(settled))
	case s.FromStart:
		return d.At.Before(candidate.Start.Add(settled))
	}
	return true
}

// otherTime says when a suspect's difference began instead.
func (r *ranking) otherTime(s *Suspect) string {
	if s.Began.IsZero() {
		return "the difference was there before it"
	}
	return "the difference began at " + s.Began.Format("15:04:05Z")
}

// beganLater says that a suspect's difference began after some deploy, and with
// none.
func (r *ranking) beganLater(s *Suspect) bool {
	return !s.Began.IsZero() &&
		slices.ContainsFunc(r.evidence.Deploys, func(d Deploy) bool { return s.Began.After(d.At) }) &&
		!slices.ContainsFunc(r.evidence.Deploys, func(d Deploy) bool { return r.mayCause(d, s) })
}

// settled is how long after a deploy what begins still counts as having come
// with it: pods are replaced one after the other. A deploy may be noticed as
// late as that.
const settled = 2 * time.Minute

// cameWithDeploy says that some suspect came with a deploy.
func (r *ranking) cameWithDeploy() bool {
	return slices.ContainsFunc(r.suspects, func(s *Suspect) bool { return !r.beganLater(s) })
}

// supports says which resources can make which kind of suspect.
var supports = map[SignalKind][]Kind{
	Pool:      {PoolWait, OwnWork, Starved, Statement, Database, NewCall, Unplaced, Errors},
	Processor: {OwnWork, Starved, WayTo, Unplaced},
	Backlog:   {WayTo, OwnWork, Unplaced},
}

// weighSignals adds metrics of the suspect's service that are beyond all that
// they were before, in the direction of the change.
func (r *ranking) weighSignals(s *Suspect) {
	supported := false
	for _, signal := range r.evidence.Signals {
		if !r.agrees(s, signal) || signal.Service != s.Service || !slices.Contains(supports[signal.Kind], s.Kind) {
			continue
		}
		supported = true
		s.Reasons = append(s.Reasons, "Its metrics agree: "+signal.Text()+".")
	}
	if supported {
		s.weight *= signalFactor
	}
}

// agrees says that a metric changed in the direction that the suspect did.
func (r *ranking) agrees(s *Suspect, signal Signal) bool {
	if r.better(s) {
		return signal.Better
	}
	return signal.Worse
}

// Text says what the metric did.
func (s Signal) Text() string {
	return fmt.Sprintf("%s went from %s to %s", s.Title, quantity(s.Before, s.Unit), quantity(s.Now, s.Unit))
}

func quantity(value float64, unit string) string {
	if math.IsNaN(value) {
		return "unknown"
	}
	switch unit {
	case "%":
		return fmt.Sprintf("%.3g %%", 100*value)
	case "s":
		return trace.FormatDuration(value * float64(time.Second))
	}
	return fmt.Sprintf("%.3g", value) + unit
}

// isStatement tells a database's statement by its normal form.
func isStatement(operation string) bool {
	word, _, _ := strings.Cut(operation, " ")
	switch word {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "REPLACE", "CALL", "EXECUTE", "EXEC", "TRUNCATE",
		"find", "aggregate", "insert", "update", "delete", "findAndModify", "count", "distinct":
		return true
	}
	return false
}

// Package impact measures how alerting performed over a stretch of time: times to
// detect and resolve, precision and recall of alerts, failed changes, and
// incidents prevented. Everything is counted from a record of what happened.
// What is unknown is left out, and the report says so.
//
// The measures are those of the SRE Workbook, chapter 5 (precision, recall,
// detection time), and of DORA (change failure rate). Times are reported as medians
// with intervals, since means of few incidents tell nothing (Davidovic 2021,
// Incident Metrics in SRE).
package impact

import "time"

// Episode is a time in which an alert fired.
type Episode struct {
	// Service is empty where the alert's labels name none.
	Alert, Service string
	Start, End     time.Time
	// Firing says that it still fires at the end of the record.
	Firing bool
	// Horizon is how far ahead the alert warns; 0 for one of what is now.
	Horizon time.Duration
}

// Source says how an incident is known.
type Source string

// The sources, the most trusted first.
const (
	Objective Source = "objective" // a service level objective was missed
	Reported  Source = "reported"  // an annotation of an incident
	Confirmed Source = "confirmed" // a person said that an event was real
	RolledOut Source = "rollout"   // a rollout that was rolled back
)

var trust = map[Source]int{Objective: 0, Reported: 1, Confirmed: 2, RolledOut: 3}

// timed says that the source knows when the harm began and ended.
func (s Source) timed() bool { return s == Objective || s == Reported }

// Incident is a time in which a service did its users harm.
type Incident struct {
	Service    string
	Start, End time.Time
	// Ongoing says that it has not ended by the end of the record.
	Ongoing bool
	Source  Source
}

// Deploy is a version that arrived.
type Deploy struct {
	Service, Version string
	At               time.Time
}

// Rollback is a rollout that was stopped and undone.
type Rollback struct {
	Service string
	Version string // empty where it is unknown
	At      time.Time
	// ByFail says that a verdict of Foresight had failed the rollout before.
	ByFail bool
}

// Said is what a person said of an event: whether it was real.
type Said struct {
	Service string // empty for any
	At      time.Time
	Real    bool
}

// Warning is a probability that a service breaches a limit.
type Warning struct {
	Service     string
	At          time.Time
	Horizon     time.Duration
	Probability float64
}

// Record is what happened from From to To.
type Record struct {
	From, To  time.Time
	Episodes  []Episode
	Incidents []Incident
	Deploys   []Deploy
	Rollbacks []Rollback
	Said      []Said
	Warnings  []Warning
	Scaled    []Scaled
	// Acts are when something was done about a service: what was foretold there
	// and did not come is no false alarm.
	Acts []Act
	// Watched are the services whose incidents would be in the record, and
	// EveryWatched says that all are: without it, no incident means nothing.
	Watched      map[string]bool
	EveryWatched bool
	// RollbacksKnown says that rollbacks would be in the record.
	RollbacksKnown bool
}

// Act is something that was done about a service.
type Act struct {
	Service string
	At      time.Time
}

// Rules are the tolerances of judging; what is 0 takes its default.
type Rules struct {
	// Tolerance is how far an alert and its incident may lie apart. Default 5m.
	Tolerance time.Duration
	// Budget is how late an alert may come and still count for an incident.
	// Default 15m.
	Budget time.Duration
	// FailsWithin is how long after a deploy an incident is attributed to it.
	// Default 1h.
	FailsWithin time.Duration
	// Confidence of the intervals. Default 0.95.
	Confidence float64
}

func (r Rules) withDefaults() Rules {
	or := func(value, fallback time.Duration) time.Duration {
		if value <= 0 {
			return fallback
		}
		return value
	}
	r.Tolerance, r.Budget = or(r.Tolerance, 5*time.Minute), or(r.Budget, 15*time.Minute)
	r.FailsWithin = or(r.FailsWithin, time.Hour)
	if !(r.Confidence > 0 && r.Confidence < 1) {
		r.Confidence = 0.95
	}
	return r
}

// Report is what the record shows.
type Report struct {
	// Precision is the share of alerts that were right, Recall that of incidents
	// that an alert detected, ChangeFailure that of deploys that failed.
	Precision, Recall, ChangeFailure Share
	// Detect is from the begin of an incident to its first alert, never below 0;
	// Lead from a warning to the incident that it predicted; Resolve from the begin
	// of an incident to its end.
	Detect, Lead, Resolve Times
	Prevented             []Prevented
	// NotCounted says what is missing under Prevented, and why.
	NotCounted []string
	Episodes   []JudgedEpisode
	Incidents  []JudgedIncident
	Deploys    []JudgedDeploy
}

// Judge counts.
func (r Record) Judge(rules Rules) Report {
	rules = rules.withDefaults()
	j := judge{Record: r, Rules: rules}
	deploys, undone := changes(r.Deploys, rules.FailsWithin)
	j.Deploys, j.Rollbacks = deploys, join(r.Rollbacks, undone, rules.FailsWithin)
	j.Incidents = merge(append(j.harmOfRollbacks(), j.harmConfirmed()...))
	report := Report{Episodes: j.episodes(), Incidents: j.incidents(), Deploys: j.deploys()}
	report.Precision = j.share(len(report.Episodes), func(i int) Finding { return report.Episodes[i].Finding })
	report.Recall = j.share(len(report.Incidents), func(i int) Finding { return report.Incidents[i].Finding })
	report.ChangeFailure = j.share(len(report.Deploys), func(i int) Finding { return report.Deploys[i].Finding })
	report.Detect = j.times(report.Incidents, func(i JudgedIncident) (time.Duration, bool) { return i.Detect, i.Detected })
	report.Lead = j.times(report.Incidents, func(i JudgedIncident) (time.Duration, bool) { return i.Lead, i.Lead > 0 })
	report.Resolve = j.times(report.Incidents, func(i JudgedIncident) (time.Duration, bool) { return i.End.Sub(i.Start), !i.Ongoing })
	report.Prevented, report.NotCounted = j.prevented()
	return report
}

// judge is a record under rules.
type judge struct {
	Record
	Rules
}

// watched tells whether an incident of the service would be in the record.
func (j judge) watched(service string) bool { return j.EveryWatched || j.Watched[service] }

// acted tells whether something was done about a service from start to end.
func (j judge) acted(service string, start, end time.Time) bool {
	for _, act := range j.Acts {
		if act.Service == service && within(act.At, start, end) {
			return true
		}
	}
	return false
}

// within tells whether start ≤ t ≤ end.
func within(t, start, end time.Time) bool { return !t.Before(start) && !t.After(end) }

package playbook

import (
	"fmt"
	"slices"
	"time"
)

// Mode says how far playbooks may go.
type Mode string

// The modes.
const (
	Observe   Mode = "observe"
	Recommend Mode = "recommend"
	Auto      Mode = "auto"
)

// Config are an administrator's limits; what is 0 takes its default.
type Config struct {
	// Mode is that of patterns which Modes does not name. Default observe.
	Mode  Mode
	Modes map[Pattern]Mode
	// KillSwitch holds everything back.
	KillSwitch bool
	// Services are those that automation may act upon; none for none.
	Services []string
	// Cooldown is between two actions on one service. Default 1h.
	Cooldown time.Duration
	// PerService is how many actions a service gets within 24 hours, and PerHour
	// all services together within one. Defaults 2 and 3.
	PerService, PerHour int
	// MaxShare is the share of the known services that may be acted upon within an
	// hour, though always one. Default 0.2.
	MaxShare float64
	// StopShare is the share of services from which on, when they are unusual at
	// once, telemetry or something common is at fault. Default 0.4.
	StopShare float64
	// MinConfidence of what is sent. Default 0.5.
	MinConfidence float64
	// MinRight is the share of right recommendations that a pattern's record must be
	// shown to exceed before it may do what the mode auto allows; until then it
	// recommends. 0 for no such condition.
	MinRight float64
	// Settle is how long an action takes to show, and Deadline by when it must
	// have. Defaults 5m and 30m.
	Settle, Deadline time.Duration
}

func (c Config) withDefaults() Config {
	share := func(value *float64, fallback float64) {
		if !(*value > 0 && *value <= 1) {
			*value = fallback
		}
	}
	length := func(value *time.Duration, fallback time.Duration) {
		if *value <= 0 {
			*value = fallback
		}
	}
	if c.PerService <= 0 {
		c.PerService = 2
	}
	if c.PerHour <= 0 {
		c.PerHour = 3
	}
	share(&c.MaxShare, 0.2)
	share(&c.StopShare, 0.4)
	share(&c.MinConfidence, 0.5)
	length(&c.Cooldown, time.Hour)
	length(&c.Settle, 5*time.Minute)
	length(&c.Deadline, 30*time.Minute)
	return c
}

func (c Config) mode(p Pattern) Mode {
	mode, named := c.Modes[p]
	if !named {
		mode = c.Mode
	}
	if mode != Recommend && mode != Auto {
		return Observe
	}
	return mode
}

// minServices are needed to speak of a share of them.
const minServices = 4

// guards admit recommendations, one after the other: each that is ready counts
// for those behind it.
type guards struct {
	Config
	Situation
	past []Past
}

func newGuards(c Config, s Situation, outcomes []Past) *guards {
	g := &guards{Config: c, Situation: s}
	for _, past := range s.Past {
		if past.Outcome != "" {
			g.past = append(g.past, past)
		}
	}
	g.past = append(g.past, outcomes...)
	return g
}

// admit says what becomes of a recommendation, and which guard holds it.
func (g *guards) admit(r Recommendation) (State, string) {
	switch g.mode(r.Pattern) {
	case Observe:
		return Observed, ""
	case Recommend:
		return Proposed, ""
	}
	if g.MinRight > 0 {
		if g.RecordMissing != "" {
			return Proposed, "auto is not earned: " + g.RecordMissing
		}
		if record := JudgeRecord(r.Pattern, g.Record, g.MinRight); !record.Earned {
			return Proposed, record.text(g.MinRight)
		}
	}
	if reason := g.holds(r); reason != "" {
		return Held, reason
	}
	g.past = append(g.past, Past{ID: r.ID, Pattern: r.Pattern, Service: r.Target.Service, At: g.Now, Outcome: Pending})
	return Ready, ""
}

// holds is the first guard that holds a recommendation back.
func (g *guards) holds(r Recommendation) string {
	service := r.Target.Service
	switch {
	case g.KillSwitch:
		return "the kill switch is on"
	case !slices.Contains(g.Services, service):
		return "the service is not among those that automation may act upon (playbooks.services)"
	case g.Missing != "":
		return "evidence is missing: " + g.Missing
	case g.Known <= 0:
		return "how many services are unusual is unknown"
	case g.Known >= minServices && float64(g.Unusual) > g.StopShare*float64(g.Known):
		return fmt.Sprintf("%d of %d services are anomalous at the same time: telemetry or a shared dependency may be the cause", g.Unusual, g.Known)
	case r.Confidence < g.MinConfidence:
		return fmt.Sprintf("the confidence of %.0f %% is below %.0f %%", 100*r.Confidence, 100*g.MinConfidence)
	case r.Action == RollBack && (r.Target.Version == "" || r.Target.Previous == ""):
		return "the versions have no names"
	}
	return g.limits(r)
}

// limits are the guards that count what was done before.
func (g *guards) limits(r Recommendation) string {
	service := r.Target.Service
	var ofService, ofHour int
	targets := map[string]bool{service: true}
	for _, past := range g.past {
		age := g.Now.Sub(past.At)
		switch {
		case past.ID == r.ID:
			return "it was sent at " + past.At.UTC().Format(time.RFC3339)
		case past.Service == service && age < g.Cooldown:
			return fmt.Sprintf("the service was acted upon at %s; it cools down for %s", past.At.UTC().Format(time.RFC3339), g.Cooldown)
		case past.Service == service && past.Pattern == r.Pattern && past.Outcome == Failed && age < dayOfBudget:
			return "the same did not help at " + past.At.UTC().Format(time.RFC3339) + ": a person must look"
		}
		if past.Service == service && age < dayOfBudget {
			ofService++
		}
		if age < hourOfBudget {
			ofHour++
			targets[past.Service] = true
		}
	}
	switch {
	case ofService >= g.PerService:
		return fmt.Sprintf("the service was acted upon %d times within a day, which is its budget", ofService)
	case ofHour >= g.PerHour:
		return fmt.Sprintf("%d actions within the hour are the budget of all services", ofHour)
	case len(targets) > 1 && float64(len(targets)) > g.MaxShare*float64(g.Known):
		return fmt.Sprintf("%d of %d services would be acted upon within the hour, more than %.0f %%", len(targets), g.Known, 100*g.MaxShare)
	}
	return ""
}

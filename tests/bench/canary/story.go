package canary

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("story", "the Black-Friday story in the lab, an hour long: fault-free days, a slow canary, connections that run out (-days 2 -ramp 80m)", runStory)
}

type storyFigures struct {
	QuietDays  float64  `json:"quiet_days"`
	FalsePages []string `json:"false_pages"` // of the shipped rules in those days

	VerdictSeconds float64 `json:"verdict_seconds"` // from the canary's deploy to "fail"; 0: never
	VerdictReason  string  `json:"verdict_reason"`

	RampMinutes   float64 `json:"ramp_minutes"`
	WarningMinute float64 `json:"warning_minute"` // of the first shipped rule that fired, after the ramp began; 0: never
	WarningRule   string  `json:"warning_rule"`
	StaticMinute  float64 `json:"static_minute"` // when a shipped early warning's own limit was reached; 0: never
	LeadMinutes   float64 `json:"lead_minutes"`
}

// slowShare is the canary's share of the requests.
const slowShare = 0.1

type storyteller struct {
	context context.Context
	lab     *harness.Lab
	source  harness.DataSource
	rules   []shippedRule
	begun   time.Time
	figures storyFigures
}

func runStory(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("story", flag.ContinueOnError)
	days := flags.Float64("days", 2, "fault-free days in which every page is false; 0 for none")
	ramp := flags.Duration("ramp", 80*time.Minute, "how long until connections come back 1.2 s late: at a daytime load they have run out after somewhat more than half of it; 0 leaves that out")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	rules, err := shippedRules()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	lab, err := environment.Start(ctx, os.Stderr, "-history", "16d")
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	settings := lab.Settings()
	settings["limits"] = map[string]any{"timeout": "2m"}
	s := &storyteller{context: ctx, lab: lab.Lab, rules: rules, begun: time.Now(), source: lab.Source(settings)}
	if err := s.quiet(*days); err != nil {
		return nil, err
	}
	if err := s.canary(); err != nil {
		return nil, err
	}
	if *ramp > 0 {
		err = s.exhaustion(*ramp)
	}
	return s.figures, err
}

func (s *storyteller) say(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "story %6.1f min  %s\n", time.Since(s.begun).Minutes(), fmt.Sprintf(format, arguments...))
}

// quiet evaluates the shipped rules in the days before the lab was opened, in
// which nothing happened: minute by minute around the points at which a panel
// shows a number that is above the rule's threshold. A number is the same in a
// panel and in a rule, so that at all other times there is nothing to page.
func (s *storyteller) quiet(days float64) error {
	s.figures.QuietDays = days
	s.figures.FalsePages = []string{}
	end := s.begun.Add(-5 * time.Minute).Truncate(time.Minute)
	for i := range s.rules {
		rule := &s.rules[i]
		above, highest, err := s.above(rule, end.Add(-time.Duration(days*24*float64(time.Hour))), end)
		if err != nil {
			return err
		}
		s.say("%s is above its threshold in %d of %.0f minutes; its highest number is %.3g", rule.UID, len(above), days*24*60, highest)
		var until time.Time
		evaluation := newEvaluation(rule)
		for _, first := range above {
			if first.Before(until) {
				continue
			}
			until = first.Add(rule.pending + 10*time.Minute)
			for at := first; at.Before(until); at = at.Add(time.Minute) {
				fired, _, err := s.evaluate(evaluation, at)
				if err != nil {
					return err
				}
				for _, instance := range fired {
					page := fmt.Sprintf("%s %s %s", rule.UID, instance, at.UTC().Format("Mon 15:04"))
					s.figures.FalsePages = append(s.figures.FalsePages, page)
					s.say("false page: %s", page)
				}
			}
		}
	}
	return nil
}

// quietPanel is as long as a panel may be that shows every minute.
const quietPanel = 6 * time.Hour

// above are the minutes at which a rule's number is above its threshold for any
// series, ascending, and its highest number; NaN without any.
func (s *storyteller) above(rule *shippedRule, from, to time.Time) (found []time.Time, highest float64, err error) {
	highest = math.NaN()
	model := maps.Clone(rule.Data[0].Model)
	model["format"] = "panel"
	seen := map[time.Time]bool{}
	for start := from; start.Before(to); start = start.Add(quietPanel) {
		frames, err := s.source.Ask(s.context, start, start.Add(quietPanel), model)
		if err != nil {
			return nil, highest, fmt.Errorf("%s from %s: %w", rule.UID, start.Format(time.RFC3339), err)
		}
		for _, frame := range frames {
			for _, field := range frame.Fields {
				if field.Name != "score" && field.Name != "probability" {
					continue
				}
				for row := range field.Len() {
					value, known := field.ConcreteAt(row)
					at, timed := frame.Fields[0].At(row).(time.Time)
					if !known || !timed {
						continue
					}
					if !(value.(float64) <= highest) {
						highest = value.(float64)
					}
					if value.(float64) > rule.fire {
						seen[at] = true
					}
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), time.Time.Compare), highest, nil
}

// evaluate asks as Grafana's alerting does and says which instances begin to
// fire, and what each is.
func (s *storyteller) evaluate(e *evaluation, at time.Time) (fired []string, values map[string]float64, err error) {
	frames, err := s.source.AskAsRule(s.context, at.Add(-e.rule.window), at, e.rule.Data[0].Model)
	if err != nil {
		return nil, nil, fmt.Errorf("%s at %s: %w", e.rule.UID, at.Format(time.RFC3339), err)
	}
	values = instances(frames)
	return e.step(at, values), values, nil
}

// instances are the numbers of a rule's instances; those that are null are left
// out.
func instances(frames data.Frames) map[string]float64 {
	values := map[string]float64{}
	for _, frame := range frames {
		for _, field := range frame.Fields {
			if field.Type() != data.FieldTypeNullableFloat64 || field.Len() != 1 {
				continue
			}
			if value, known := field.ConcreteAt(0); known {
				values[field.Labels.String()] = value.(float64)
			}
		}
	}
	return values
}

// canary ships the slow query to a tenth of the requests and waits for the
// verdict that rolls it back.
func (s *storyteller) canary() error {
	if err := s.lab.Canary(s.context, "orders", "2.0.0", "slow-query", slowShare); err != nil {
		return err
	}
	deployed := time.Now()
	for time.Since(deployed) < 5*time.Minute {
		frames, err := s.source.Ask(s.context, time.Now().Add(-time.Hour), time.Now(), map[string]any{"queryType": "verdict", "service": "orders"})
		if err == nil {
			var summary *data.Frame
			if summary, err = harness.Frame(frames, "verdict"); err == nil && harness.Text(summary, "verdict", 0) == "fail" {
				s.figures.VerdictSeconds = time.Since(deployed).Seconds()
				s.figures.VerdictReason = harness.Text(summary, "reason", 0)
				break
			}
		}
		if err != nil {
			s.say("no verdict yet: %v", err)
		}
		time.Sleep(2 * time.Second)
	}
	s.say("verdict after %.0f s: %s", s.figures.VerdictSeconds, s.figures.VerdictReason)
	return s.lab.Deploy(s.context, "orders", "2.0.1", "") // mended
}

// exhaustion lets the connections of orders run out and waits for both a
// warning and the limit itself.
func (s *storyteller) exhaustion(ramp time.Duration) error {
	s.figures.RampMinutes = ramp.Minutes()
	if err := s.lab.Ramp(s.context, "pool-exhaustion", ramp); err != nil {
		return err
	}
	begun := time.Now()
	s.say("connections begin to run out")
	var evaluations []*evaluation
	for i := range s.rules {
		evaluations = append(evaluations, newEvaluation(&s.rules[i]))
	}
	for time.Since(begun) < ramp+15*time.Minute {
		now := time.Now()
		for _, e := range evaluations {
			if limit, reached, err := s.reached(e.rule, now); err != nil {
				return err
			} else if reached && s.figures.StaticMinute == 0 {
				s.figures.StaticMinute = now.Sub(begun).Minutes()
				s.say("the limit of %s is reached: %s", e.rule.UID, limit)
			}
			fired, values, err := s.evaluate(e, now)
			if err != nil {
				return err
			}
			for instance, value := range values {
				if value > e.rule.fire/2 {
					s.say("%s is %.3g for %s", e.rule.UID, value, instance)
				}
			}
			for _, instance := range fired {
				s.say("%s fires for %s", e.rule.UID, instance)
				if s.figures.WarningMinute == 0 {
					s.figures.WarningMinute, s.figures.WarningRule = now.Sub(begun).Minutes(), e.rule.UID+" "+instance
				}
			}
		}
		if s.figures.StaticMinute > 0 && s.figures.WarningMinute > 0 {
			break
		}
		time.Sleep(time.Until(now.Add(time.Minute)))
	}
	if s.figures.StaticMinute > 0 && s.figures.WarningMinute > 0 {
		s.figures.LeadMinutes = s.figures.StaticMinute - s.figures.WarningMinute
	}
	return nil
}

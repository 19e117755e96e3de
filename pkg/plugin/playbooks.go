package plugin

import (
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/api/playbooks"
	"github.com/foresight-observability/foresight/pkg/api/webhook"
	"github.com/foresight-observability/foresight/pkg/playbook"
)

// playbookSettings reads the limits of playbooks. What would let automation act
// on anything, or without a place to send to, is refused.
func playbookSettings(f fields, webhooks []webhook.Target) playbooks.Settings {
	modes := []string{string(playbook.Observe), string(playbook.Recommend), string(playbook.Auto)}
	limits := playbooks.Settings{
		Config: playbook.Config{
			Mode: playbook.Mode(f.choice("mode", modes...)), Modes: map[playbook.Pattern]playbook.Mode{},
			KillSwitch: f.boolean("killSwitch", false),
			Services:   f.texts("services"),
			Cooldown:   f.duration("cooldown", time.Hour, time.Minute, 24*time.Hour),
			PerService: f.number("perService", 2, 1, 100),
			PerHour:    f.number("perHour", 3, 1, 100),
			MaxShare:   f.share("maxShare", 0.2), StopShare: f.share("stopShare", 0.4), MinConfidence: f.share("minConfidence", 0.5),
			MinRight: f.share("minRight", 0),
			Settle:   f.duration("settle", 5*time.Minute, time.Minute, 24*time.Hour),
			Deadline: f.duration("deadline", 30*time.Minute, time.Minute, 24*time.Hour),
		},
		Webhook: f.text("webhook", ""),
		Window:  f.duration("window", time.Hour, 5*time.Minute, 24*time.Hour),
	}
	rules := f.object("rules")
	auto := limits.Mode == playbook.Auto
	for _, pattern := range playbook.Patterns() {
		if _, given := rules.values[string(pattern)]; given {
			limits.Modes[pattern] = playbook.Mode(rules.choice(string(pattern), modes...))
			auto = auto || limits.Modes[pattern] == playbook.Auto
		}
	}
	for _, service := range limits.Services {
		if err := playbook.CheckTarget(service); err != nil {
			f.problem("services", "cannot be used: %v", err)
		}
	}
	if limits.Deadline <= limits.Settle {
		f.problem("deadline", "is %s; it must be later than settle, %s", limits.Deadline, limits.Settle)
	}
	if limits.MinRight == 1 {
		f.problem("minRight", "is 1, which no record can exceed; write 0.95 or the like")
	}
	if auto {
		named := slices.ContainsFunc(webhooks, func(t webhook.Target) bool { return t.Name == limits.Webhook && t.Kind == webhook.CloudEvents })
		if limits.Webhook == "" || !named {
			f.problem("webhook", "is %.40q; the mode auto needs the name of one of the webhooks", limits.Webhook)
		}
		if len(limits.Services) == 0 {
			f.problem("services", "is empty; the mode auto acts only upon services that are named here")
		}
	}
	if unknown := rules.unknown(); len(unknown) > 0 {
		f.problem("rules", "names %s; there are %v", unknown[0], playbook.Patterns())
	}
	return limits
}

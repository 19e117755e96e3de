package ingest

import (
	"cmp"
	"strings"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// flagChange is the kind of change that feature flags make.
const flagChange = "feature-flag"

// readLaunchDarkly reads a webhook of LaunchDarkly's audit log: a flag that was
// changed. Its resource is "proj/NAME:env/NAME:flag/NAME".
func readLaunchDarkly(raw []byte) (deployed, error) {
	var entry struct {
		ID       lenient.Text `json:"_id"`
		Kind     lenient.Text
		Name     lenient.Text
		Title    lenient.Text
		Date     lenient.Time
		Accesses []struct{ Action, Resource lenient.Text }
	}
	if err := lenient.Unmarshal(raw, &entry); err != nil {
		return deployed{}, err
	}
	if entry.Kind != "flag" || len(entry.Accesses) == 0 {
		return deployed{}, errNotADeploy
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(string(entry.Accesses[0].Resource), ":") {
		key, value, _ := strings.Cut(part, "/")
		value, _, _ = strings.Cut(value, ";") // properties
		parts[key] = value
	}
	flag := cmp.Or(parts["flag"], string(entry.Name))
	return deployed{
		Service: parts["proj"], Version: strings.TrimSpace(flag + " " + string(entry.Accesses[0].Action)), Environment: parts["env"],
		Text: string(cmp.Or(entry.Title, entry.Name)), Time: entry.Date.Time, ID: "launchdarkly " + string(entry.ID), change: flagChange,
	}, nil
}

// readFlag reads a changed flag in Foresight's own form, for providers of
// OpenFeature that can call a webhook.
func readFlag(raw []byte) (deployed, error) {
	var flag struct {
		Flag, Value, Variant, Service, Environment, Text, ID lenient.Text
		Time                                                 lenient.Time
	}
	if err := lenient.Unmarshal(raw, &flag); err != nil {
		return deployed{}, err
	}
	version := strings.TrimSpace(string(flag.Flag + " " + cmp.Or(flag.Variant, flag.Value)))
	return deployed{
		Service: string(flag.Service), Version: version, Environment: string(flag.Environment), Text: string(cmp.Or(flag.Text, lenient.Text("flag "+version))),
		Time: flag.Time.Time, ID: string(flag.ID), change: flagChange,
	}, nil
}

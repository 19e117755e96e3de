package annotation

import (
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// A tag is a word, or "key:value" or "key=value".

// The keys that name a service and its version. Foresight writes "service" and
// "version".
var (
	serviceKeys = []string{"service_name", "service.name", "service", "app"}
	versionKeys = []string{"service_version", "service.version", "version", "tag", "release"}
)

const (
	idKey          = "foresight-id"
	stateKey       = "foresight" // feedback, or what was done about a recommendation
	serviceKey     = "service"
	versionKey     = "version"
	environmentKey = "environment"
	alertKey       = "alertname"
	severityKey    = "severity"
	signalKey      = "signal"
	playbookKey    = "playbook"
	actionKey      = "action"
	referenceKey   = "of" // the id of a recommendation
	outcomeKey     = "outcome"
	kindKey        = "kind" // of a change
)

// NotifiedTag marks that a notification was passed on.
const NotifiedTag = stateKey + ":notified"

// AlertTag, IncidentTag and ChangeTag are the words that mark alerts, incidents and
// other changes.
const (
	AlertTag    = "alert"
	IncidentTag = "incident"
	ChangeTag   = "change"
)

// IDTag is the tag by which an annotation is found again.
func IDTag(id string) string { return tag(idKey, id) }

func tag(key, value string) string { return key + ":" + value }

// maxValue is what the databases below Grafana take of a tag's value, in bytes.
const maxValue = 100

// encode are the tags of pairs of a key and a value; a pair without a value has
// none. Grafana separates tags by commas.
func encode(pairs ...string) []string {
	var tags []string
	for i := 0; i < len(pairs); i += 2 {
		if value := upstream.Clean(strings.ReplaceAll(pairs[i+1], ",", ";"), maxValue); value != "" {
			tags = append(tags, tag(pairs[i], value))
		}
	}
	return tags
}

// fields are the tags of an annotation by their keys; words have none.
type fields struct {
	values map[string]string
	words  []string
}

func parse(tags []string) fields {
	f := fields{values: map[string]string{}}
	for _, t := range tags {
		i := strings.IndexAny(t, ":=")
		if i <= 0 {
			f.words = append(f.words, t)
			continue
		}
		key, value := strings.ToLower(t[:i]), strings.TrimSpace(t[i+1:])
		switch {
		case slices.Contains(serviceKeys, key):
			key = serviceKey
		case slices.Contains(versionKeys, key):
			key = versionKey
		}
		if f.values[key] == "" { // the first one counts
			f.values[key] = value
		}
	}
	return f
}

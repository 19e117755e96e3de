package signals

import (
	"regexp"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// naming is a way in which metrics name a service.
type naming struct {
	label      string
	namespaced bool // "namespace/name" names it too
	host       bool // "name.namespace.svc" names it too
}

var (
	// namings are the ways in which a service's own metrics name it. The job of a
	// target is "namespace/name" where it comes from OpenTelemetry.
	namings = ownNamings()
	// asClient is how the service graph names the service that calls.
	asClient      = naming{label: "client"}
	presetNamings = slices.Concat([]naming{asClient}, namings)
)

func ownNamings() (all []naming) {
	for _, label := range wellknown.ServiceLabels {
		all = append(all, naming{label: label})
	}
	return append(all, naming{label: "job", namespaced: true})
}

// matcher selects the metrics of a service.
func (n naming) matcher(service string) *labels.Matcher {
	if n.namespaced {
		return labels.MustNewMatcher(labels.MatchRegexp, n.label, "(.+/)?"+regexp.QuoteMeta(service))
	}
	if n.host {
		return labels.MustNewMatcher(labels.MatchRegexp, n.label, regexp.QuoteMeta(service)+`(\..+)?`)
	}
	return labels.MustNewMatcher(labels.MatchEqual, n.label, service)
}

// Matchers are the matchers by which metrics may name a service.
func Matchers(service string) (matchers []*labels.Matcher) {
	for _, n := range namings {
		matchers = append(matchers, n.matcher(service))
	}
	return matchers
}

package deploys

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
)

// Source says how the instant of a deploy is known.
type Source string

// The sources, the most trusted first: of a deploy that several know of, the
// first has the word on its instant.
const (
	FromMarker     Source = "marker"     // posted by a pipeline
	FromAnnotation Source = "annotation" // made in Grafana
	FromVersion    Source = "version"    // a service.version first seen in traces
	FromMetrics    Source = "metrics"    // an image or build information that changed
)

var sourceOrder = []Source{FromMarker, FromAnnotation, FromVersion, FromMetrics}

func (s Source) rank() int { return slices.Index(sourceOrder, s) }

// Log is a place where deploys are announced.
type Log struct {
	Source  Source
	Deploys annotation.Source[annotation.Deploy]
}

// sameDeploy is how far apart two sources may see one deploy where they do not
// both name its version: a rollout, or a pipeline that announces its end.
const sameDeploy = 10 * time.Minute

// announced are the deploys of a service (of all where it is empty) that were
// announced in a time. A source that fails is one less.
func (e Detector) announced(ctx context.Context, service string, from, to time.Time, basis *core.Provenance) (deploys []Deploy) {
	for _, source := range e.Logs {
		announced, warnings, err := source.Deploys.Read(ctx, from, to)
		basis.AddNotice(warnings...)
		if err != nil {
			basis.AddNotice(fmt.Sprintf("Announced deploys (%s) are unknown: %v", source.Source, err))
			continue
		}
		for _, d := range announced {
			if named, concerned := concerns(d, service); concerned {
				deploys = append(deploys, Deploy{
					Service: named, Version: d.Version, FirstSeen: d.At, LastSeen: d.At, Arrived: true, At: d.At, Source: source.Source, Note: d.Text,
				})
			}
		}
	}
	return deploys
}

// concerns says whether an announced deploy is of a service, and under which name. One
// that names no service by a key is about those that its words or its text
// name; where a service is asked for and none is named, about that.
func concerns(d annotation.Deploy, service string) (named string, concerned bool) {
	switch {
	case d.Service != "" || service == "":
		return d.Service, service == "" || d.Service == service
	case len(d.Words) > 0:
		return service, slices.Contains(d.Words, service)
	}
	word, err := regexp.Compile(`(^|[^\w-])` + regexp.QuoteMeta(service) + `($|[^\w-])`)
	return service, err == nil && (d.Text == "" || word.MatchString(d.Text))
}

// mergeDeploys puts deploys that were announced, or that metrics show, beside
// those that traces show; of one deploy the most trusted source has the word.
func mergeDeploys(seen, others []Deploy) []Deploy {
	merged := slices.Clone(seen)
	slices.SortStableFunc(others, func(a, b Deploy) int {
		return cmp.Or(cmp.Compare(a.Source.rank(), b.Source.rank()), a.At.Compare(b.At))
	})
	for _, other := range others {
		at := nearest(merged, other)
		if at < 0 {
			merged = append(merged, besides(merged, other))
			continue
		}
		if known := &merged[at]; other.Source.rank() < known.Source.rank() {
			known.At, known.Source, known.Note = other.At, other.Source, other.Note
		} else if other.InTraces && !known.InTraces && other.Version == known.Version {
			known.InTraces, known.Previous = true, other.Previous
		}
	}
	slices.SortStableFunc(merged, func(a, b Deploy) int {
		return cmp.Or(a.Instant().Compare(b.Instant()), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Version, b.Version))
	})
	return merged
}

// Instant is when a version came: the deploy's instant, or its first span.
func (d Deploy) Instant() time.Time {
	if d.Arrived {
		return d.At
	}
	return d.FirstSeen
}

// Selectable says that spans carry both versions, so that each side's traces
// can be found by them.
func (d Deploy) Selectable() bool { return d.InTraces && d.Version != "" && d.Previous != "" }

// Start is from when on a deploy's traces may have come: its first span may be
// earlier than the word of who announced it.
func (d Deploy) Start() time.Time {
	if d.Selectable() && d.Source != FromVersion && d.FirstSeen.Before(d.At) {
		return d.FirstSeen
	}
	return d.At
}

// Name is the deploy's in a sentence.
func (d Deploy) Name() string {
	if d.Service == "" && d.Version == "" {
		return "A deploy"
	}
	return strings.TrimSpace(d.Service + " " + d.Version)
}

// Notices says who knows of the deploy, where it is not the traces themselves, and
// what that means.
func (d Deploy) Notices() (notices []string) {
	if d.Source != FromVersion {
		text := fmt.Sprintf("%s: the instant %s is that of %s", d.Name(), core.FormatTime(d.At), sourceNames[d.Source])
		if d.Note != "" {
			text += fmt.Sprintf(" (%s)", d.Note)
		}
		notices = append(notices, text+".")
	}
	if !d.Selectable() {
		notices = append(notices, "Spans do not carry both versions (service.version): the time after the deploy is compared with the time before it.")
	}
	return notices
}

var sourceNames = map[Source]string{
	FromMarker: "a posted marker", FromAnnotation: "an annotation in Grafana", FromVersion: "the first span", FromMetrics: "metrics",
}

// nearest is the place of the deploy that another source sees as well, negative
// for none.
func nearest(deploys []Deploy, other Deploy) int {
	best, distance := -1, sameDeploy
	for i, d := range deploys {
		bothNamed := d.Version != "" && other.Version != ""
		if !d.Arrived || d.Service != other.Service && other.Service != "" || bothNamed && d.Version != other.Version {
			continue
		}
		if apart := d.At.Sub(other.At).Abs(); apart <= distance {
			best, distance = i, apart
		}
	}
	return best
}

// besides is a deploy that traces do not show by themselves: of a version that
// they do not carry, or that ran before. Span metrics know what it came after;
// else that is the version that served last.
func besides(known []Deploy, d Deploy) Deploy {
	var latest time.Time
	for _, other := range known {
		if other.Service != d.Service || other.Version == "" {
			continue
		}
		if other.Version == d.Version {
			d.InTraces = d.InTraces || other.InTraces
			d.LastSeen, d.Share = other.LastSeen, other.Share
			continue
		}
		at := other.servedUntil(d.At)
		if d.Version != "" && !at.IsZero() && !at.Before(latest) && (d.Note != spanMetricsChanged || d.Previous == "") {
			latest, d.Previous = at, other.Version
		}
	}
	return d
}

// servedUntil is when a version last served before an instant, as far as is
// known; the zero time for not at all.
func (d *Deploy) servedUntil(instant time.Time) (last time.Time) {
	if len(d.Served) == 0 && d.Instant().Before(instant) {
		return d.Instant()
	}
	for _, s := range d.Served {
		if s.From.Before(instant) {
			last = s.To
		}
	}
	if last.After(instant) {
		return instant
	}
	return last
}

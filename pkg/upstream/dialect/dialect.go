// Package dialect lets metrics with well-known names be asked for by the names
// that Prometheus translates them to, where the server keeps OpenTelemetry's own,
// with dots.
package dialect

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// Metrics asks a server for well-known metrics under either of their names. What
// it answers has the names without dots. Servers without such names are asked
// what they always were, and once an hour which names they have.
func Metrics(server upstream.Metrics) upstream.Metrics { return metrics{server} }

type metrics struct{ upstream.Metrics }

const (
	// namesWindow is how far back names are looked for, and namesGrid what the
	// window is aligned to, so that the list is cached.
	namesWindow, namesGrid = 2 * time.Hour, time.Hour
	// maxParsed bounds the expressions that are read: parsing takes time that grows
	// with the square of their length.
	maxParsed = 16 << 10
)

// spelling are the well-known names that a server has, with dots and without.
type spelling map[string]bool

// dotted is the name under which the server has a metric; empty for none.
func (s spelling) dotted(name string) string {
	if name == wellknown.TargetInfo {
		return name // its labels alone have dots
	}
	for _, one := range wellknown.DottedMetrics(name) {
		if s[one] {
			return one
		}
	}
	return ""
}

var knownNames = func() string {
	var quoted []string
	for _, name := range wellknown.AllDotted() {
		quoted = append(quoted, regexp.QuoteMeta(name), wellknown.Underscored(name))
	}
	return labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, strings.Join(quoted, "|")).String()
}()

// spelling is best effort: a server that does not list names is asked as ever.
func (m metrics) spelling(ctx context.Context, at time.Time) spelling {
	end := at.Truncate(namesGrid).Add(namesGrid)
	names, _, err := m.Metrics.LabelValues(ctx, model.MetricNameLabel, []string{"{" + knownNames + "}"}, end.Add(-namesWindow), end)
	if err != nil || !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, ".") }) {
		return nil
	}
	known := spelling{}
	for _, name := range names {
		known[name] = true
	}
	return known
}

// QueryRange implements upstream.Metrics.
func (m metrics) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	if len(promQL) > maxParsed || !mentionsKnown(promQL) {
		return m.Metrics.QueryRange(ctx, promQL, window)
	}
	spelled, changed := rewritten(promQL, m.spelling(ctx, window.End))
	if !changed {
		return m.Metrics.QueryRange(ctx, promQL, window)
	}
	set, err := m.Metrics.QueryRange(ctx, spelled, window)
	set.Series = slices.Clone(set.Series) // shared with other askers
	for i := range set.Series {
		set.Series[i].Labels = underscored(set.Series[i].Labels)
	}
	slices.SortFunc(set.Series, func(a, b series.Series) int { return strings.Compare(a.Labels.String(), b.Labels.String()) })
	return set, err
}

// LabelValues implements upstream.Metrics.
func (m metrics) LabelValues(ctx context.Context, label string, selectors []string, start, end time.Time) ([]string, []string, error) {
	values, warnings, err := m.Metrics.LabelValues(ctx, label, selectors, start, end)
	if err != nil {
		return values, warnings, err
	}
	byName := label == model.MetricNameLabel
	if !byName && wellknown.DottedLabel(label) == label {
		return values, warnings, nil
	}
	known := m.spelling(ctx, end)
	if known == nil {
		return values, warnings, nil
	}
	queried, back := known.selectors(selectors)
	if len(selectors) > 0 && len(queried) == 0 {
		return values, warnings, nil
	}
	more, notes, err := m.Metrics.LabelValues(ctx, wellknown.DottedLabel(label), queried, start, end)
	if err != nil {
		return values, warnings, err
	}
	all := slices.Clone(values)
	for _, value := range more {
		if byName {
			all = append(all, back[value]...)
		} else {
			all = append(all, value)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), slices.Concat(warnings, notes), nil
}

// selectors are those of well-known metrics under the server's names, and which
// names stand for which.
func (s spelling) selectors(selectors []string) (queried []string, back map[string][]string) {
	back = map[string][]string{}
	for _, selector := range selectors {
		matchers, err := promQLParser.ParseMetricSelector(selector)
		if err != nil {
			continue
		}
		var names []string
		for i, matcher := range matchers {
			if matcher.Name != model.MetricNameLabel {
				matchers[i] = labels.MustNewMatcher(matcher.Type, wellknown.DottedLabel(matcher.Name), matcher.Value)
				continue
			}
			for _, name := range strings.Split(matcher.Value, "|") {
				if dotted := s.dotted(name); dotted != "" {
					names = append(names, regexp.QuoteMeta(dotted))
					back[dotted] = append(back[dotted], name)
				}
			}
			matchers[i] = labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, strings.Join(names, "|"))
		}
		if len(names) > 0 {
			queried = append(queried, (&parser.VectorSelector{LabelMatchers: matchers}).String())
		}
	}
	return queried, back
}

var promQLParser = parser.NewParser(parser.Options{EnableExperimentalFunctions: true})

// stems are what the names of metrics that may have dots begin with.
var stems = func() (stems []string) {
	for _, name := range wellknown.AllDotted() {
		stems = append(stems, wellknown.Underscored(name))
	}
	return stems
}()

func mentionsKnown(promQL string) bool {
	return strings.Contains(promQL, wellknown.TargetInfo) || slices.ContainsFunc(stems, func(stem string) bool { return strings.Contains(promQL, stem) })
}

// rewritten is an expression with the server's names of metrics and labels, beside
// the expression itself where the server has its names, too.
func rewritten(promQL string, known spelling) (spelled string, changed bool) {
	if known == nil {
		return promQL, false
	}
	parsed, err := promQLParser.ParseExpr(promQL)
	if err != nil || parsed.Type() != parser.ValueTypeVector {
		return promQL, false
	}
	both := false
	for _, selector := range parser.ExtractSelectors(parsed) {
		for _, matcher := range selector {
			both = both || matcher.Name == model.MetricNameLabel && known[matcher.Value]
		}
	}
	changed = known.rename(parsed)
	if spelled = parsed.String(); both {
		spelled = "(" + promQL + ") or (" + spelled + ")"
	}
	return spelled, changed
}

// rename changes the names below a node, and says whether there was one to
// change. Labels keep theirs where their metrics do.
func (s spelling) rename(node parser.Node) (changed bool) {
	for child := range parser.ChildrenIter(node) {
		changed = s.rename(child) || changed
	}
	switch n := node.(type) {
	case *parser.VectorSelector:
		return s.renameSelector(n)
	case *parser.AggregateExpr:
		if changed {
			n.Grouping = dottedLabels(n.Grouping)
		}
	case *parser.BinaryExpr:
		if changed && n.VectorMatching != nil {
			n.VectorMatching.MatchingLabels = dottedLabels(n.VectorMatching.MatchingLabels)
			n.VectorMatching.Include = dottedLabels(n.VectorMatching.Include)
		}
	}
	return changed
}

func (s spelling) renameSelector(n *parser.VectorSelector) bool {
	at := slices.IndexFunc(n.LabelMatchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	})
	if at < 0 {
		return false
	}
	name := s.dotted(n.LabelMatchers[at].Value)
	if name == "" {
		return false
	}
	n.Name = "" // a name with dots is printed as a matcher
	for i, matcher := range n.LabelMatchers {
		value := matcher.Value
		if i == at {
			value = name
		}
		n.LabelMatchers[i] = labels.MustNewMatcher(matcher.Type, wellknown.DottedLabel(matcher.Name), value)
	}
	return true
}

func dottedLabels(names []string) []string {
	renamed := make([]string, len(names))
	for i, name := range names {
		renamed[i] = wellknown.DottedLabel(name)
	}
	return renamed
}

// underscored are labels with the names of the catalogue.
func underscored(set series.Labels) series.Labels {
	renamed := maps.Clone(set)
	for name, value := range set {
		if clean := wellknown.Underscored(name); clean != name && wellknown.DottedLabel(clean) == name {
			delete(renamed, name)
			if renamed[clean] == "" {
				renamed[clean] = value
			}
		}
	}
	return renamed
}

package core

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBind(t *testing.T) {
	shop := labels.MustNewMatcher(labels.MatchEqual, "service", "shop")
	version := labels.MustNewMatcher(labels.MatchRegexp, "service.version", "1|2")
	for template, want := range map[string]string{
		"max(used)": `max(used{service="shop","service.version"=~"1|2"})`,
		`sum(rate(calls_total{code!="0"}[1m])) / max(limit)`: `sum(rate(calls_total{code!="0",service="shop","service.version"=~"1|2"}[90s]))` +
			` / max(limit{service="shop","service.version"=~"1|2"})`,
	} {
		parsed, err := parsePromQL(want)
		require.NoError(t, err)
		require.Equal(t, parsed.String(), Bind(template, 90*time.Second, shop, version))
	}
	require.Panics(t, func() { Bind("max(used{$service})", time.Minute) })
}

// readable leaves out the replacement character, which Prometheus' parser takes
// for broken UTF-8.
func readable(name string) bool { return !strings.ContainsRune(name, utf8.RuneError) }

// TestBoundValuesStayValues: no name of a service closes the literal it is in.
func TestBoundValuesStayValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		service := labels.MustNewMatcher(labels.MatchEqual, "service", rapid.String().Filter(readable).Draw(t, "name"))
		parsed, err := parsePromQL(Bind("sum(rate(calls_total[1m]))", time.Minute, service))
		require.NoError(t, err)
		values := map[string]string{}
		for _, m := range parser.ExtractSelectors(parsed)[0] {
			values[m.Name] = m.Value
		}
		require.Equal(t, map[string]string{"__name__": "calls_total", "service": service.Value}, values)
	})
}

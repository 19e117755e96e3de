package core

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

func TestFiltered(t *testing.T) {
	for name, test := range map[string]struct {
		promQL  string
		filters []query.Filter
		want    string
	}{
		"none":          {"what ever (it is", nil, "what ever (it is"},
		"one":           {`rate(calls[5m])`, []query.Filter{{Key: "job", Value: `a"b`}}, `rate(calls{job="a\"b"}[5m])`},
		"every":         {`sum(a{x="1"}) / b offset 1h`, []query.Filter{{Key: "job", Operator: "!~", Value: "x|y"}}, `sum(a{job!~"x|y",x="1"}) / b{job!~"x|y"} offset 1h`},
		"inner":         {`max_over_time(rate(a[5m])[1h:1m] @ end())`, []query.Filter{{Key: "job", Operator: "=", Value: ""}}, `max_over_time(rate(a{job=""}[5m])[1h:1m] @ end())`},
		"no series":     {`vector(1)`, []query.Filter{{Key: "job", Value: "x"}}, `vector(1)`},
		"contradiction": {`a{job="y"}`, []query.Filter{{Key: "job", Value: "x"}}, `a{job="x",job="y"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := filtered(test.promQL, test.filters)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			if len(test.filters) > 0 {
				_, err = parser.NewParser(parser.Options{}).ParseExpr(got)
				require.NoError(t, err)
			}
		})
	}
	_, err := filtered("a b c", []query.Filter{{Key: "job", Value: "x"}})
	require.ErrorContains(t, err, "filters need an expr that is PromQL")
	_, err = filtered("a", []query.Filter{{Key: "job", Operator: "=~", Value: "("}})
	require.ErrorContains(t, err, "cannot be used")
}

// TestFiltersDoNotMultiply has as many selectors and filters as a query may
// have: what would become megabytes is refused at once.
func TestFiltersDoNotMultiply(t *testing.T) {
	var filters []query.Filter
	for i := range 50 {
		filters = append(filters, query.Filter{Key: "a", Operator: "=~", Value: strings.Repeat("x", 1000) + strconv.Itoa(i)})
	}
	for name, test := range map[string]struct {
		promQL  string
		filters []query.Filter
	}{
		"length":    {"a" + strings.Repeat("+a", 32_000), filters[:1]},
		"selectors": {"a" + strings.Repeat("+a", 8_000), filters[:1]},
		"bytes":     {"a" + strings.Repeat("+a", 900), filters},
	} {
		begun := time.Now()
		_, err := filtered(test.promQL, test.filters)
		require.ErrorContains(t, err, "at most", name)
		require.Less(t, time.Since(begun), 5*time.Second, name)
	}
	_, err := filtered("a"+strings.Repeat("+a", 50), filters[:3])
	require.NoError(t, err)
}

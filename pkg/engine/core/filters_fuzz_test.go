package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/promqltest"
	"github.com/foresight-observability/foresight/pkg/query"
)

// FuzzFilters checks that a dashboard's filter adds a matcher to each selector and
// changes nothing else.
func FuzzFilters(f *testing.F) {
	operators := []string{"=", "!=", "=~", "!~"}
	for _, value := range []string{"a", `a"b`, "x'y", "`", `\`, "a\nb", `"} or vector(0) #`, ".*", "("} {
		f.Add("job", uint8(0), value)
		f.Add(value, uint8(2), value)
	}
	const expr = `sum by (le) (rate(a{x="1"}[5m])) / on () max_over_time(b[1h:1m] offset 5m) > bool 1`
	bare, before, err := promqltest.Shape(expr)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, key string, operator uint8, value string) {
		one := query.Filter{Key: key, Operator: operators[int(operator)%len(operators)], Value: value}
		if (query.Breach{Expr: expr, Filters: []query.Filter{one}, Threshold: new(1.0)}).WithDefaults().Validate() != nil {
			return
		}
		made, err := filtered(expr, []query.Filter{one})
		if err != nil {
			return
		}
		got, matchers, err := promqltest.Shape(made)
		require.NoError(t, err, made)
		require.Equal(t, bare, got)
		require.Len(t, matchers, len(before)+2, made)
		added := 0
		for _, m := range matchers {
			if m.Name == key && m.Value == value && m.Type.String() == one.Operator {
				added++
			}
		}
		require.GreaterOrEqual(t, added, 2, made)
	})
}

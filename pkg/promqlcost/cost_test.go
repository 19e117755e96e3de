package promqlcost

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/budget"
)

var over = Window{Start: time.Unix(0, 0), End: time.Unix(3600, 0), Step: time.Minute}

// nested puts an expression into a pattern with %s again and again.
func nested(pattern, innermost string, times int) string {
	for range times {
		innermost = strings.Replace(pattern, "%s", innermost, 1)
	}
	return innermost
}

func check(t *testing.T, text string) error {
	t.Helper()
	expr, err := Parse(parser.NewParser(parser.Options{}), text)
	if err != nil {
		return err
	}
	_, err = Check(t.Context(), expr, over)
	return err
}

func TestTooMuchIsRefused(t *testing.T) {
	twice := `label_replace(%s, "a", "` + strings.Repeat("$1", 500) + `", "a", "(.*)")`
	start := `label_replace(vector(1), "a", "` + strings.Repeat("x", 1000) + `", "", "")`
	for name, text := range map[string]string{
		"labels that multiply":          nested(twice, start, 4),
		"a label that multiplies once":  nested(twice, start, 1),
		"of a selector":                 nested(twice, `foresight_up`, 1),
		"by name of a group":            `label_replace(foresight_up, "a", "` + strings.Repeat("${x}", 100) + `", "b", "(?P<x>.*)")`,
		"in brackets":                   `label_replace((foresight_up), ("a"), ("` + strings.Repeat("$1", 100) + `"), "b", "(.*)")`,
		"labels that are joined":        nested(`label_join(%s, "a", "", `+strings.Repeat(`"a",`, 49)+`"a")`, start, 2),
		"a long separator":              `label_join(foresight_up, "a", "` + strings.Repeat("-", 200) + `", ` + strings.Repeat(`"a",`, 99) + `"b")`,
		"joined with replaced":          `label_join(` + start + `, "b", "", ` + strings.Repeat(`"a",`, 20) + `"a")`,
		"carried through an operator":   nested(twice, `(foresight_up * on () group_left(a) `+start+`)`, 1),
		"carried through a sum":         nested(twice, `sum by (a) (`+start+`)`, 1),
		"carried through a subquery":    nested(twice, `max_over_time(`+start+`[5m:1m])`, 1),
		"many labels":                   many(`label_replace(%s, "l%d", "$1", "a", "(.*)")`, `foresight_up`, 127),
		"nested subqueries":             nested(`quantile_over_time(0.5, %s[1000m:1m])`, `vector(1)`, 100),
		"subqueries of the same depth":  strings.Repeat(`max_over_time(vector(1)[100d:1m]) + `, 10) + "1",
		"centuries":                     nested(`max_over_time(%s[290y:1s])`, `vector(1)`, 3),
		"a long range at every step":    `quantile_over_time(0.5, foresight_up[365d])`,
		"a fine subquery":               `max_over_time(vector(1)[1d:1ms])`,
		"deep":                          nested(`-(%s)`, `1`, 100),
		"brackets alone":                strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
		"signs":                         strings.Repeat("-", 5000) + "foresight_up",
		"signs between spaces":          strings.Repeat("- + ", 2000) + "foresight_up",
		"signs between comments":        strings.Repeat("-#\n", 3000) + "foresight_up",
		"a long sum":                    strings.Repeat("1+", 8000) + "1",
		"long":                          strings.Repeat(`foresight_up or `, 2000) + "foresight_up",
		"wide":                          `foresight_up + (` + strings.Repeat(`(1 + 1 + 1 + 1 + 1) + `, 110) + "1)",
		"a regular expression":          `label_replace(foresight_up, "a", "$1", "b", "(ab){900}")`,
		"a long regular expression":     `label_replace(foresight_up, "a", "$1", "b", "` + strings.Repeat("x|", 600) + `")`,
		"a regular expression in a sum": `sum(label_replace(foresight_up, "a", "$1", "b", "(\\pL{1,300}){3}"))`,
	} {
		t.Run(name, func(t *testing.T) {
			err := check(t, text)
			var refused *budget.Refused
			require.ErrorAs(t, err, &refused)
			require.Equal(t, budget.OfRequest, refused.Scope)
			require.Less(t, len(err.Error()), 300)
		})
	}
}

// many nests a pattern that takes the expression and a number.
func many(pattern, innermost string, times int) string {
	for i := range times {
		innermost = fmt.Sprintf(pattern, innermost, i)
	}
	return innermost
}

func TestUsualExpressionsAreEvaluated(t *testing.T) {
	for _, text := range []string{
		`vector(1)`,
		`foresight_forecast{service="cart", lead="10m", quantile="0.95"}`,
		`sum by (service) (foresight_predicted_demand{service=~"a|b|c"}) / 100`,
		`label_replace(foresight_anomaly_score{service="cart"}, "deployment", "$1-v2", "service", "(.*)")`,
		many(`label_replace(%s, "l%d", "$1", "service", "([a-z]+)-.*")`, `foresight_anomaly_score`, 8),
		`label_join(foresight_anomaly_score, "id", "/", "namespace", "service", "signal")`,
		`max_over_time(foresight_anomaly_score{service="cart"}[30m:1m]) > bool 75`,
		`quantile_over_time(0.9, foresight_anomaly_score{service="cart"}[1d])`,
		`count_values("score", foresight_anomaly_score)`,
		strings.Repeat(`foresight_anomaly_score{service="a"} or `, 50) + `vector(0)`,
		nested(`max_over_time(%s[1h:1m])`, `foresight_up`, 5),
	} {
		require.NoError(t, check(t, text), text)
	}
	month := Window{Start: time.Unix(0, 0), End: time.Unix(30*86400, 0), Step: 4 * time.Minute}
	expr, err := Parse(parser.NewParser(parser.Options{}), `avg_over_time(foresight_anomaly_score{service="cart"}[1h]) + 1`)
	require.NoError(t, err)
	_, err = Check(t.Context(), expr, month)
	require.NoError(t, err)
}

// TestSelectedSeries multiplies labels by as many series as are found, and no
// sooner: a few short ones pass, many long ones do not.
func TestSelectedSeries(t *testing.T) {
	expr, err := Parse(parser.NewParser(parser.Options{}), many(`label_replace(%s, "l%d", "$1", "a", "(.*)")`, `foresight_up`, 10))
	require.NoError(t, err)
	found := func(n, length int) (all []labels.Labels) {
		for range n {
			all = append(all, labels.FromStrings("a", strings.Repeat("x", length)))
		}
		return all
	}
	ctx, err := Check(t.Context(), expr, over)
	require.NoError(t, err)
	require.NoError(t, Selected(ctx, found(2000, 20)))
	require.ErrorContains(t, Selected(ctx, found(2000, 1000)), "bytes of labels")
	require.NoError(t, Selected(t.Context(), found(2000, 1000)), "outside of an evaluation nothing is watched")
}

// TestBoundsHold compares the estimate with what Prometheus' engine makes of it.
func TestBoundsHold(t *testing.T) {
	expr, err := Parse(parser.NewParser(parser.Options{}),
		`label_join(label_replace(foresight_up, "b", "<$1$1>", "a", "(.*)"), "c", "--", "a", "b", "missing")`)
	require.NoError(t, err)
	cost := Of(expr, Window{}, Labels{Value: 10})
	// b is <aa>: 6 bytes of the text and twice 10; c is a--b--missing.
	require.EqualValues(t, 6+2*10, Of(expr.(*parser.Call).Args[0], Window{}, Labels{Value: 10}).Label)
	require.EqualValues(t, 10+2+26+2+10+2, cost.Label)
}

// TestCopiesOfLabels counts the labels that results hold at once, not those that
// are gone by then.
func TestCopiesOfLabels(t *testing.T) {
	copies := func(text string) float64 {
		expr, err := Parse(parser.NewParser(parser.Options{}), text)
		require.NoError(t, err)
		return Of(expr, Window{}, Labels{Value: 10, All: 100}).Copies
	}
	require.EqualValues(t, 100, copies(`foresight_up`))
	require.EqualValues(t, 200, copies(`abs(foresight_up)`))
	require.EqualValues(t, 200, copies(nested(`abs(%s)`, `foresight_up`, 50)))
	require.EqualValues(t, 300, copies(`foresight_up or foresight_up or foresight_up`))
	require.EqualValues(t, 400, copies(`foresight_up * on (a) group_left (b) foresight_up`))
	require.EqualValues(t, 52*100, copies(strings.Repeat(`foresight_up + (`, 50)+`foresight_up`+strings.Repeat(`)`, 50)), "each left side waits for its right one")
}

// TestWideSeries has labels whose copies take too much, though each is short.
func TestWideSeries(t *testing.T) {
	memory := budget.NewGate(budget.Shares{What: "memory", Total: 100 << 20})
	ctx, account := budget.Open(t.Context(), memory, 100<<20)
	defer account.Close()
	expr, err := Parse(parser.NewParser(parser.Options{}), `foresight_up * on (l1) group_left (l2) foresight_up`)
	require.NoError(t, err)
	ctx, err = Check(ctx, expr, over)
	require.NoError(t, err)
	wide := map[string]string{}
	for i := range 200 {
		wide[fmt.Sprintf("l%d", i)] = strings.Repeat("x", 500)
	}
	var refused *budget.Refused
	require.ErrorAs(t, Selected(ctx, slices.Repeat([]labels.Labels{labels.FromMap(wide)}, 400)), &refused)
}

func TestVisitsOfAllSeries(t *testing.T) {
	expr, err := Parse(parser.NewParser(parser.Options{}), `quantile_over_time(0.5, foresight_up[100d])`)
	require.NoError(t, err)
	ctx, err := Check(t.Context(), expr, over)
	require.NoError(t, err)
	one := labels.FromStrings("a", "b")
	require.NoError(t, Selected(ctx, slices.Repeat([]labels.Labels{one}, 20)))
	require.ErrorContains(t, Selected(ctx, slices.Repeat([]labels.Labels{one}, 20)), "of 40 series")
}

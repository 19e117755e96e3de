package accuracy

import (
	"strings"
	"time"
)

// The rules of grafana/promql-anomaly-detection (adaptive and robust) for one
// series. Their selection by labels is left out, and what runs every five
// minutes there runs at every point here; otherwise each recorded series is
// computed as there, with the same windows, offsets and constants.

// widest joins several bands by an aggregation that leaves out missing ones.
func widest(aggregation string, bands ...string) string {
	var joined strings.Builder
	for i, band := range bands {
		if i > 0 {
			joined.WriteString(" or ")
		}
		joined.WriteString(`label_replace(` + band + `, "band", "` + string(rune('a'+i)) + `", "", "")`)
	}
	return aggregation + " without(band) (" + joined.String() + ")"
}

const outsideBand = "level < lower or level > upper"

// ruleFor is how long the condition must hold.
const ruleFor = 5 * time.Minute

var adaptiveRules = []rule{
	{"level", "input > 0"},
	{"center", "avg_over_time(level[1h])"},
	{"wild", "stddev_over_time(level[1h]) > center * 0.5"},
	{"width", "avg_over_time(wild[26h])"},
	{"lower", "clamp_min(" + widest("min",
		"(center - 2 * width)", "(center - 0.5 * center)",
		"(avg_over_time(level[1h] offset 23h30m) - 2 * stddev_over_time(level[1h] offset 23h30m))",
		"(avg_over_time(level[1h] offset 167h30m) - 2 * stddev_over_time(level[1h] offset 167h30m))") + ", 0)"},
	{"upper", widest("max",
		"(center + 2 * width)", "(center + 0.5 * center)",
		"(avg_over_time(level[1h] offset 23h30m) + 2 * stddev_over_time(level[1h] offset 23h30m))",
		"(avg_over_time(level[1h] offset 167h30m) + 2 * stddev_over_time(level[1h] offset 167h30m))")},
	{"alert", outsideBand},
}

var robustRules = []rule{
	{"selected", "input > 0"},
	{"median", "quantile_over_time(0.5, selected[1d])"},
	{"deviation", "abs(selected - median)"},
	{"mad", "quantile_over_time(0.5, deviation[1d])"},
	{"level", "quantile_over_time(0.5, selected[1h])"},
	{"median_day", "quantile_over_time(0.5, selected[1h] offset 23h45m)"},
	{"deviation_day", "abs(selected offset 23h45m - median_day)"},
	{"mad_day", "quantile_over_time(0.5, deviation_day[1h])"},
	{"median_week", "quantile_over_time(0.5, selected[1h] offset 167h45m)"},
	{"deviation_week", "abs(selected offset 167h45m - median_week)"},
	{"mad_week", "quantile_over_time(0.5, deviation_week[1h])"},
	{"lower", "clamp_min(" + widest("min", "(median - 2 * mad)", "(median - 0.5 * median)",
		"(median_day - 2 * mad_day)", "(median_week - 2 * mad_week)") + ", 0)"},
	{"upper", widest("max", "(median + 2 * mad)", "(median + 0.5 * median)",
		"(median_day + 2 * mad_day)", "(median_week + 2 * mad_week)")},
	{"alert", outsideBand},
}

// lasting is on where a condition has held for as long as the rule asks.
func lasting(condition []bool, step time.Duration) []bool {
	points := int((ruleFor + step - 1) / step)
	on := make([]bool, len(condition))
	held := 0
	for i, v := range condition {
		held++
		if !v {
			held = 0
		}
		on[i] = held > points
	}
	return on
}

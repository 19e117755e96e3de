package frames

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// breachTable is a row per series, what is reached first at the top: when, in
// words, then how likely.
func breachTable(a engine.BreachAnswer, q query.Breach) data.Frames {
	names := seriesNames(q.Legend, q.Expr, labelsOf(a.Series, func(s engine.BreachSeries) series.Labels { return s.Labels }))
	notices := remarksOf(a.Provenance)
	rows := make([]breachRow, len(a.Series))
	for i, s := range a.Series {
		rows[i] = breachRow{s, names[i], breachWhen(a, s)}
		notices.addSeries(names[i], "", s.Result.Notices)
	}
	slices.SortStableFunc(rows, func(one, other breachRow) int { return one.when.compare(other.when) })
	if len(rows) == 0 {
		notices.add(data.NoticeSeverityInfo, noSeries)
	}
	frame := newFrame("breaches", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	moment := func(name, title string, at func(breachRow) time.Time) *data.Field {
		return column(rows, name, title, "", func(r breachRow) *time.Time {
			if !r.when.expected {
				return nil
			}
			return nullableTime(at(r))
		})
	}
	frame.Fields = data.Fields{
		column(rows, "series", "What", "", func(r breachRow) string { return r.name }),
		column(rows, "service", "Service", "", func(r breachRow) string { return wellknown.ServiceOf(r.Labels) }),
		column(rows, "when", "Reaches its limit", "", func(r breachRow) string { return r.when.text }),
		column(rows, "probability", "Probability", "percentunit", func(r breachRow) *float64 { return nullable(r.Result.Current()) }),
		column(rows, "value", "Now", "", func(r breachRow) *float64 { return nullable(anomaly.Latest(r.Result.Actual.Values)) }),
		column(rows, "limit", "Limit", "", func(breachRow) *float64 { return nullable(a.Threshold) }),
		moment("median", "Most likely at", func(r breachRow) time.Time { return r.Result.Median }),
		moment("early", "Not before (10 %)", func(r breachRow) time.Time { return r.Result.Early }),
		moment("late", "Not after (90 %)", func(r breachRow) time.Time { return r.Result.Late }),
		column(rows, "order", "Order", "", func(r breachRow) float64 { return r.when.order }),
	}
	return notices.attach(data.Frames{frame})
}

type breachRow struct {
	engine.BreachSeries
	name string
	when breachTime
}

// breachTime is when a limit is reached, in words and as a place in a list: the
// seconds until then, or more where that is not expected.
type breachTime struct {
	text     string
	order    float64
	expected bool
}

func (t breachTime) compare(other breachTime) int {
	switch {
	case t.order < other.order:
		return -1
	case t.order > other.order:
		return 1
	}
	return 0
}

// likely is the probability from which a time is given without "possibly".
const likely = 0.5

// unexpected is behind every time in the order of a list.
const unexpected = 1e9

// breachWhen is the answer to "when is the limit reached?".
func breachWhen(a engine.BreachAnswer, s engine.BreachSeries) breachTime {
	r, p := s.Result, s.Result.Current()
	within := "within " + query.Duration(a.Horizon).String()
	switch {
	case s.Problem != "":
		return breachTime{text: "unknown: " + s.Problem, order: 3 * unexpected}
	case math.IsNaN(p):
		return breachTime{text: "unknown: no recent sample", order: 3 * unexpected}
	case p < worthSaying || r.Median.IsZero():
		return breachTime{text: "not " + within, order: 2*unexpected - p}
	case p == 1 && r.Median.Equal(r.Late) && r.Median.Equal(r.Early):
		return breachTime{text: "reached", expected: true}
	}
	now := r.Actual.Time(r.Actual.Len() - 1)
	text := fmt.Sprintf("in %s (%s to %s)", ahead(r.Median.Sub(now)), ahead(r.Early.Sub(now)), ahead(r.Late.Sub(now)))
	if p < likely {
		text = "possibly " + text
	}
	return breachTime{text: text, order: r.Median.Sub(now).Seconds(), expected: true}
}

// ahead is a time from now on, for people: "38 min", "1 h 5 min", "2 d 3 h".
func ahead(d time.Duration) string {
	minutes := max(int(math.Ceil(d.Minutes())), 1)
	hours := minutes / 60
	switch {
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case hours < 24 && minutes%60 == 0:
		return fmt.Sprintf("%d h", hours)
	case hours < 24:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	case hours%24 == 0:
		return fmt.Sprintf("%d d", hours/24)
	}
	return fmt.Sprintf("%d d %d h", hours/24, hours%24)
}

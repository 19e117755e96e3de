package frames

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestAlertLabels(t *testing.T) {
	labels := series.Labels{
		"__name__": "up", "service.name": "a", "service_name": "b", "0zone": "x", "größe": "y", "": "z",
		"service.version": "2", "pod": "p-1", "traceID": "ff", "empty": "", "bad": "\xff",
	}
	kept, dropped := series.InstanceLabels([]series.Labels{labels})
	require.Equal(t, []series.Labels{{"service_name": "a;b", "_0zone": "x", "gr__e": "y", "_": "z", "bad": "�"}}, kept)
	require.Equal(t, []string{"pod", "service_version", "traceID"}, dropped)
}

// TestAlertKeepsLabelsThatTellSeriesApart: labels that change with a deploy are
// left out only where the instances stay apart without them.
func TestAlertKeepsLabelsThatTellSeriesApart(t *testing.T) {
	kafka := engine.ForecastAnswer{}
	for _, pod := range []string{"kafka-0", "kafka-1", "kafka-2"} {
		kafka.Series = append(kafka.Series, engine.ForecastSeries{Labels: series.Labels{"namespace": "data", "pod": pod, "image": "kafka:4"}})
	}
	frames, err := Forecast(kafka, query.Forecast{}, query.Alert)
	require.NoError(t, err)
	require.Len(t, frames[0].Fields, 3)
	for i, field := range frames[0].Fields {
		require.Equal(t, data.Labels{"namespace": "data", "pod": fmt.Sprintf("kafka-%d", i)}, field.Labels)
	}
	require.Contains(t, frames[0].Meta.Notices[0].Text, "left out of alerts: image.")

	apart := engine.ForecastAnswer{Series: []engine.ForecastSeries{
		{Labels: series.Labels{"service_name": "a", "pod": "a-7f9"}}, {Labels: series.Labels{"service_name": "b", "pod": "b-1c2"}},
	}}
	frames, err = Forecast(apart, query.Forecast{}, query.Alert)
	require.NoError(t, err)
	require.Equal(t, data.Labels{"service_name": "b"}, frames[0].Fields[1].Labels)
}

func TestAlertRefusesEqualLabels(t *testing.T) {
	same := engine.ForecastAnswer{Series: []engine.ForecastSeries{
		{Labels: series.Labels{"service_name": "a"}}, {Labels: series.Labels{"service_name": "a", "empty": ""}},
	}}
	_, err := Forecast(same, query.Forecast{}, query.Alert)
	require.EqualError(t, err, `more than one series has the labels {service_name="a"}: `+
		`aggregate the query so that one series is left for each, as in sum by (service_name) (...)`)
	var fault *engine.UserError
	require.ErrorAs(t, err, &fault, "the author of the query can correct it")

	byName := engine.ForecastAnswer{Series: []engine.ForecastSeries{
		{Labels: series.Labels{"__name__": "a"}}, {Labels: series.Labels{"__name__": "b"}},
	}}
	told, err := Forecast(byName, query.Forecast{}, query.Alert)
	require.NoError(t, err, "the metric's name tells them apart")
	require.Equal(t, data.Labels{"metric": "a"}, told[0].Fields[0].Labels)
	require.Equal(t, data.Labels{"metric": "b"}, told[0].Fields[1].Labels)
}

func TestFormatsThatDoNotExist(t *testing.T) {
	_, err := Forecast(engine.ForecastAnswer{}, query.Forecast{}, query.Annotations)
	require.EqualError(t, err, `forecast answers have no format "annotations"`)
	_, err = Names(engine.NamesAnswer{}, query.TypeVersions, query.Alert)
	require.EqualError(t, err, `versions answers have no format "alert"`)
	_, err = Deploys(engine.DeploysAnswer{}, "pie")
	require.Error(t, err)
	_, err = Anomaly(engine.AnomalyAnswer{}, query.Anomaly{}, "")
	require.Error(t, err)
	_, err = TraceDiff(engine.TraceDiffAnswer{}, query.TraceDiff{}, "")
	require.Error(t, err)
}

func TestSeriesNames(t *testing.T) {
	a := series.Labels{"service_name": "a", "env": "prod", "zone": "1"}
	b := series.Labels{"service_name": "b", "env": "prod"}
	for name, test := range map[string]struct {
		legend, expr string
		labels       []series.Labels
		want         []string
	}{
		"what differs":       {"", "up", []series.Labels{a, b}, []string{"a 1", "b"}},
		"one series":         {"__auto", "up", []series.Labels{b}, []string{`{env="prod", service_name="b"}`}},
		"no labels":          {"", "sum(up)", []series.Labels{{}}, []string{"sum(up)"}},
		"legend":             {"{{ service_name }} in {{zone}}", "up", []series.Labels{a, b}, []string{"a in 1", "b in "}},
		"legend of nothing":  {"{{nothing}}", "up", []series.Labels{b}, []string{`{env="prod", service_name="b"}`}},
		"same legend":        {"x", "up", []series.Labels{b, b, b}, []string{"x", `x {env="prod", service_name="b"}`, `x {env="prod", service_name="b"} (2)`}},
		"name of a bound":    {"{{n}}", "up", []series.Labels{{"n": "x lower"}, {"n": "x"}}, []string{"x lower", `x {n="x"}`}},
		"distinguished less": {"", "up", []series.Labels{{"n": "x"}, {}}, []string{"x", "up"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, seriesNames(test.legend, test.expr, test.labels))
		})
	}
}

func TestUnion(t *testing.T) {
	grid := func(start, n int) series.Series {
		return series.Series{Start: noon.Add(time.Duration(start) * time.Minute), Step: time.Minute, Values: make([]float64, n)}
	}
	times, inA, inB := union(grid(0, 3), grid(2, 2))
	require.Equal(t, []time.Time{noon, noon.Add(time.Minute), noon.Add(2 * time.Minute), noon.Add(3 * time.Minute)}, times)
	require.Equal(t, []int{0, 1, 2, -1}, inA)
	require.Equal(t, []int{-1, -1, 0, 1}, inB)
	times, _, _ = union(grid(0, 0), grid(0, 0))
	require.Empty(t, times)
}

func TestLargeComparisonsAreCut(t *testing.T) {
	var paths []diff.Path
	for i := range 6000 {
		side := diff.PathSummary{Calls: 1, CallsPerRequest: 1, SelfTime: diff.Quantile{Mean: float64(i)}}
		path := diff.Path{Key: strconv.Itoa(i), Baseline: side, Candidate: side}
		if i > 0 {
			path.Parent = strconv.Itoa(i - 1) // one chain: the deepest is the widest of its own
		}
		paths = append(paths, path)
	}
	got, err := TraceDiff(engine.TraceDiffAnswer{Result: diff.Result{Paths: paths}}, query.TraceDiff{}, query.Panel)
	require.NoError(t, err)
	require.Equal(t, maxNodes, got[0].Rows())
	require.Equal(t, maxRows, got[2].Rows())
	require.Equal(t, int64(maxNodes-1), got[0].Fields[0].At(maxNodes-1), "callers are kept")
	require.Equal(t, []data.Notice{
		{Severity: data.NoticeSeverityWarning, Text: "The flame graph shows the 5000 widest of 6000 call paths."},
		{Severity: data.NoticeSeverityWarning, Text: "The table shows the first 1000 of 6000 call paths."},
	}, got[0].Meta.Notices)
}

func TestNoticesAreBoundedAndSaidOnce(t *testing.T) {
	a := engine.NamesAnswer{Names: []string{"a"}, Provenance: engine.Provenance{Notices: []string{"same", "", "same"}}}
	got, err := Names(a, query.TypeServices, query.Panel)
	require.NoError(t, err)
	require.Equal(t, []data.Notice{{Severity: data.NoticeSeverityWarning, Text: "same"}}, got[0].Meta.Notices)

	for i := range 50 {
		a.Notices = append(a.Notices, strconv.Itoa(i))
	}
	got, err = Names(a, query.TypeServices, query.Panel)
	require.NoError(t, err)
	require.Len(t, got[0].Meta.Notices, maxNotices+1)
	require.Equal(t, "31 more notices are not shown.", got[0].Meta.Notices[maxNotices].Text)
}

func TestANewLevelIsAnAnnotation(t *testing.T) {
	a := engine.AnomalyAnswer{Series: []engine.AnomalySeries{{
		Labels: series.Labels{"pod": "a"},
		Result: anomaly.Result{Shifts: []anomaly.Shift{{Time: noon, By: -3.5}}},
	}}}
	frames, err := Anomaly(a, query.Anomaly{Expr: "up"}, query.Annotations)
	require.NoError(t, err)
	require.Equal(t, 1, frames[0].Rows())
	raw, err := frames[0].MarshalJSON()
	require.NoError(t, err)
	require.Contains(t, string(raw), "3.5 lower than before")
	require.Contains(t, string(raw), "level-shift")
}

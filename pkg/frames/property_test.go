package frames_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/dataplane/sdata/numeric"
	"github.com/grafana/dataplane/sdata/timeseries"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// TestEveryFrameIsSound draws answers with any numbers, NaN and Inf among
// them, and holds every frame to what Grafana requires.
func TestEveryFrameIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]query.Format{query.Panel, query.Alert, query.Annotations}).Draw(t, "format")
		var shaped data.Frames
		var err error
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			if format == query.Annotations {
				format = query.Panel
			}
			q := query.Forecast{Expr: "up", Legend: legends.Draw(t, "legend"), Probability: 0.95}
			shaped, err = frames.Forecast(forecasts(t), q, format)
		case 1:
			shaped, err = frames.Anomaly(anomalies(t), query.Anomaly{Expr: "up", Legend: legends.Draw(t, "legend")}, format)
		case 2:
			shaped, err = frames.Deploys(deploys(t), format)
		case 3:
			shaped, err = frames.TraceDiff(traceDiffs(t), query.TraceDiff{}, format)
		}
		if err != nil {
			require.Equal(t, query.Alert, format)
			require.ErrorContains(t, err, "more than one series has the labels")
			return
		}
		require.NotEmpty(t, shaped)
		displayNames := map[string]bool{}
		for _, frame := range shaped {
			checkFrame(t, frame)
			if frame.Meta.Type == data.FrameTypeTimeSeriesMulti {
				checkBand(t, frame, displayNames)
			}
			if frame.Name == "flamegraph" {
				checkFlameGraph(t, frame, shaped[2].Rows())
			}
		}
		if format == query.Alert {
			checkAlert(t, shaped)
		}
		checkGrafanaReads(t, shaped)
	})
}

// checkGrafanaReads has the reader of Grafana's rules and expressions take the
// frames: every alert instance, and of panels one series per frame.
func checkGrafanaReads(t *rapid.T, shaped data.Frames) {
	switch shaped[0].Meta.Type {
	case data.FrameTypeNumericWide:
		reader, err := numeric.CollectionReaderFromFrames(shaped)
		require.NoError(t, err)
		collection, err := reader.GetCollection(false)
		require.NoError(t, err)
		require.NoError(t, collection.Warning)
		require.Len(t, collection.Refs, len(shaped[0].Fields))
	case data.FrameTypeTimeSeriesMulti:
		reader, err := timeseries.CollectionReaderFromFrames(shaped)
		require.NoError(t, err)
		collection, err := reader.GetCollection(false)
		require.NoError(t, err)
		require.NoError(t, collection.Warning)
		if len(shaped[0].Fields) == 0 {
			require.True(t, collection.NoData())
			return
		}
		require.Len(t, collection.Refs, len(shaped))
		for _, series := range collection.Refs {
			require.Equal(t, "actual", series.ValueField.Name)
		}
	}
}

func checkFrame(t *rapid.T, frame *data.Frame) {
	require.Equal(t, data.FrameTypeVersion{0, 1}, frame.Meta.TypeVersion)
	rows, err := frame.RowLen()
	require.NoError(t, err, "fields of equal length")
	for _, field := range frame.Fields {
		for i := range rows {
			value, known := field.ConcreteAt(i)
			number, isNumber := value.(float64)
			require.False(t, known && isNumber && (math.IsNaN(number) || math.IsInf(number, 0)), "%s of %s", field.Name, frame.Name)
			text, _ := value.(string)
			require.NotContains(t, text, "NaN")
			require.NotContains(t, text, "Inf")
		}
	}
	_, err = json.Marshal(frame)
	require.NoError(t, err)
	arrow, err := frame.MarshalArrow()
	require.NoError(t, err)
	_, err = data.UnmarshalArrowFrame(arrow)
	require.NoError(t, err)
}

// checkBand holds what the time series panel needs to draw the right band.
func checkBand(t *rapid.T, frame *data.Frame, displayNames map[string]bool) {
	for i, field := range frame.Fields {
		if i == 0 {
			for row := 1; row < field.Len(); row++ {
				require.True(t, field.At(row-1).(time.Time).Before(field.At(row).(time.Time)), "times ascend")
			}
			continue
		}
		require.False(t, displayNames[field.Config.DisplayNameFromDS], "display name %q is unique", field.Config.DisplayNameFromDS)
		displayNames[field.Config.DisplayNameFromDS] = true
		if below, filled := field.Config.Custom["fillBelowTo"]; filled {
			require.True(t, slices.ContainsFunc(frame.Fields[1:], func(f *data.Field) bool {
				return f.Name == "lower" && f.Config.DisplayNameFromDS == below
			}))
		}
	}
}

// checkAlert holds what the rule evaluator needs.
func checkAlert(t *rapid.T, shaped data.Frames) {
	require.Len(t, shaped, 1)
	require.Equal(t, data.FrameTypeNumericWide, shaped[0].Meta.Type)
	seen, lasting := map[string]bool{}, map[string]bool{}
	kept, equal := false, false
	for _, field := range shaped[0].Fields {
		stable := map[string]string{}
		require.Equal(t, data.FieldTypeNullableFloat64, field.Type())
		require.Equal(t, 1, field.Len())
		key := fmt.Sprint(map[string]string(field.Labels))
		require.False(t, seen[key], "labels %s are unique", key)
		seen[key] = true
		for name, value := range field.Labels {
			require.Regexp(t, `^[a-zA-Z_][a-zA-Z0-9_]*$`, name)
			require.NotEmpty(t, value)
			require.NotEqual(t, "__name__", name)
			if slices.Contains([]string{"pod", "service_version", "trace_id"}, name) {
				kept = true
			} else {
				stable[name] = value
			}
		}
		equal = equal || lasting[fmt.Sprint(stable)]
		lasting[fmt.Sprint(stable)] = true
	}
	require.False(t, kept && !equal, "labels that change with every deploy are kept only where they distinguish series")
}

// checkFlameGraph holds what the flame graph panel takes for granted: one
// root, levels without gaps, and a node as wide as itself and what it calls;
// and that every call path is there once.
func checkFlameGraph(t *rapid.T, frame *data.Frame, paths int) {
	if label := frame.Fields[1].At(0).(string); strings.HasPrefix(label, "all requests of ") {
		paths++
	}
	require.Equal(t, paths, frame.Rows())
	number := func(field, row int) float64 { return frame.Fields[field].At(row).(float64) }
	var callers []int
	children := make([][2]float64, frame.Rows())
	for row := range frame.Rows() {
		level := int(frame.Fields[0].At(row).(int64))
		require.Equal(t, row == 0, level == 0, "one root, in front")
		require.LessOrEqual(t, level, len(callers))
		callers = append(callers[:level], row)
		if level > 0 {
			children[callers[level-1]][0] += number(2, row)
			children[callers[level-1]][1] += number(4, row)
		}
	}
	for row := range frame.Rows() {
		require.InDelta(t, number(2, row), number(3, row)+children[row][0], 1e-6*(1+number(2, row)), "value = self + children")
		require.InDelta(t, number(4, row), number(5, row)+children[row][1], 1e-6*(1+number(2, row)+number(4, row)), "right value = self + children")
	}
}

var (
	numbers = rapid.OneOf(rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, math.MaxFloat64}), rapid.Float64())
	legends = rapid.SampledFrom([]string{"", "same", "{{service_name}}", "{{service_name}} lower", "__auto"})
	words   = rapid.SampledFrom([]string{"", "a", "a lower", "b", "ü,\"x\"", "\xff"})
)

func values(t *rapid.T, label string) []float64 {
	return rapid.SliceOfN(numbers, 0, 6).Draw(t, label)
}

func labels(t *rapid.T) series.Labels {
	names := rapid.SampledFrom([]string{"service_name", "service.name", "pod", "service_version", "trace_id", "__name__", "zone", "9"})
	return rapid.MapOfN(names, words, 0, 4).Draw(t, "labels")
}

func grid(t *rapid.T) series.Series {
	return series.Series{
		Start: noon.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "start")) * time.Minute),
		Step:  time.Minute, Values: values(t, "values"),
	}
}

func parameters(t *rapid.T) map[string]float64 {
	return map[string]float64{"alpha": numbers.Draw(t, "alpha")}
}

func basis(t *rapid.T) engine.Provenance {
	return engine.Provenance{
		Queries: []string{"up"}, Notices: rapid.SliceOfN(words, 0, 3).Draw(t, "notices"),
		Parameters: map[string]any{"x": numbers.Draw(t, "x"), "deep": map[string]any{"list": []any{numbers.Draw(t, "y")}}},
	}
}

func forecasts(t *rapid.T) engine.ForecastAnswer {
	a := engine.ForecastAnswer{Provenance: basis(t)}
	for range rapid.IntRange(0, 4).Draw(t, "series") {
		result := forecast.Result{
			Start: grid(t).Start, Step: time.Minute, Mean: values(t, "mean"), Model: words.Draw(t, "model"), Parameters: parameters(t),
			Error: numbers.Draw(t, "error"), NaiveError: numbers.Draw(t, "naive error"),
			Intervals: []forecast.Interval{{Probability: numbers.Draw(t, "p"), Lower: values(t, "lower"), Upper: values(t, "upper")}},
		}
		a.Series = append(a.Series, engine.ForecastSeries{Labels: labels(t), Actual: grid(t), Forecast: result, Problem: words.Draw(t, "problem")})
	}
	return a
}

func anomalies(t *rapid.T) engine.AnomalyAnswer {
	a := engine.AnomalyAnswer{Provenance: basis(t)}
	for range rapid.IntRange(0, 4).Draw(t, "series") {
		event := anomaly.Event{Start: noon, End: noon.Add(time.Minute), Score: numbers.Draw(t, "peak"),
			Actual: numbers.Draw(t, "actual"), Expected: numbers.Draw(t, "expected")}
		a.Series = append(a.Series, engine.AnomalySeries{Labels: labels(t), Problem: words.Draw(t, "problem"), Result: anomaly.Result{
			Actual: grid(t), Expected: values(t, "expected"), Lower: values(t, "lower"), Upper: values(t, "upper"),
			Score: values(t, "score"), Events: []anomaly.Event{event}, Model: words.Draw(t, "model"), Parameters: parameters(t),
		}})
	}
	return a
}

func deploys(t *rapid.T) engine.DeploysAnswer {
	a := engine.DeploysAnswer{Provenance: basis(t)}
	for range rapid.IntRange(0, 4).Draw(t, "deploys") {
		a.Deploys = append(a.Deploys, engine.Deploy{Service: words.Draw(t, "service"), Version: words.Draw(t, "version"),
			Share: numbers.Draw(t, "share"), Arrived: rapid.Bool().Draw(t, "arrived"), FirstSeen: noon,
			At: noon, Source: engine.DeploySource(words.Draw(t, "source")), Note: words.Draw(t, "note")})
	}
	return a
}

func traceDiffs(t *rapid.T) engine.TraceDiffAnswer {
	keys := rapid.SampledFrom([]string{"", "a", "b", "c", "d"}) // with orphans, duplicates and circles
	side := func() diff.PathSummary {
		quantile := diff.Quantile{Mean: numbers.Draw(t, "mean"), P50: numbers.Draw(t, "p50"), P99: numbers.Draw(t, "p99")}
		return diff.PathSummary{Calls: rapid.IntRange(0, 2).Draw(t, "calls"), CallsPerRequest: numbers.Draw(t, "calls per request"),
			ErrorRate: numbers.Draw(t, "error rate"), Duration: quantile, SelfTime: quantile}
	}
	aspects := rapid.SampledFrom([]diff.Aspect{diff.Latency, diff.SelfTime, diff.ErrorRate, diff.Calls, diff.New, diff.Gone, "other"})
	verdicts := rapid.SampledFrom([]diff.Verdict{diff.Regressed, diff.Improved, diff.Changed, diff.NoChange, diff.Insufficient, diff.NotComparable, ""})
	a := engine.TraceDiffAnswer{Provenance: basis(t), Service: words.Draw(t, "service"), Operation: words.Draw(t, "operation"),
		Result: diff.Result{Verdict: verdicts.Draw(t, "verdict"), Reason: words.Draw(t, "reason"), Candidate: diff.PopulationSummary{Start: noon}}}
	for range rapid.IntRange(0, 5).Draw(t, "paths") {
		a.Result.Paths = append(a.Result.Paths, diff.Path{
			Key: keys.Draw(t, "key"), Parent: keys.Draw(t, "parent"), Kind: trace.Kind(rapid.IntRange(0, 9).Draw(t, "kind")),
			Baseline: side(), Candidate: side(), Share: numbers.Draw(t, "share"),
			Findings: []diff.Finding{{Aspect: aspects.Draw(t, "aspect"), Effect: numbers.Draw(t, "effect"),
				Lower: numbers.Draw(t, "low"), Upper: numbers.Draw(t, "high"), PValue: numbers.Draw(t, "p")}},
		})
	}
	return a
}

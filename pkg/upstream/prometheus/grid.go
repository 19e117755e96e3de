package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// bytesPerPoint relates the size of an answer to the points that it may fill:
// an answer with a sample in every series but few samples each must not grow
// into many times its size.
const bytesPerPoint = 4

// grid collects samples on the points of a window. It trusts nothing that the
// server said: samples may repeat, lie between the points or outside.
type grid struct {
	ctx    context.Context // of the question that the rows are charged to
	window upstream.Range
	points int
	limit  int64 // points of all series together
	rows   map[string]*row

	histograms               map[string]bool // by metric
	infinite, moved, outside int
	cut                      int // values of labels
}

type row struct {
	labels series.Labels
	values []float64
}

func newGrid(ctx context.Context, window upstream.Range, points int, limit int64) *grid {
	return &grid{ctx: ctx, window: window, points: points, limit: max(limit, int64(points)), rows: map[string]*row{}, histograms: map[string]bool{}}
}

func (g *grid) time(i int) time.Time {
	return g.window.Start.Add(time.Duration(i) * g.window.Step)
}

// fill takes the answer to the part of the window from the first to the last
// point.
func (g *grid) fill(matrix model.Matrix, first, last int) error {
	for _, stream := range matrix {
		if stream == nil {
			continue
		}
		if len(stream.Histograms) > 0 {
			g.histograms[stream.Metric.String()] = true
		}
		if len(stream.Values) == 0 {
			continue
		}
		values, err := g.row(stream.Metric)
		if err != nil {
			return err
		}
		for _, sample := range stream.Values {
			g.place(values, sample, first, last)
		}
	}
	return nil
}

// row is the series of a metric. The key quotes the values of labels, so that
// no two metrics share one.
func (g *grid) row(metric model.Metric) ([]float64, error) {
	key := metric.String()
	if known, ok := g.rows[key]; ok {
		return known.values, nil
	}
	if int64(len(g.rows)+1)*int64(max(g.points, minPoints)) > g.limit {
		return nil, &upstream.Error{
			Upstream: Name, Category: upstream.TooLarge,
			Message: fmt.Sprintf("the answer has more than %d series of %d points each", len(g.rows), g.points),
			Advice:  "Aggregate, as with sum by (...), select fewer series, or raise the step",
		}
	}
	labels, size, err := g.labels(metric)
	if err != nil {
		return nil, err
	}
	if err := budget.Charge(g.ctx, size+int64(len(key)+8*g.points)); err != nil {
		return nil, err
	}
	values := series.Missing(g.points)
	g.rows[key] = &row{labels, values}
	return values, nil
}

// place puts a sample on the nearest point. VictoriaMetrics moves the points of
// long windows to multiples of the step.
func (g *grid) place(values []float64, sample model.SamplePair, first, last int) {
	offset := sample.Timestamp.Time().Sub(g.window.Start)
	if offset < -g.window.Step/2 || offset > time.Duration(g.points)*g.window.Step {
		g.outside++
		return
	}
	i := int((offset + g.window.Step/2) / g.window.Step)
	if i < first || i > last {
		g.outside++
		return
	}
	// Prometheus' own points are rounded to milliseconds.
	if (offset - time.Duration(i)*g.window.Step).Abs() > time.Millisecond {
		g.moved++
	}
	value := float64(sample.Value)
	if math.IsInf(value, 0) {
		g.infinite++
		value = math.NaN()
	}
	values[i] = value
}

// series are the rows, sorted by labels.
func (g *grid) series() []series.Series {
	keys := make([]string, 0, len(g.rows))
	for key := range g.rows {
		keys = append(keys, key)
	}
	names := make(map[string]string, len(keys))
	for _, key := range keys {
		names[key] = g.rows[key].labels.String()
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(names[a], names[b]), cmp.Compare(a, b)) })
	all := make([]series.Series, 0, len(keys))
	for _, key := range keys {
		all = append(all, series.Series{Labels: g.rows[key].labels, Start: g.window.Start, Step: g.window.Step, Values: g.rows[key].values})
	}
	return all
}

func (g *grid) warnings() []string {
	var all []string
	for _, one := range []struct {
		count int
		what  string
	}{
		{len(g.histograms), "series of native histograms are left out, as they are not numbers (use histogram_quantile, histogram_avg or histogram_count)"},
		{g.infinite, "infinite samples (a division by zero?) count as missing"},
		{g.moved, "samples between the points of the time range were moved to the nearest one"},
		{g.cut, fmt.Sprintf("values of labels are longer than %d bytes and were cut", maxLabelValue)},
		{g.outside, "samples outside the time range were left out"},
	} {
		if one.count > 0 {
			all = append(all, fmt.Sprintf("%s: %d", one.what, one.count))
		}
	}
	return all
}

package metrics

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/foresight-observability/foresight/pkg/anomaly/distribution"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// distributions judges the shapes of histograms, whose buckets are the series.
func (e Evaluator) distributions(ctx context.Context, q query.Anomaly, g core.Grid, answer *AnomalyAnswer) error {
	promQL, err := e.bucketsOf(ctx, q, g, &answer.Provenance)
	if err != nil {
		return err
	}
	histories, err := e.FilteredHistory(ctx, promQL, nil, g, &answer.Provenance)
	if err != nil {
		return err
	}
	over := cmp.Or(rangeOf(promQL), g.Step)
	byHistogram := map[string][]series.Series{}
	for _, bucket := range core.AlignAll(histories) {
		labels := maps.Clone(bucket.Labels)
		delete(labels, "le")
		byHistogram[labels.String()] = append(byHistogram[labels.String()], bucket)
	}
	names := slices.Sorted(maps.Keys(byHistogram))
	answer.Series = make([]AnomalySeries, len(names))
	remarks := make([][]string, len(names))
	err = core.EachSeries(ctx, len(names), func(i int) {
		buckets := byHistogram[names[i]]
		labels := maps.Clone(buckets[0].Labels)
		delete(labels, "le")
		answer.Series[i] = AnomalySeries{Labels: labels}
		histogram, err := distribution.New(buckets, over)
		if err != nil {
			answer.Series[i].Problem = err.Error()
			return
		}
		distances := histogram.Distance()
		result, err := distances.Judge(g.From, q.Threshold)
		answer.Series[i].Result, answer.Series[i].Problem = result, core.Problem(err)
		for _, event := range result.Events {
			remarks[i] = append(remarks[i], fmt.Sprintf("%s at %s: %s.", cmp.Or(labels.String(), "the histogram"), core.FormatTime(event.End), distances.Describe(event.End)))
		}
	})
	for _, said := range remarks {
		for _, text := range said {
			answer.AddRemark(text)
		}
	}
	return err
}

// rangeOf is the longest range of an expression's selectors; 0 for none.
func rangeOf(promQL string) (longest time.Duration) {
	parsed, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(promQL)
	if err != nil {
		return 0
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.MatrixSelector); is {
			longest = max(longest, selector.Range)
		}
		return nil
	})
	return longest
}

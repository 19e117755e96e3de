package objectives

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// openSpec is the specification of an SLO or an SLI of OpenSLO (openslo/v1).
type openSpec struct {
	Service      string        `yaml:"service"`
	Indicator    openIndicator `yaml:"indicator"`
	IndicatorRef string        `yaml:"indicatorRef"`
	Ratio        *openRatio    `yaml:"ratioMetric"` // of an SLI
	TimeWindow   []struct {
		Duration string `yaml:"duration"`
		Rolling  *bool  `yaml:"isRolling"`
		Calendar any    `yaml:"calendar"`
	} `yaml:"timeWindow"`
	Method     string `yaml:"budgetingMethod"`
	Objectives []struct {
		DisplayName   string  `yaml:"displayName"`
		Target        float64 `yaml:"target"`
		TargetPercent float64 `yaml:"targetPercent"`
	} `yaml:"objectives"`
}

type openIndicator struct {
	Spec struct {
		Ratio *openRatio `yaml:"ratioMetric"`
	} `yaml:"spec"`
}

type openRatio struct {
	Counter bool       `yaml:"counter"`
	Good    openMetric `yaml:"good"`
	Bad     openMetric `yaml:"bad"`
	Total   openMetric `yaml:"total"`
}

type openMetric struct {
	Source struct {
		Spec struct {
			Query  string `yaml:"query"`
			PromQL string `yaml:"promql"`
		} `yaml:"spec"`
	} `yaml:"metricSource"`
}

// settings are the objectives of an SLO.
func (s openSpec) settings(name string, indicators map[string]openSpec) ([]Setting, error) {
	ratio := cmp.Or(s.Indicator.Spec.Ratio, indicators[s.IndicatorRef].Ratio)
	switch {
	case name == "":
		return nil, errors.New("it has no metadata.name")
	case s.Method != "" && s.Method != "Occurrences":
		return nil, fmt.Errorf("its budgetingMethod is %s; only Occurrences are counted", s.Method)
	case ratio == nil:
		return nil, errors.New("it has no ratioMetric, in its indicator or in the SLI that indicatorRef names")
	case len(s.Objectives) == 0:
		return nil, errors.New("it has no objectives")
	}
	window := ""
	for _, w := range s.TimeWindow {
		if window = w.Duration; w.Calendar != nil || w.Rolling != nil && !*w.Rolling {
			return nil, errors.New("its window follows the calendar; only rolling windows are known (isRolling: true)")
		}
	}
	length, err := windowOf(window)
	if err != nil {
		return nil, err
	}
	base := Setting{Service: s.Service, Window: length, Source: "OpenSLO"}
	for _, of := range []struct {
		metric openMetric
		expr   *string
	}{{ratio.Good, &base.Good}, {ratio.Bad, &base.Errors}, {ratio.Total, &base.Total}} {
		if *of.expr, err = of.metric.rate(ratio.Counter); err != nil {
			return nil, err
		}
	}
	if base.Good != "" {
		base.Errors = "" // one is enough
	}
	if base.Total == "" || base.Good+base.Errors == "" {
		return nil, errors.New("its ratioMetric needs total, and good or bad, as PromQL in metricSource.spec.query")
	}
	var all []Setting
	for _, o := range s.Objectives {
		one := base
		one.Target = cmp.Or(o.Target, math.Round(o.TargetPercent*1e8)/1e10)
		one.Name = named(name, o.DisplayName, one.Target, len(s.Objectives) > 1)
		if err := one.Objective().Validate(); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// placeholder are how templates write the range of a rate.
var placeholder = strings.NewReplacer("{{.window}}", "$__rate_interval", "{{ .window }}", "$__rate_interval", "$window", "$__rate_interval")

// rate is a metric as requests per second: a counter's rate.
func (m openMetric) rate(counter bool) (string, error) {
	promQL := placeholder.Replace(strings.TrimSpace(cmp.Or(m.Source.Spec.Query, m.Source.Spec.PromQL)))
	if !counter || promQL == "" || rateInterval.MatchString(promQL) {
		return promQL, nil
	}
	return rateOfCounters(promQL)
}

// rateOfCounters takes the rate of every counter that is not inside a range yet.
func rateOfCounters(promQL string) (string, error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(promQL)
	if err != nil {
		return "", fmt.Errorf("its query is no PromQL: %w", err)
	}
	type place struct{ from, to int }
	var bare []place
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if is && !slices.ContainsFunc(path, func(n parser.Node) bool { _, ranged := n.(*parser.MatrixSelector); return ranged }) {
			at := selector.PositionRange()
			bare = append(bare, place{int(at.Start), int(at.End)})
		}
		return nil
	})
	slices.SortFunc(bare, func(a, b place) int { return cmp.Compare(b.from, a.from) })
	for _, p := range bare {
		promQL = promQL[:p.from] + "rate(" + promQL[p.from:p.to] + "[$__rate_interval])" + promQL[p.to:]
	}
	return promQL, nil
}

package objectives

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// grafanaSLO is an SLO as Grafana's API writes it.
type grafanaSLO struct {
	Name  string `yaml:"name"`
	Query struct {
		Type  string `yaml:"type"`
		Ratio struct {
			Success grafanaMetric `yaml:"successMetric"`
			Total   grafanaMetric `yaml:"totalMetric"`
			GroupBy []string      `yaml:"groupByLabels"`
		} `yaml:"ratio"`
		Freeform struct {
			Query string `yaml:"query"`
		} `yaml:"freeform"`
	} `yaml:"query"`
	Objectives []struct {
		Value  float64 `yaml:"value"`
		Window string  `yaml:"window"`
	} `yaml:"objectives"`
	Labels []struct {
		Key   string `yaml:"key"`
		Value string `yaml:"value"`
	} `yaml:"labels"`
}

// grafanaMetric is a selector of a counter, alone or under prometheusMetric.
type grafanaMetric string

// UnmarshalYAML implements yaml.Unmarshaler.
func (m *grafanaMetric) UnmarshalYAML(node *yaml.Node) error {
	var object struct {
		Metric string `yaml:"prometheusMetric"`
	}
	if node.Kind == yaml.MappingNode {
		err := node.Decode(&object)
		*m = grafanaMetric(object.Metric)
		return err
	}
	var text string
	err := node.Decode(&text)
	*m = grafanaMetric(text)
	return err
}

func (m grafanaMetric) rate(by []string) string {
	grouping := ""
	if len(by) > 0 {
		grouping = " by (" + strings.Join(by, ", ") + ") "
	}
	return fmt.Sprintf("sum%s(rate(%s[$__rate_interval]))", grouping, string(m))
}

// settings are the objectives of an SLO.
func (g grafanaSLO) settings() ([]Setting, error) {
	base := Setting{Source: "Grafana SLO"}
	for _, label := range g.Labels {
		if label.Key == "service_name" || label.Key == "service" {
			base.Service = label.Value
		}
	}
	ratio := g.Query.Ratio
	switch {
	case g.Name == "":
		return nil, errors.New("it has no name")
	case g.Query.Type == "ratio" && ratio.Success != "" && ratio.Total != "":
		base.Good, base.Total = ratio.Success.rate(ratio.GroupBy), ratio.Total.rate(ratio.GroupBy)
	case g.Query.Type == "freeform" && g.Query.Freeform.Query != "":
		base.Errors = "1 - (" + g.Query.Freeform.Query + ")"
	default:
		return nil, errors.New("its query is neither a ratio of successMetric and totalMetric nor freeform")
	}
	if len(g.Objectives) == 0 {
		return nil, errors.New("it has no objectives")
	}
	var all []Setting
	for _, o := range g.Objectives {
		one := base
		var err error
		if one.Window, err = windowOf(o.Window); err != nil {
			return nil, err
		}
		one.Target, one.Name = o.Value, named(g.Name, "", o.Value, len(g.Objectives) > 1)
		if err := one.Objective().Validate(); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Dashboard is what is read of one in provisioning/dashboards.
type Dashboard struct {
	UID        string
	Time       struct{ From, To string }
	Templating struct {
		List []struct {
			Name    string
			Type    string
			Current struct{ Value any }
		}
	}
	Panels []struct {
		Title      string
		Datasource struct{ Type string }
		Targets    []json.RawMessage
	}
}

// PanelQuery is what a panel asks, and of which time relative to now.
type PanelQuery struct {
	Dashboard, Panel string
	From, To         time.Duration
	Model            map[string]any
}

// PanelQueries are what the panels of the shipped dashboards ask when a person
// has chosen a service, every other choice left as it stands.
func PanelQueries(service string) (queries []PanelQuery, err error) {
	err = eachShipped("dashboards/*.json", func(raw []byte) error {
		var d Dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			return err
		}
		queried, err := d.queries(service)
		queries = append(queries, queried...)
		return err
	})
	return queries, err
}

func (d Dashboard) queries(service string) (queries []PanelQuery, err error) {
	from, err := relative(d.Time.From)
	if err != nil {
		return nil, err
	}
	to, err := relative(d.Time.To)
	if err != nil {
		return nil, err
	}
	choices := []string{"$service", service, "$each", service, "$version", "", "$journey", ""}
	for _, variable := range d.Templating.List {
		if variable.Type == "textbox" || variable.Type == "custom" {
			choices = append(choices, "$"+variable.Name, fmt.Sprint(variable.Current.Value))
		}
	}
	for _, panel := range d.Panels {
		if panel.Datasource.Type == "prometheus" {
			continue // about the plugin itself
		}
		for _, target := range panel.Targets {
			queried := PanelQuery{Dashboard: d.UID, Panel: panel.Title, From: from, To: to}
			if err := json.Unmarshal([]byte(strings.NewReplacer(choices...).Replace(string(target))), &queried.Model); err != nil {
				return nil, fmt.Errorf("panel %q: %w", panel.Title, err)
			}
			queries = append(queries, queried)
		}
	}
	return queries, nil
}

// relative is an end of a dashboard's time range, as an offset from now.
func relative(end string) (time.Duration, error) {
	offset := strings.TrimPrefix(end, "now")
	if offset == "" {
		return 0, nil
	}
	length, err := model.ParseDuration(offset[1:])
	if offset[0] == '-' {
		length = -length
	}
	return time.Duration(length), err
}

// Rule is what is read of a rule in provisioning/alerting.
type Rule struct {
	UID, Title, Condition string
	For                   string
	NoDataState           string `yaml:"noDataState"`
	ExecErrState          string `yaml:"execErrState"`
	KeepFiringFor         string `yaml:"keepFiringFor"`
	Record                *struct{ Metric, From string }
	NotificationSettings  *NotificationSettings `yaml:"notification_settings"`
	Data                  []struct {
		RefID             string                 `yaml:"refId"`
		DatasourceUID     string                 `yaml:"datasourceUid"`
		RelativeTimeRange struct{ From, To int } `yaml:"relativeTimeRange"`
		Model             map[string]any
	}

	Interval string `yaml:"-"` // of its group
}

// NotificationSettings are those of a rule that does not follow notification
// policies.
type NotificationSettings struct {
	Receiver       string
	GroupBy        []string `yaml:"group_by"`
	GroupWait      string   `yaml:"group_wait"`
	GroupInterval  string   `yaml:"group_interval"`
	RepeatInterval string   `yaml:"repeat_interval"`
}

// Window is the range that the rule's first query asks about, at a moment.
func (r Rule) Window(now time.Time) (from, to time.Time) {
	queried := r.Data[0].RelativeTimeRange
	return now.Add(-time.Duration(queried.From) * time.Second), now.Add(-time.Duration(queried.To) * time.Second)
}

// Rules are the rules of provisioning/alerting that query Foresight.
func Rules() (rules []Rule, err error) {
	err = eachShipped("alerting/*.yaml", func(raw []byte) error {
		var file struct {
			Groups []struct {
				Interval string
				Rules    []Rule
			}
		}
		if err := yaml.Unmarshal(raw, &file); err != nil {
			return err
		}
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				if rule.Data[0].DatasourceUID == "prometheus" {
					continue // about the plugin itself
				}
				rule.Interval = group.Interval
				rules = append(rules, rule)
			}
		}
		return nil
	})
	return rules, err
}

// eachShipped reads the files of provisioning/ that a pattern names.
func eachShipped(pattern string, read func(raw []byte) error) error {
	root, err := Root()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, "provisioning", filepath.FromSlash(pattern)))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no %s in provisioning", pattern)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := read(raw); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

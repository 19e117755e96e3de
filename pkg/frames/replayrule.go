package frames

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"go.yaml.in/yaml/v3"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
)

// replayProposal is how to set the rule, what that did in both halves of the past,
// and the rule to copy.
func replayProposal(a engine.ReplayAnswer) *data.Frame {
	frame := newFrame("proposal", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	var rows []engine.ReplayProposal
	if a.Proposal != nil {
		rows = append(rows, *a.Proposal)
	}
	type row = engine.ReplayProposal
	frame.Fields = data.Fields{
		column(rows, "threshold", "Threshold", "", func(r row) float64 { return r.Threshold }),
		column(rows, "recovery", "Recovery", "", func(r row) *float64 { return nullable(r.Recovery) }),
		column(rows, "for", "Pending", "s", func(r row) float64 { return r.For.Seconds() }),
		column(rows, "direction", "Direction", "", func(r row) string { return r.Direction }),
		column(rows, "min_deviation", "Least deviation", "", func(r row) float64 { return r.MinDeviation }),
		column(rows, "met", "Meets the wish", "", func(r row) bool { return r.Met }),
	}
	for _, half := range []struct {
		name, title string
		of          func(row) engine.ReplayHalf
	}{
		{"first", "First half, chosen on", func(r row) engine.ReplayHalf { return r.First }},
		{"second", "Second half", func(r row) engine.ReplayHalf { return r.Second }},
	} {
		frame.Fields = append(frame.Fields,
			column(rows, half.name+"_pages", half.title+": pages", "", func(r row) int64 { return int64(half.of(r).Pages) }),
			column(rows, half.name+"_pages_per_week", half.title+": pages a week", "", func(r row) *float64 { return nullable(half.of(r).PerWeek) }),
			column(rows, half.name+"_pages_now", half.title+": pages of the rule as it is", "", func(r row) int64 { return int64(half.of(r).Before) }),
		)
		frame.Fields = append(frame.Fields, share(rows, half.name+"_precision", half.title+": precision", func(r row) impact.Share { return half.of(r).Precision })...)
		frame.Fields = append(frame.Fields, share(rows, half.name+"_recall", half.title+": recall", func(r row) impact.Share { return half.of(r).Recall })...)
	}
	frame.Fields = append(frame.Fields,
		column(rows, "yaml", "Rule as YAML", "", ruleYAML),
		column(rows, "terraform", "Rule as Terraform", "", ruleTerraform),
		column(rows, "json", "Rule as JSON", "", ruleJSON),
	)
	return explainEmpty(frame, "No setting of this rule could be proposed.")
}

// The names of a copied rule; a person gives it better ones.
const (
	ruleUID    = "foresight-replayed"
	ruleTitle  = "Replayed by Foresight"
	ruleGroup  = "foresight-replayed"
	ruleFolder = "Foresight"
	// ruleSource is the uid of this data source, and metricsSource that of the
	// Prometheus that a rule on PromQL asks, as provisioning names them.
	ruleSource    = "foresight"
	metricsSource = "prometheus"
)

// ruleModel is the query of the rule, as it stands in the rule's data.
func ruleModel(r engine.ReplayProposal) (model map[string]any, source, queryType string) {
	model = map[string]any{}
	if r.Asked == nil {
		return map[string]any{"refId": "A", "expr": r.Rule.Expr, "instant": true}, metricsSource, ""
	}
	raw, _ := json.Marshal(r.Asked) // a query that was parsed can be written
	_ = json.Unmarshal(raw, &model)
	for _, name := range []string{"live", "legend"} {
		delete(model, name)
	}
	model["refId"], model["queryType"], model["format"] = "A", string(r.Asked.Type()), string(query.Alert)
	return model, ruleSource, string(r.Asked.Type())
}

// thresholdModel is the expression that compares.
func thresholdModel(r engine.ReplayProposal) map[string]any {
	condition := map[string]any{"evaluator": evaluatorModel(r.Query.Load)}
	if r.Query.Unload != nil {
		condition["unloadEvaluator"] = evaluatorModel(*r.Query.Unload)
	}
	return map[string]any{"refId": "B", "type": "threshold", "expression": "A", "conditions": []any{condition}}
}

func evaluatorModel(e replay.Evaluator) map[string]any {
	params := make([]any, len(e.Params))
	for i, v := range e.Params {
		params[i] = v
	}
	return map[string]any{"type": string(e.Type), "params": params}
}

// keepFiring is that of the rule; a rule with hysteresis that resolves at once
// flaps, so that it is five minutes at least.
func keepFiring(r engine.ReplayProposal) time.Duration {
	return max(time.Duration(r.Rule.KeepFiringFor), 5*time.Minute)
}

// provisioned is the rule as Grafana provisions it from files.
func provisioned(r engine.ReplayProposal) map[string]any {
	model, source, queryType := ruleModel(r)
	asked := map[string]any{
		"refId": "A", "datasourceUid": source, "relativeTimeRange": map[string]any{"from": int(time.Duration(r.Rule.Look).Seconds()), "to": 0}, "model": model,
	}
	if queryType != "" {
		asked["queryType"] = queryType
	}
	return map[string]any{
		"uid": ruleUID, "title": ruleTitle, "condition": "B", "for": r.For.String(), "keepFiringFor": keepFiring(r).String(),
		"noDataState": string(r.Query.NoData), "execErrState": string(replay.AsError),
		"data": []any{asked, map[string]any{"refId": "B", "datasourceUid": "__expr__", "model": thresholdModel(r)}},
	}
}

func ruleYAML(r engine.ReplayProposal) string {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	_ = encoder.Encode(map[string]any{"apiVersion": 1, "groups": []any{map[string]any{
		"orgId": 1, "name": ruleGroup, "folder": ruleFolder, "interval": time.Duration(r.Rule.Interval).String(), "rules": []any{provisioned(r)},
	}}}) // maps of plain values can be written
	return out.String()
}

// ruleJSON is the body for Grafana's provisioning API.
func ruleJSON(r engine.ReplayProposal) string {
	rule := provisioned(r)
	rule["ruleGroup"], rule["folderUID"] = ruleGroup, ruleFolder
	rule["keep_firing_for"] = rule["keepFiringFor"]
	delete(rule, "keepFiringFor")
	raw, _ := json.MarshalIndent(rule, "", "  ")
	return string(raw)
}

func ruleTerraform(r engine.ReplayProposal) string {
	model, source, queryType := ruleModel(r)
	block := func(model map[string]any) string {
		raw, _ := json.Marshal(model)
		return quoted(string(raw))
	}
	if queryType != "" {
		queryType = fmt.Sprintf("      query_type     = %q\n", queryType)
	}
	return fmt.Sprintf(`resource "grafana_rule_group" "foresight_replayed" {
  name             = %q
  folder_uid       = grafana_folder.foresight.uid
  interval_seconds = %d

  rule {
    name            = %q
    condition       = "B"
    for             = %q
    keep_firing_for = %q
    no_data_state   = %q
    exec_err_state  = %q

    data {
      ref_id         = "A"
      datasource_uid = %q
%s      relative_time_range {
        from = %d
        to   = 0
      }
      model = %s
    }
    data {
      ref_id         = "B"
      datasource_uid = "__expr__"
      relative_time_range {
        from = 0
        to   = 0
      }
      model = %s
    }
  }
}
`, ruleGroup, int(math.Round(time.Duration(r.Rule.Interval).Seconds())), ruleTitle, r.For.String(), keepFiring(r).String(), string(r.Query.NoData), string(replay.AsError),
		source, queryType, int(time.Duration(r.Rule.Look).Seconds()), block(model), block(thresholdModel(r)))
}

// quoted is a text as HCL writes it: templates in it are none.
func quoted(text string) string {
	text = fmt.Sprintf("%q", text)
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
}

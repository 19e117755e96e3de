package canary

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
)

// shippedRule is an alert rule of provisioning/alerting about metrics.
type shippedRule struct {
	harness.Rule

	window, every, pending time.Duration
	fire, resolve          float64
}

// shippedRules are the alert rules that need no trace store and no setting.
func shippedRules() ([]shippedRule, error) {
	rules, err := harness.Rules()
	if err != nil {
		return nil, err
	}
	var found []shippedRule
	for _, rule := range rules {
		if rule.Record != nil || len(rule.Data) < 2 || !slices.Contains([]any{"anomaly", "breach", "composite"}, rule.Data[0].Model["queryType"]) {
			continue
		}
		one := shippedRule{Rule: rule}
		if err := one.read(); err != nil {
			return nil, fmt.Errorf("rule %s: %w", rule.UID, err)
		}
		found = append(found, one)
	}
	return found, nil
}

func (r *shippedRule) read() (err error) {
	if r.every, err = time.ParseDuration(r.Interval); err != nil {
		return err
	}
	if r.For != "" {
		if r.pending, err = time.ParseDuration(r.For); err != nil {
			return err
		}
	}
	r.window = time.Duration(r.Data[0].RelativeTimeRange.From) * time.Second
	raw, err := json.Marshal(r.Data[len(r.Data)-1].Model)
	if err != nil {
		return err
	}
	var threshold struct {
		Conditions []struct {
			Evaluator, UnloadEvaluator struct {
				Type   string
				Params []float64
			}
		}
	}
	if err := json.Unmarshal(raw, &threshold); err != nil {
		return err
	}
	if len(threshold.Conditions) != 1 || threshold.Conditions[0].Evaluator.Type != "gt" {
		return fmt.Errorf("its condition is not one threshold above which it fires")
	}
	r.fire = threshold.Conditions[0].Evaluator.Params[0]
	r.resolve = r.fire
	if unload := threshold.Conditions[0].UnloadEvaluator; len(unload.Params) > 0 {
		r.resolve = unload.Params[0]
	}
	return nil
}

// evaluation is the state of a rule's instances, as Grafana's alerting keeps
// it: above the threshold until below the second one, pending for a while,
// then firing.
type evaluation struct {
	rule  *shippedRule
	since map[string]time.Time // instances above the threshold
	fires map[string]bool
}

func newEvaluation(rule *shippedRule) *evaluation {
	return &evaluation{rule: rule, since: map[string]time.Time{}, fires: map[string]bool{}}
}

// step takes the values of one evaluation and returns the instances that begin
// to fire, sorted.
func (e *evaluation) step(at time.Time, values map[string]float64) (begin []string) {
	for instance := range e.since {
		if v, known := values[instance]; !known || math.IsNaN(v) || v < e.rule.resolve {
			delete(e.since, instance)
			delete(e.fires, instance)
		}
	}
	for instance, v := range values {
		_, above := e.since[instance]
		if !above && v > e.rule.fire {
			e.since[instance], above = at, true
		}
		if above && !e.fires[instance] && at.Sub(e.since[instance]) >= e.rule.pending {
			e.fires[instance] = true
			begin = append(begin, instance)
		}
	}
	slices.Sort(begin)
	return begin
}

// reached says whether the limit that an early warning warns of is reached, by
// its own expression.
func (s *storyteller) reached(rule *shippedRule, at time.Time) (string, bool, error) {
	model := rule.Data[0].Model
	expr, _ := model["expr"].(string)
	threshold, isNumber := model["threshold"].(int)
	if model["queryType"] != "breach" || expr == "" || !isNumber {
		return "", false, nil
	}
	response, err := http.Get(s.lab.Prometheus + "/api/v1/query?" + url.Values{
		"query": {expr}, "time": {strconv.FormatInt(at.Unix(), 10)}}.Encode())
	if err != nil {
		return "", false, err
	}
	defer func() { _ = response.Body.Close() }()
	var found struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		return "", false, err
	}
	for _, one := range found.Data.Result {
		text, _ := one.Value[1].(string)
		if v, err := strconv.ParseFloat(text, 64); err == nil && v >= 0.99*float64(threshold) {
			return fmt.Sprintf("%s of %v", text, one.Metric), true, nil
		}
	}
	return "", false, nil
}

//go:build integration

package scale

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// ofSamples are the questions that are answered from samples of traces.
var ofSamples = []string{"traceDiff", "rootCause", "patterns", "serviceMap", "verdict"}

// conclusions are the frames of an answer, and who and what stands first in
// each.
func conclusions(answer any) any {
	var found []any
	for _, one := range answer.([]any) {
		frame := one.(map[string]any)
		schema := frame["schema"].(map[string]any)
		values := frame["data"].(map[string]any)["values"].([]any)
		first := map[string]any{"frame": schema["name"]}
		for i, field := range schema["fields"].([]any) {
			name := fmt.Sprint(field.(map[string]any)["name"])
			if column := values[i].([]any); len(column) > 0 && slices.Contains([]string{"verdict", "service", "call", "version", "kind"}, name) {
				first[name] = column[0]
			}
		}
		found = append(found, first)
	}
	return found
}

// rounding is how far numbers of two topologies may be apart, of their size.
// Mimir adds floating-point numbers in another order than Prometheus.
const rounding = 1e-9

// difference tells where two answers differ; empty where they do not.
func difference(want, got any, tolerance float64) string {
	switch want := want.(type) {
	case map[string]any:
		given, ok := got.(map[string]any)
		if !ok || len(given) != len(want) {
			return fmt.Sprintf("%.200v instead of %.200v", got, want)
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if problem := difference(want[name], given[name], tolerance); problem != "" {
				return name + ": " + problem
			}
		}
	case []any:
		given, ok := got.([]any)
		if !ok || len(given) != len(want) {
			return fmt.Sprintf("%.200v instead of %.200v", got, want)
		}
		for i := range want {
			if problem := difference(want[i], given[i], tolerance); problem != "" {
				return fmt.Sprintf("%d: %s", i, problem)
			}
		}
	case float64:
		given, ok := got.(float64)
		if !ok || math.Abs(given-want) > tolerance*math.Max(math.Abs(given), math.Abs(want)) {
			return fmt.Sprintf("%v instead of %v", got, want)
		}
	case string:
		given, _ := got.(string)
		if given != want {
			same := 0
			for same < min(len(given), len(want)) && given[same] == want[same] {
				same++
			}
			from := max(0, same-60)
			return fmt.Sprintf("…%.200q instead of …%.200q", given[from:], want[from:])
		}
	default:
		if got != want {
			return fmt.Sprintf("%v instead of %v", got, want)
		}
	}
	return ""
}

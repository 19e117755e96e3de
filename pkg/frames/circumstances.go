package frames

import (
	"strings"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// circumstancesText is with which attributes calls are slow or fail, in words.
func circumstancesText(explanations []diff.Explanation) string {
	texts := make([]string, len(explanations))
	for i, e := range explanations {
		texts[i] = e.String()
	}
	return strings.Join(texts, "; ")
}

// circumstancesOf is the circumstances under which each call path is slow or
// fails.
func circumstancesOf(a engine.TraceDiffAnswer) func(diff.Path) string {
	byPath := map[string][]diff.Explanation{}
	for _, s := range a.Result.Suspects {
		byPath[s.Path] = append(byPath[s.Path], s.Explanations...)
	}
	return func(p diff.Path) string { return circumstancesText(byPath[p.Key]) }
}

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// dashboard is what is read of one in provisioning/dashboards.
type dashboard struct {
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
		Title   string
		Targets []json.RawMessage
	}
}

func shippedDashboards(t *testing.T) (dashboards []dashboard) {
	t.Helper()
	root, err := harness.Root()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, "provisioning", "dashboards", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		var one dashboard
		require.NoError(t, json.Unmarshal(raw, &one), name)
		dashboards = append(dashboards, one)
	}
	return dashboards
}

// mayBeEmpty are the questions to which "nothing found" is an answer.
var mayBeEmpty = []string{"traceDiff", "rootCause", "patterns", "impact"}

// TestShippedDashboards asks what each panel asks: about the shop, of which
// service orders stands for the choice of a person.
func TestShippedDashboards(t *testing.T) {
	source, _ := shop(t)
	for _, d := range shippedDashboards(t) {
		from, to := rangeOf(t, d.Time.From), rangeOf(t, d.Time.To)
		choices := []string{"$service", "orders", "$each", "orders", "$version", ""}
		for _, variable := range d.Templating.List {
			if variable.Type == "textbox" {
				choices = append(choices, "$"+variable.Name, fmt.Sprint(variable.Current.Value))
			}
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				t.Run(d.UID+"/"+panel.Title, func(t *testing.T) {
					var model map[string]any
					require.NoError(t, json.Unmarshal([]byte(strings.NewReplacer(choices...).Replace(string(target))), &model))
					eventually(t, time.Minute, "an answer that shows something", func() error {
						now := time.Now()
						frames, err := source.Ask(t.Context(), now.Add(from), now.Add(to), model)
						if err != nil {
							return err
						}
						for _, frame := range frames {
							if frame.Rows() > 0 || slices.Contains(mayBeEmpty, model["queryType"].(string)) {
								return nil
							}
						}
						return fmt.Errorf("an empty panel: %d frames", len(frames))
					})
				})
			}
		}
	}
}

// rangeOf is an end of a dashboard's time range, relative to now.
func rangeOf(t *testing.T, end string) time.Duration {
	t.Helper()
	offset := strings.Replace(strings.TrimPrefix(end, "now"), "7d", "168h", 1)
	if offset == "" {
		return 0
	}
	relative, err := time.ParseDuration(offset)
	require.NoError(t, err)
	return relative
}

package query

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocumentation: docs/queries.md tells of every query type and field.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/queries.md")
	require.NoError(t, err)
	raw, err := os.ReadFile("schema.json")
	require.NoError(t, err)
	var schema struct {
		Definitions map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(raw, &schema))
	require.NotEmpty(t, schema.Definitions)
	for name, definition := range schema.Definitions {
		if _, isType := definition.Properties["queryType"]; isType {
			require.Contains(t, string(text), name)
		}
		for field := range definition.Properties {
			require.True(t, strings.Contains(string(text), "`"+field+"`") || strings.Contains(string(text), `"`+field+`"`),
				"docs/queries.md does not tell of %s of %s", field, name)
		}
	}
}

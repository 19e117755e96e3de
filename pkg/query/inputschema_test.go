package query_test

import (
	"encoding/json"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

// TestInputSchemas: the schema of each type stands for itself, takes what the
// parser takes, and refuses fields that the type does not have.
func TestInputSchemas(t *testing.T) {
	for _, kind := range query.Types() {
		raw, err := json.Marshal(query.InputSchema(kind))
		require.NoError(t, err)
		require.NotContains(t, string(raw), "$ref")
		require.NotContains(t, string(raw), "queryType")
		var schema jsonschema.Schema
		require.NoError(t, json.Unmarshal(raw, &schema))
		require.Equal(t, "object", schema.Type)
		resolved, err := schema.Resolve(nil)
		require.NoError(t, err)
		require.Error(t, resolved.Validate(map[string]any{"unknown": 1}), kind)
	}
	raw, err := json.Marshal(query.InputSchema(query.TypeTraceDiff))
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(raw, &schema))
	resolved, err := schema.Resolve(nil)
	require.NoError(t, err)
	good := map[string]any{"service": "cart", "baseline": map[string]any{"version": "1"}, "maxTraces": 100.0}
	require.NoError(t, resolved.Validate(good))
	require.Error(t, resolved.Validate(map[string]any{"baseline": map[string]any{"version": "1"}}), "the service is missing")
	query.InputSchema(query.TypeTraceDiff)["properties"].(map[string]any)["more"] = true
	require.NotContains(t, query.InputSchema(query.TypeTraceDiff)["properties"], "more", "a copy")
}

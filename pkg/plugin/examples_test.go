package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/require"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"go.yaml.in/yaml/v3"

	"github.com/foresight-observability/foresight/pkg/query"
)

const examples = "../../provisioning/examples"

// TestYAMLExamples: the data source of every YAML example has settings that
// the plugin accepts.
func TestYAMLExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(examples, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			decoder := yaml.NewDecoder(bytes.NewReader(text))
			var sources []map[string]any
			for {
				var document any
				err := decoder.Decode(&document)
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				sources = append(sources, dataSourcesIn(document)...)
			}
			require.Len(t, sources, 1)
			raw, err := json.Marshal(sources[0]["jsonData"])
			require.NoError(t, err)
			requireUsable(t, raw)
		})
	}
}

// dataSourcesIn finds the objects that are data sources of this plugin.
func dataSourcesIn(value any) (sources []map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		if value["type"] == ID {
			return []map[string]any{value}
		}
		for _, inner := range value {
			sources = append(sources, dataSourcesIn(inner)...)
		}
	case []any:
		for _, inner := range value {
			sources = append(sources, dataSourcesIn(inner)...)
		}
	}
	return sources
}

func requireUsable(t *testing.T, jsonData []byte) {
	t.Helper()
	settings, err := ParseSettings(instance(string(jsonData), map[string]string{"grafanaToken": "t"}))
	require.NoError(t, err)
	require.NotNil(t, settings.Metrics)
	require.NotNil(t, settings.Traces)
	require.Empty(t, settings.Notices)
}

// TestTerraformExample: the file parses, its settings and its rule's query are
// those that the plugin accepts.
func TestTerraformExample(t *testing.T) {
	file, problems := hclparse.NewParser().ParseHCLFile(filepath.Join(examples, "foresight.tf"))
	require.False(t, problems.HasErrors(), problems.Error())
	scope := &hcl.EvalContext{Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc}}
	text := func(block *hclsyntax.Block, name string) string {
		t.Helper()
		value, problems := block.Body.Attributes[name].Expr.Value(scope)
		require.False(t, problems.HasErrors(), problems.Error())
		require.Equal(t, cty.String, value.Type())
		return value.AsString()
	}
	var models []string
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if block.Type != "resource" {
			continue
		}
		switch block.Labels[0] {
		case "grafana_data_source":
			require.Equal(t, ID, text(block, "type"))
			requireUsable(t, []byte(text(block, "json_data_encoded")))
		case "grafana_rule_group":
			for _, rule := range block.Body.Blocks {
				for _, data := range rule.Body.Blocks {
					models = append(models, text(data, "model"))
				}
			}
		}
	}
	require.Len(t, models, 2)
	var model struct{ QueryType string }
	require.NoError(t, json.Unmarshal([]byte(models[0]), &model))
	_, err := query.Parse(model.QueryType, []byte(models[0]))
	require.NoError(t, err)
}

// TestDockerExample: the image is of a Grafana that the plugin supports.
func TestDockerExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(examples, "Dockerfile"))
	require.NoError(t, err)
	require.Contains(t, string(text), "FROM grafana/grafana:12.2.0")
	require.Contains(t, string(text), "GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS="+ID)
}

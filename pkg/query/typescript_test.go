package query_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"
)

const typesFile = "../../src/query.generated.ts"

// TestTypeScriptIsUpToDate keeps the frontend's types equal to the schema.
func TestTypeScriptIsUpToDate(t *testing.T) {
	generated := typeScript(schema(t))
	if *update {
		require.NoError(t, os.WriteFile(typesFile, []byte(generated), 0o644))
	}
	committed, err := os.ReadFile(typesFile)
	require.NoError(t, err)
	require.Equal(t, string(committed), generated, "run: go test ./pkg/query -update")
}

// typeScript writes an interface for each definition. The fields of a query are
// optional, because an editor holds queries that are not complete yet.
func typeScript(s *jsonschema.Schema) string {
	var out strings.Builder
	out.WriteString("// Generated from pkg/query by \"go test ./pkg/query -update\". Do not edit.\n\nimport { type DataQuery } from '@grafana/schema';\n")
	names := make([]string, 0, len(s.Definitions))
	for name := range s.Definitions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		definition := s.Definitions[name]
		_, isQuery := definition.Properties.Get("queryType")
		comment(&out, "", definition.Description)
		if isQuery {
			fmt.Fprintf(&out, "export interface %s%sQuery extends DataQuery {\n", strings.ToUpper(name[:1]), name[1:])
		} else {
			fmt.Fprintf(&out, "export interface %s {\n", name)
		}
		for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
			comment(&out, "  ", pair.Value.Description)
			optional := "?"
			if pair.Key == "queryType" || !isQuery && slices.Contains(definition.Required, pair.Key) {
				optional = ""
			}
			fmt.Fprintf(&out, "  %s%s: %s;\n", pair.Key, optional, typeOf(pair.Value))
		}
		out.WriteString("}\n")
	}
	return out.String()
}

func comment(out *strings.Builder, indent, text string) {
	if indent == "" {
		out.WriteString("\n")
	}
	if text != "" {
		fmt.Fprintf(out, "%s/** %s */\n", indent, strings.ReplaceAll(text, "\n", " "))
	}
}

// typeOf is a schema's type in TypeScript. Where a duration may be a number of
// seconds, the frontend writes it as text; a number may be a variable.
func typeOf(s *jsonschema.Schema) string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case s.Const != nil:
		return fmt.Sprintf("'%v'", s.Const)
	case len(s.Enum) > 0:
		options := make([]string, len(s.Enum))
		for i, option := range s.Enum {
			options[i] = fmt.Sprintf("'%v'", option)
		}
		return strings.Join(options, " | ")
	case len(s.OneOf) == 2 && s.OneOf[1].Type == "array":
		return typeOf(s.OneOf[0]) + " | " + typeOf(s.OneOf[1])
	case len(s.OneOf) > 0:
		return typeOf(s.OneOf[0])
	case s.Type == "array":
		if of := typeOf(s.Items); strings.Contains(of, " | ") {
			return "Array<" + of + ">"
		}
		return typeOf(s.Items) + "[]"
	case s.Type == "integer" || s.Type == "number":
		return "number | string"
	}
	return s.Type
}

package query_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

var update = flag.Bool("update", false, "rewrite schema.json from the query structs")

const schemaFile = "schema.json"

// TestSchemaIsUpToDate keeps schema.json, which editors and people who write
// provisioning files read, equal to the structs it is generated from.
func TestSchemaIsUpToDate(t *testing.T) {
	generated, err := json.MarshalIndent(schema(t), "", "  ")
	require.NoError(t, err)
	generated = append(generated, '\n')
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, generated, 0o644))
	}
	committed, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(committed), string(generated), "run: go test ./pkg/query -update")
}

// schema is one definition per query type, distinguished by queryType.
func schema(t *testing.T) *jsonschema.Schema {
	reflector := jsonschema.Reflector{
		ExpandedStruct:            true,
		AllowAdditionalProperties: true, // Grafana adds keys of its own
		Anonymous:                 true,
		Mapper: func(of reflect.Type) *jsonschema.Schema {
			switch of {
			case reflect.TypeFor[json.RawMessage](): // another query
				return &jsonschema.Schema{Type: "object"}
			case reflect.TypeFor[query.Duration]():
			default:
				return nil
			}
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
				{Type: "string", Examples: []any{"14d", "90s"}},
				{Type: "number", Description: "seconds"},
			}}
		},
	}
	require.NoError(t, reflector.AddGoComments("github.com/foresight-observability/foresight/pkg/query", "./"))

	union := &jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       "Foresight queries",
		Definitions: jsonschema.Definitions{},
	}
	for _, q := range []query.Query{query.Anomaly{}, query.Breach{}, query.Budget{}, query.Composite{}, query.Deploys{}, query.Explain{}, query.LedgerChanges{}, query.Forecast{}, query.Impact{}, query.Incidents{}, query.Journey{}, query.Journeys{}, query.Objectives{}, query.Operations{},
		query.Patterns{}, query.Replay{}, query.Rollout{}, query.RootCause{}, query.ServiceMap{}, query.Services{}, query.Sizing{}, query.TraceDiff{}, query.Verdict{}, query.Versions{}} {
		one := reflector.Reflect(q)
		one.Version = ""
		one.Properties.Set("queryType", &jsonschema.Schema{Const: q.Type()})
		for _, name := range []string{"service", "operation", "journey"} {
			if field, has := one.Properties.Get(name); has {
				orSeveral(field)
			}
		}
		one.Required = append(one.Required, "queryType")
		for name, definition := range one.Definitions {
			if version, has := definition.Properties.Get("version"); has {
				orSeveral(version)
			}
			union.Definitions[name] = definition
		}
		one.Definitions = nil
		union.Definitions[string(q.Type())] = one
		union.OneOf = append(union.OneOf, &jsonschema.Schema{Ref: "#/$defs/" + string(q.Type())})
	}
	require.Len(t, union.OneOf, len(query.Types()), "every query type has a schema")
	return union
}

// orSeveral makes the schema of a name that of a name or a list of names, for
// each of which the query answers.
func orSeveral(name *jsonschema.Schema) {
	one := &jsonschema.Schema{Type: "string", MinLength: name.MinLength}
	name.Type, name.MinLength = "", nil
	name.OneOf = []*jsonschema.Schema{one, {Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: new(uint64(1)), MaxItems: new(uint64(100))}}
}

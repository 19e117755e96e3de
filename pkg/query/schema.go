package query

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed schema.json
var schemaJSON []byte

type schemaFile struct {
	Definitions map[string]map[string]any `json:"$defs"`
}

// readSchema reads schema.json, which is generated from the structs of this
// package.
var readSchema = sync.OnceValue(func() (read schemaFile) {
	if err := json.Unmarshal(schemaJSON, &read); err != nil {
		panic(fmt.Sprintf("schema.json is no JSON: %v", err)) // a test reads it
	}
	return read
})

// InputSchema is the JSON schema of the fields of a query type by which its answer
// is chosen, complete in itself: without its name, version and format, and nothing
// besides those fields is allowed. It is the caller's to change.
func InputSchema(t Type) map[string]any {
	schema := cloned(readSchema().Definitions[string(t)]).(map[string]any)
	properties := schema["properties"].(map[string]any)
	for _, name := range []string{"queryType", "schemaVersion", "format"} {
		delete(properties, name)
	}
	if required, has := schema["required"].([]any); has {
		schema["required"] = slices.DeleteFunc(required, func(name any) bool { return name == "queryType" })
	}
	schema["additionalProperties"] = false
	return schema
}

// cloned is a copy of a schema, with what it refers to in the place of references.
func cloned(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if reference, is := value["$ref"].(string); is {
			named := maps.Clone(cloned(readSchema().Definitions[strings.TrimPrefix(reference, "#/$defs/")]).(map[string]any))
			if text, has := value["description"]; has {
				named["description"] = text
			}
			return named
		}
		clone := make(map[string]any, len(value))
		for name, inner := range value {
			clone[name] = cloned(inner)
		}
		return clone
	case []any:
		clone := make([]any, len(value))
		for i, inner := range value {
			clone[i] = cloned(inner)
		}
		return clone
	}
	return value
}

// Moment reads a point in time of a field: RFC 3339, milliseconds since the epoch,
// or relative to the reference ("-30m", "now-30m"). Empty text is the reference.
func Moment(field, text string, reference time.Time) (time.Time, error) {
	return moment(field, text, reference)
}

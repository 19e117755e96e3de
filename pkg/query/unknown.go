package query

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// grafanaFields are what Grafana adds to every query.
var grafanaFields = []string{
	"refId", "datasource", "datasourceId", "datasourceUid", "queryType", "hide", "key", "intervalMs", "maxDataPoints",
	"timeRange", "relativeTimeRange", "resultAssertions", "expression", "type", "conditions", "legendFormat",
	"instant", "range", "interval", "exemplar", "editorMode", "format", "queryCachingTTL", "enabled", "limit",
	"matchAny", "tags", "pluginVersion", // of annotations' targets, and of migrations
}

// UnknownFields says which fields of a query in JSON its type does not have, and
// which was probably meant. Fields that Grafana adds are no fault.
func UnknownFields(q Query, raw json.RawMessage) []string {
	fields, err := object(raw)
	if err != nil {
		return nil
	}
	if several, is := q.(Several); is {
		q = several.model
	}
	return unknownFields(reflect.TypeOf(q), fields, "", grafanaFields)
}

func unknownFields(t reflect.Type, fields map[string]json.RawMessage, path string, others []string) (unknown []string) {
	known := fieldsOf(t)
	names := slices.Sorted(maps.Keys(known))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field, is := known[name]
		switch {
		case is && field.Kind() == reflect.Struct:
			if inner, err := object(fields[name]); err == nil {
				unknown = append(unknown, unknownFields(field, inner, path+name+".", nil)...)
			}
		case is && isObjects(field):
			var all []json.RawMessage
			if json.Unmarshal(fields[name], &all) != nil {
				continue // the parser says what is wrong
			}
			for i, one := range all {
				if inner, err := object(one); err == nil {
					unknown = append(unknown, unknownFields(field.Elem(), inner, fmt.Sprintf("%s%s[%d].", path, name, i), nil)...)
				}
			}
		case is || slices.Contains(others, name):
		default:
			text := fmt.Sprintf("%s%.60s", path, name)
			if meant := nearest(name, names); meant != "" {
				text += fmt.Sprintf(" (did you mean %q?)", path+meant)
			}
			unknown = append(unknown, text)
		}
	}
	return unknown
}

// fieldsOf are the types of a struct's fields, by their names in JSON.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for field := range t.Fields() {
		if field.Anonymous {
			maps.Copy(fields, fieldsOf(field.Type))
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = field.Type
	}
	return fields
}

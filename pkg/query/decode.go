package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Queries are decoded field by field rather than by one call of encoding/json,
// so that every error can name its field and speak of text and numbers instead
// of Go types.

// object splits a JSON object into its fields. Nothing at all is an empty one.
func object(raw json.RawMessage) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return fields, nil
	}
	err := json.Unmarshal(raw, &fields)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return nil, fmt.Errorf("must be an object, got %s", describe(raw))
	case err != nil:
		return nil, fmt.Errorf("is not valid JSON: %w", err)
	}
	return fields, nil
}

// decodeStruct fills a struct from the fields its json tags name; embedded
// structs share the fields of the outer one. Text is trimmed.
func decodeStruct(fields map[string]json.RawMessage, target reflect.Value, path string) error {
	for i := range target.NumField() {
		field := target.Type().Field(i)
		var err error
		if field.Anonymous {
			err = decodeStruct(fields, target.Field(i), path)
		} else {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			err = decodeField(fields[name], target.Field(i), path+name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decodeField fills one field; an absent one keeps its value.
func decodeField(raw json.RawMessage, target reflect.Value, path string) error {
	if len(raw) == 0 {
		return nil
	}
	if target.Kind() == reflect.Struct {
		fields, err := object(raw)
		if err != nil {
			return fmt.Errorf("%s %w", path, err)
		}
		return decodeStruct(fields, target, path+".")
	}
	raw, err := asWanted(raw, target.Type(), path)
	if err != nil {
		return err
	}
	if isObjects(target.Type()) {
		return decodeObjects(raw, target, path)
	}
	err = json.Unmarshal(raw, target.Addr().Interface())
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s must be %s, got %s", path, wanted(target.Type()), describe(raw))
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	if target.Kind() == reflect.String {
		target.SetString(strings.TrimSpace(target.String()))
	}
	return nil
}

// isObjects says that a type is a list of structs.
func isObjects(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

// decodeObjects fills a list of structs, each as a query is filled.
func decodeObjects(raw json.RawMessage, target reflect.Value, path string) error {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return fmt.Errorf("%s must be %s, got %s", path, wanted(target.Type()), describe(raw))
	}
	list := reflect.MakeSlice(target.Type(), len(all), len(all))
	for i, one := range all {
		if err := decodeField(one, list.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	target.Set(list)
	return nil
}

// asWanted is a value as its field wants it: variables, of dashboards and of the
// environment, turn numbers and lists into text, and YAML turns text into numbers.
func asWanted(raw json.RawMessage, of reflect.Type, path string) (json.RawMessage, error) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if _, own := reflect.New(of).Interface().(json.Unmarshaler); own || string(raw) == "null" {
		return raw, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		if number := json.Number(""); of.Kind() == reflect.String && json.Unmarshal(raw, &number) == nil {
			return json.Marshal(number.String())
		}
		return raw, nil
	}
	text = strings.TrimSpace(text)
	isText := of.Kind() == reflect.String
	isTexts := of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.String
	switch {
	case isText:
	case text == "":
		return json.RawMessage("null"), nil // as if it were left out
	case strings.HasPrefix(text, "$"):
		return nil, fmt.Errorf("%s holds %.40q, a variable without a value: dashboards know variables, rules do not", path, text)
	case isTexts:
		return json.Marshal(distinct(strings.Split(strings.Trim(text, "{}"), ",")))
	case of.Kind() == reflect.Slice || of.Kind() == reflect.Struct:
	default:
		var number json.Number
		if of.Kind() == reflect.Bool && (text == "true" || text == "false") || of.Kind() != reflect.Bool && json.Unmarshal([]byte(text), &number) == nil {
			return json.RawMessage(text), nil
		}
		return nil, fmt.Errorf("%s must be %s, got %.40q", path, wanted(of), text)
	}
	return raw, nil
}

// wanted is a type in words.
func wanted(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		if isObjects(t) {
			return "a list of objects"
		}
		return "a list of texts"
	}
	return "a number"
}

// describe is a JSON value in words.
func describe(raw json.RawMessage) string {
	switch raw = bytes.TrimSpace(raw); raw[0] {
	case '"':
		return "text"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return string(raw)
	}
	return fmt.Sprintf("the number %.40s", raw)
}

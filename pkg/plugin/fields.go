package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// fields reads a settings object field by field. YAML and Terraform turn what
// looks like a number or a boolean into one, so where the meaning is clear
// another type is accepted; where it is not, the problem is noted and named.
type fields struct {
	path     string
	values   map[string]any
	problems *[]string
	known    map[string]bool
}

func parseFields(raw json.RawMessage) (fields, error) {
	values := map[string]any{}
	if len(raw) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber() // a tenant may have more digits than a float
		if err := decoder.Decode(&values); err != nil {
			return fields{}, fmt.Errorf("the data source's jsonData is not a JSON object: %w", err)
		}
	}
	return fields{values: values, problems: new([]string), known: map[string]bool{}}, nil
}

func (f fields) problem(key, format string, arguments ...any) {
	*f.problems = append(*f.problems, f.path+key+" "+fmt.Sprintf(format, arguments...))
}

// value is nil for empty text too, which an environment variable that is not set
// leaves.
func (f fields) value(key string) any {
	f.known[key] = true
	if text, is := f.values[key].(string); is && strings.TrimSpace(text) == "" {
		return nil
	}
	return f.values[key]
}

// numeric is a value with numbers as floats, which is what most fields want.
func (f fields) numeric(key string) any {
	if number, ok := f.value(key).(json.Number); ok {
		if v, err := number.Float64(); err == nil {
			return v
		}
	}
	return f.value(key)
}

// object is the nested object under a key; a missing one is empty.
func (f fields) object(key string) fields {
	nested := fields{path: f.path + key + ".", problems: f.problems, known: map[string]bool{}}
	switch value := f.value(key).(type) {
	case nil:
	case map[string]any:
		nested.values = value
	default:
		f.problem(key, "must be an object, got %s", kind(value))
	}
	return nested
}

// objects is a list of objects.
func (f fields) objects(key string) []fields {
	var found []fields
	switch value := f.value(key).(type) {
	case nil:
	case []any:
		for i, element := range value {
			one := fields{path: fmt.Sprintf("%s%s[%d].", f.path, key, i), problems: f.problems, known: map[string]bool{}}
			if object, ok := element.(map[string]any); ok {
				one.values = object
			} else {
				f.problem(key, "must hold objects, got %s", kind(element))
			}
			found = append(found, one)
		}
	default:
		f.problem(key, "must be a list, got %s", kind(value))
	}
	return found
}

func (f fields) text(key, fallback string) string {
	switch value := f.value(key).(type) {
	case nil:
		return fallback
	case string:
		return strings.TrimSpace(value)
	case json.Number: // environment variables in provisioning files become numbers
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	default:
		f.problem(key, "must be text, got %s", kind(value))
		return fallback
	}
}

func (f fields) choice(key string, choices ...string) string {
	value := f.text(key, choices[0])
	for _, choice := range choices {
		if strings.EqualFold(choice, value) {
			return choice
		}
	}
	f.problem(key, "is %.40q; choose %s", value, strings.Join(choices, " or "))
	return choices[0]
}

// booleans are the ways in which people and environment variables write them.
var booleans = map[string]bool{
	"true": true, "yes": true, "on": true, "1": true, "t": true, "y": true,
	"false": false, "no": false, "off": false, "0": false, "f": false, "n": false,
}

func (f fields) boolean(key string, fallback bool) bool {
	switch value := f.value(key).(type) {
	case nil:
		return fallback
	case bool:
		return value
	case string, json.Number:
		text := fmt.Sprint(value)
		parsed, known := booleans[strings.ToLower(strings.TrimSpace(text))]
		if known {
			return parsed
		}
		f.problem(key, "is %.40q; write true or false", text)
	default:
		f.problem(key, "must be true or false, got %s", kind(value))
	}
	return fallback
}

// quantity is any finite number; nil where it is not given.
func (f fields) quantity(key string) *float64 {
	switch value := f.numeric(key).(type) {
	case nil:
	case float64:
		return &value
	case string:
		parsed, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err == nil && !math.IsNaN(parsed) && !math.IsInf(parsed, 0) {
			return &parsed
		}
		f.problem(key, "is %.40q; write a number", value)
	default:
		f.problem(key, "must be a number, got %s", kind(value))
	}
	return nil
}

// share is a number above 0 and up to 1.
func (f fields) share(key string, fallback float64) float64 {
	given := f.quantity(key)
	switch {
	case given == nil:
		return fallback
	case !(*given > 0 && *given <= 1):
		f.problem(key, "is %g; write a number above 0 and up to 1", *given)
		return fallback
	}
	return *given
}

// quantities are a list of numbers, or one number.
func (f fields) quantities(key string) (found []float64) {
	list, many := f.value(key).([]any)
	if !many {
		if one := f.quantity(key); one != nil {
			found = append(found, *one)
		}
		return found
	}
	for i, element := range list {
		at := fields{path: f.path, problems: f.problems, known: f.known, values: map[string]any{key: element}}
		if one := at.quantity(key); one != nil {
			found = append(found, *one)
		} else if element == nil {
			f.problem(key, "holds nothing at place %d: write numbers", i)
		}
	}
	return found
}

// number is a whole number between low and high.
func (f fields) number(key string, fallback, low, high int) int {
	var number float64
	switch value := f.numeric(key).(type) {
	case nil:
		return fallback
	case float64:
		number = value
	case string:
		parsed, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			f.problem(key, "is %.40q; write a number", value)
			return fallback
		}
		number = parsed
	default:
		f.problem(key, "must be a number, got %s", kind(value))
		return fallback
	}
	if number != float64(int(number)) || int(number) < low || int(number) > high {
		f.problem(key, "is %g; write a whole number from %d to %d", number, low, high)
		return fallback
	}
	return int(number)
}

// duration is Prometheus' notation ("25s"), or a number of seconds.
func (f fields) duration(key string, fallback, low, high time.Duration) time.Duration {
	var duration time.Duration
	switch value := f.numeric(key).(type) {
	case nil:
		return fallback
	case float64:
		duration = time.Duration(min(value, 1e9) * float64(time.Second))
	case string:
		value = strings.TrimSpace(value)
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && math.Abs(seconds) <= 1e9 {
			duration = time.Duration(seconds * float64(time.Second))
			break
		}
		parsed, err := model.ParseDuration(value)
		if err != nil {
			f.problem(key, "is %.40q; write it like \"25s\"", value)
			return fallback
		}
		duration = time.Duration(parsed)
	default:
		f.problem(key, "must be a duration like \"25s\", got %s", kind(value))
		return fallback
	}
	if duration < low || duration > high {
		f.problem(key, "is %s; choose between %s and %s", duration, low, high)
		return fallback
	}
	return duration
}

// texts is a list of texts, or one text with commas.
func (f fields) texts(key string, fallback ...string) (texts []string) {
	switch value := f.value(key).(type) {
	case nil:
		return fallback
	case string:
		for _, text := range strings.Split(value, ",") {
			texts = append(texts, strings.TrimSpace(text))
		}
	case []any:
		for _, one := range value {
			switch one := one.(type) {
			case string:
				texts = append(texts, strings.TrimSpace(one))
			case json.Number:
				texts = append(texts, one.String())
			case bool:
				texts = append(texts, strconv.FormatBool(one))
			default:
				f.problem(key, "holds %s: write a list of texts", kind(one))
				return fallback
			}
		}
	case json.Number:
		texts = append(texts, value.String())
	default:
		f.problem(key, "must be a list of texts, got %s", kind(value))
		return fallback
	}
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

// textMap is an object of texts.
func (f fields) textMap(key string) map[string]string {
	nested := f.object(key)
	texts := map[string]string{}
	for name := range nested.values {
		texts[name] = nested.text(name, "")
	}
	return texts
}

// unknown names the fields that nobody asked for: mostly misspellings.
func (f fields) unknown() []string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		if !f.known[key] {
			names = append(names, f.path+key)
		}
	}
	return names
}

func kind(value any) string {
	switch value := value.(type) {
	case json.Number:
		return "the number " + value.String()
	case float64:
		return fmt.Sprintf("the number %g", value)
	case bool:
		return fmt.Sprintf("the boolean %t", value)
	case string:
		return fmt.Sprintf("the text %.40q", value)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "null"
}

package frames

import (
	"fmt"
	"math"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// The values of fields. Grafana draws null as a gap and evaluates it as "no
// data"; NaN would fire one kind of rule and silence another, and Inf cannot
// be sent as JSON at all.

// nullable is v, or null where it is not a finite number.
func nullable(v float64) *float64 {
	if !isFinite(v) {
		return nil
	}
	return &v
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// at is the i-th value, null outside the values.
func at(values []float64, i int) *float64 {
	if i < 0 || i >= len(values) {
		return nil
	}
	return nullable(values[i])
}

// nullableTime is t in UTC, or null where it is not set.
func nullableTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// number is a figure for people.
func number(v float64) string {
	if !isFinite(v) {
		return "unknown"
	}
	return fmt.Sprintf("%.4g", v)
}

// column is a field with one value per row. The title is what people read, the
// name what transformations and tests refer to.
func column[Row, Value any](rows []Row, name, title, unit string, value func(Row) Value) *data.Field {
	values := make([]Value, len(rows))
	for i, row := range rows {
		values[i] = value(row)
	}
	field := data.NewField(name, nil, values)
	field.Config = &data.FieldConfig{DisplayNameFromDS: title, Unit: unit}
	return field
}

// plain replaces every NaN and Inf inside a JSON-like value with nil, so that
// it can be written as JSON.
func plain(value any) any {
	switch v := value.(type) {
	case float64:
		if !isFinite(v) {
			return nil
		}
	case map[string]float64:
		clean := make(map[string]any, len(v))
		for key, element := range v {
			clean[key] = plain(element)
		}
		return clean
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, element := range v {
			clean[key] = plain(element)
		}
		return clean
	case []float64:
		clean := make([]any, len(v))
		for i, element := range v {
			clean[i] = plain(element)
		}
		return clean
	case []any:
		clean := make([]any, len(v))
		for i, element := range v {
			clean[i] = plain(element)
		}
		return clean
	}
	return value
}

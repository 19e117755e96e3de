// Package lenient reads JSON as real senders write it: numbers where text is
// meant, and times as RFC 3339 or as a number since 1970 in seconds,
// milliseconds, microseconds or nanoseconds. Its errors name the field.
package lenient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Text is a text, or a number or boolean as it was written.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		*t = Text(strings.TrimSpace(text))
	case 'n':
	case '{', '[':
		return &json.UnmarshalTypeError{Value: describe(raw), Type: reflect.TypeFor[string]()}
	default:
		*t = Text(raw)
	}
	return nil
}

// Bool is a boolean, also as text or as 0 or 1.
type Bool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bool) UnmarshalJSON(raw []byte) error {
	var text Text
	if err := text.UnmarshalJSON(raw); err != nil {
		return &json.UnmarshalTypeError{Value: describe(raw), Type: reflect.TypeFor[bool]()}
	}
	value, err := strconv.ParseBool(strings.ToLower(string(text)))
	if err != nil {
		return &json.UnmarshalTypeError{Value: fmt.Sprintf("%.60s", raw), Type: reflect.TypeFor[bool]()}
	}
	*b = Bool(value)
	return nil
}

// Time is an instant; null and empty text are the zero time.
type Time struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(raw []byte) error {
	var text Text
	if err := text.UnmarshalJSON(raw); err != nil {
		return &json.UnmarshalTypeError{Value: describe(raw), Type: reflect.TypeFor[time.Time]()}
	}
	if text == "" {
		return nil
	}
	at, ok := ParseTime(string(text))
	if !ok {
		return &json.UnmarshalTypeError{Value: fmt.Sprintf("%.60s", raw), Type: reflect.TypeFor[time.Time]()}
	}
	t.Time = at
	return nil
}

// maxSeconds tells seconds from milliseconds, and each unit from the next that is
// a thousand times finer: as seconds it is the year 5138, as milliseconds 1973.
const maxSeconds = 1e11

// layouts are RFC 3339, what GitLab writes, what date and git write, and dates of
// HTTP and mail. One without a zone could be hours away.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC",
	"2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z07",
	time.RFC1123, time.RFC1123Z,
}

// ParseTime reads RFC 3339, or a number since 1970 whose size tells its unit.
func ParseTime(text string) (time.Time, bool) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return fromNumber(whole), true
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) >= 1e19 {
		return time.Time{}, false
	}
	if math.Abs(seconds) >= maxSeconds { // a finer unit, written with a fraction or an exponent
		return fromNumber(int64(math.Max(math.Min(seconds, math.MaxInt64/2), math.MinInt64/2))), true
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC(), true
}

func fromNumber(n int64) time.Time {
	switch size := math.Abs(float64(n)); {
	case size < maxSeconds:
		return time.Unix(n, 0).UTC()
	case size < maxSeconds*1e3:
		return time.UnixMilli(n).UTC()
	case size < maxSeconds*1e6:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

// Unmarshal is json.Unmarshal with errors that name the field, in plain words.
func Unmarshal(raw []byte, into any) error {
	err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), into) // a byte order mark, as Windows writes it
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s must be %s, got %s", fieldName(wrongType.Field), wanted(wrongType.Type), cmp.Or(values[wrongType.Value], wrongType.Value))
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON: it breaks off, or holds what does not belong there, at byte %d", syntax.Offset)
	}
	return err
}

// values are JSON's values in words, by encoding/json's names for them.
var values = map[string]string{"string": "text", "array": "a list", "object": "an object", "number": "a number", "bool": "true or false"}

// fieldName is the path of a field as senders write it.
func fieldName(path string) string {
	if path == "" {
		return "the body"
	}
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if part == strings.ToUpper(part) {
			parts[i] = strings.ToLower(part)
		} else if part != "" {
			parts[i] = strings.ToLower(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, ".")
}

func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return "a time like 2026-01-31T12:00:00Z, or a number since 1970 in s, ms, µs or ns"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}

func describe(raw []byte) string {
	if bytes.HasPrefix(raw, []byte("[")) {
		return "a list"
	}
	return "an object"
}

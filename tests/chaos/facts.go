package chaos

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// facts are what an answer says, each thing under a name of its own, so that
// two answers can be compared and one may say less than the other.
type facts map[string]string

// unknown are the ways in which an answer says that something is unknown.
var unknown = []string{"null", "", "inconclusive", "Inconclusive", "insufficient", "not_comparable"}

// impossible says that a value must never be answered, whatever failed.
func impossible(value string) bool {
	number, err := strconv.ParseFloat(value, 64)
	return err == nil && (math.IsNaN(number) || math.IsInf(number, 0))
}

// ofFrames are the facts of frames. Rows are named by the columns in keys, or
// by their time; of columns those in keep count, or all where it is empty.
func ofFrames(frames data.Frames, keys, keep []string) facts {
	all := facts{}
	for _, frame := range frames {
		for row := range frame.Rows() {
			name := frame.Name + "/" + rowName(frame, row, keys)
			for _, field := range frame.Fields {
				if len(keep) > 0 && !slices.Contains(keep, field.Name) {
					continue
				}
				all[name+"/"+field.Name+field.Labels.String()] = textOf(field, row)
			}
		}
	}
	return all
}

func rowName(frame *data.Frame, row int, keys []string) string {
	var parts []string
	for i, field := range frame.Fields {
		if slices.Contains(keys, field.Name) || i == 0 && field.Type().Time() && len(keys) == 0 {
			parts = append(parts, textOf(field, row))
		}
	}
	if len(parts) == 0 {
		return strconv.Itoa(row)
	}
	return strings.Join(parts, " ")
}

func textOf(field *data.Field, row int) string {
	value, known := field.ConcreteAt(row)
	if !known {
		return "null"
	}
	switch v := value.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(value)
}

// ofJSON are the facts of a JSON text: of paths, those that end in one of keep
// count, or all where it is empty.
func ofJSON(raw []byte, keep []string) (facts, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("not JSON: %w: %.100q", err, raw)
	}
	all := facts{}
	flatten(all, "", value, keep)
	return all, nil
}

func flatten(into facts, path string, value any, keep []string) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			flatten(into, path+"/"+name, inner, keep)
		}
		return
	case []any:
		for i, inner := range v {
			flatten(into, fmt.Sprintf("%s/%d", path, i), inner, keep)
		}
		return
	case nil:
		value = "null"
	case float64:
		value = strconv.FormatFloat(v, 'g', -1, 64)
	}
	if len(keep) == 0 || slices.ContainsFunc(keep, func(end string) bool { return strings.HasSuffix(path, "/"+end) }) {
		into[path] = fmt.Sprint(value)
	}
}

// against compares an answer with the one without a fault: what is missing or
// said to be unknown, and what is otherwise. Numbers may differ by a share.
func (f facts) against(whole facts, near float64) (less, wrong []string) {
	for name, value := range f {
		right, known := whole[name]
		switch {
		case impossible(value):
			wrong = append(wrong, fmt.Sprintf("%s is %s", name, value))
		case known && alike(value, right, near):
		case slices.Contains(unknown, value):
			less = append(less, name)
		default:
			wrong = append(wrong, fmt.Sprintf("%s is %q, and not %q", name, value, right))
		}
	}
	for name := range whole {
		if _, there := f[name]; !there {
			less = append(less, name)
		}
	}
	slices.Sort(less)
	slices.Sort(wrong)
	return less, wrong
}

// anyNumber lets every number pass for another, but zero.
const anyNumber = 2.0

func alike(a, b string, near float64) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return near > 0 && errX == nil && errY == nil && x != 0 && math.Abs(x-y) <= near*math.Max(math.Abs(x), math.Abs(y))
}

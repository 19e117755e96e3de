package tempo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Tempo before 2.10 answers searches in JSON only. jsonpb needs half a minute
// for what these few types read in a second.
type (
	traceJSON struct {
		TraceID           string
		StartTimeUnixNano integer
		SpanSets          []struct {
			Matched integer
			Spans   []spanJSON
		}
		ServiceStats map[string]struct{ SpanCount integer }
	}
	spanJSON struct {
		SpanID            string
		Name              string
		StartTimeUnixNano integer
		DurationNanos     integer
		Attributes        []attributeJSON
	}
	attributeJSON struct {
		Key   string
		Value valueJSON
	}
	valueJSON struct {
		StringValue *string
		IntValue    json.RawMessage
		DoubleValue json.RawMessage
		BoolValue   json.RawMessage
	}
)

// integer is a 64-bit integer of protobuf's JSON: a number, or a number in a
// string. Unsigned ones wrap, as negative durations do in Tempo.
type integer int64

// UnmarshalJSON implements json.Unmarshaler.
func (i *integer) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	if text == "" || text == "null" {
		return nil
	}
	if unsigned, err := strconv.ParseUint(text, 10, 64); err == nil {
		*i = integer(unsigned)
		return nil
	}
	signed, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%.40q is not an integer", text)
	}
	*i = integer(signed)
	return nil
}

// float is a number of protobuf's JSON, which writes NaN and infinities as
// texts.
type float float64

// UnmarshalJSON implements json.Unmarshaler.
func (f *float) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	if text == "" || text == "null" {
		return nil
	}
	value, err := strconv.ParseFloat(strings.Replace(text, "Infinity", "Inf", 1), 64)
	if err != nil {
		return fmt.Errorf("%.40q is not a number", text)
	}
	*f = float(value)
	return nil
}

func (v valueJSON) text() string {
	if v.StringValue != nil {
		return *v.StringValue
	}
	for _, raw := range []json.RawMessage{v.IntValue, v.DoubleValue, v.BoolValue} {
		if len(raw) > 0 {
			return string(bytes.Trim(raw, `"`))
		}
	}
	return "" // lists do not describe operations
}

// maxObjects bounds the objects in an answer: a small answer of empty objects
// must not grow into many times its size.
const maxObjects = 2_000_000

// searchJSON reads a search's answer, one trace after the other.
func searchJSON(body []byte, maxTraces int) ([]found, error) {
	if bytes.Count(body, []byte("{")) > maxObjects {
		return nil, errors.New("the answer has more objects than any search")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := expect(decoder, json.Delim('{')); err != nil {
		return nil, err
	}
	var all []found
	known := texts{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if key != "traces" {
			var skipped json.RawMessage
			if err := decoder.Decode(&skipped); err != nil {
				return nil, err
			}
			continue
		}
		if err := expect(decoder, json.Delim('[')); err != nil {
			return nil, err
		}
		for decoder.More() {
			var one traceJSON
			if err := decoder.Decode(&one); err != nil {
				return nil, err
			}
			if len(all) < maxTraces {
				if f, ok := known.fromJSON(one); ok {
					all = append(all, f)
				}
			}
		}
		if err := expect(decoder, json.Delim(']')); err != nil {
			return nil, err
		}
	}
	return all, expect(decoder, json.Delim('}'))
}

func expect(decoder *json.Decoder, delimiter json.Delim) error {
	token, err := decoder.Token()
	if err == nil && token != delimiter {
		err = fmt.Errorf("%q expected in the place of %.40q", delimiter.String(), fmt.Sprint(token))
	}
	return err
}

// fromJSON drops a trace whose id is none: it could not be named to anybody.
func (t texts) fromJSON(one traceJSON) (found, bool) {
	id, err := trace.ParseTraceID(one.TraceID)
	if err != nil || one.TraceID == "" {
		return found{}, false
	}
	f := found{Trace: trace.Trace{ID: id}, start: int64(one.StartTimeUnixNano)}
	for _, stats := range one.ServiceStats {
		f.counted += int(stats.SpanCount)
	}
	for _, set := range one.SpanSets {
		f.matched += int(set.Matched)
		for _, s := range set.Spans {
			if len(f.Spans) == maxSpans {
				f.Partial = true
				break
			}
			span := trace.Span{Name: t.intern(s.Name), Start: int64(s.StartTimeUnixNano), Duration: int64(s.DurationNanos)}
			span.ID, _ = trace.ParseSpanID(s.SpanID)
			for _, attribute := range s.Attributes {
				t.describe(&span, attribute.Key, attribute.Value.text())
			}
			f.Spans = append(f.Spans, span)
		}
	}
	return f, true
}

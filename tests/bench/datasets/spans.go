package datasets

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// ReadSpans reads files of spans: OTLP JSON (one object, or one a line) or
// Nezha's CSV, either compressed with gzip or not.
func ReadSpans(files []string) ([]trace.Trace, error) {
	store := newSpanStore()
	slices.Sort(files)
	for _, name := range files {
		if err := store.readFile(name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return store.traces, nil
}

func (s *spanStore) readFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	if magic, _ := reader.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(reader)
		if err != nil {
			return err
		}
		reader = bufio.NewReader(unpacked)
	}
	first, err := reader.Peek(1)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	if strings.ContainsAny(string(first), "{[ \n\t\r") {
		return s.readOTLP(reader)
	}
	return s.readNezha(reader)
}

// The parts of OTLP's JSON encoding that describe a span. Tempo calls the
// outer list batches.
type (
	otlpExport struct {
		ResourceSpans []otlpResource `json:"resourceSpans"`
		Batches       []otlpResource `json:"batches"`
	}
	otlpResource struct {
		Resource struct {
			Attributes []otlpAttribute `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Spans []otlpSpan `json:"spans"`
		} `json:"scopeSpans"`
	}
	otlpSpan struct {
		TraceID      string          `json:"traceId"`
		SpanID       string          `json:"spanId"`
		ParentSpanID string          `json:"parentSpanId"`
		Name         string          `json:"name"`
		Kind         any             `json:"kind"`
		Start        json.RawMessage `json:"startTimeUnixNano"`
		End          json.RawMessage `json:"endTimeUnixNano"`
		Attributes   []otlpAttribute `json:"attributes"`
		Status       struct {
			Code    any    `json:"code"`
			Message string `json:"message"`
		} `json:"status"`
	}
	otlpAttribute struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

func (a *otlpAttribute) text() string {
	for _, value := range a.Value {
		return fmt.Sprint(value)
	}
	return ""
}

func (s *spanStore) readOTLP(reader io.Reader) error {
	decoder := json.NewDecoder(reader)
	for {
		var export otlpExport
		if err := decoder.Decode(&export); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for _, resource := range append(export.ResourceSpans, export.Batches...) {
			service, version := "", ""
			for _, attribute := range resource.Resource.Attributes {
				switch attribute.Key {
				case "service.name":
					service = s.text(attribute.text())
				case "service.version":
					version = s.text(attribute.text())
				}
			}
			for _, scope := range resource.ScopeSpans {
				for i := range scope.Spans {
					id, span, err := s.span(&scope.Spans[i])
					if err != nil {
						return err
					}
					span.Service, span.Version = service, version
					s.add(id, span)
				}
			}
		}
	}
}

func (s *spanStore) span(o *otlpSpan) (id trace.TraceID, span trace.Span, err error) {
	var ids, parents, starts, ends error
	id, err = trace.ParseTraceID(o.TraceID)
	span.ID, ids = trace.ParseSpanID(o.SpanID)
	span.ParentID, parents = trace.ParseSpanID(o.ParentSpanID)
	span.Start, starts = strconv.ParseInt(strings.Trim(string(o.Start), `"`), 10, 64)
	end, ends := strconv.ParseInt(strings.Trim(string(o.End), `"`), 10, 64)
	if err := errors.Join(err, ids, parents, starts, ends); err != nil {
		return id, span, fmt.Errorf("span %.40q: %w", o.Name, err)
	}
	span.Duration, span.Name, span.StatusMessage = end-span.Start, s.text(o.Name), o.Status.Message
	span.Kind = kindOf(o.Kind)
	span.Failed = o.Status.Code == float64(2) || o.Status.Code == "STATUS_CODE_ERROR"
	for i := range o.Attributes {
		attribute := &o.Attributes[i]
		if slices.Contains(trace.DescribingAttributes, attribute.Key) || slices.Contains(trace.CircumstanceAttributes, attribute.Key) {
			span.Attributes = append(span.Attributes, trace.Attribute{Key: s.text(attribute.Key), Value: s.text(attribute.text())})
		}
	}
	return id, span, nil
}

// kindOf reads a span kind as number or name.
func kindOf(kind any) trace.Kind {
	switch kind := kind.(type) {
	case float64:
		if kind >= 0 && kind <= float64(trace.Consumer) {
			return trace.Kind(kind)
		}
	case string:
		for k := trace.Internal; k <= trace.Consumer; k++ {
			if strings.EqualFold(strings.TrimPrefix(kind, "SPAN_KIND_"), k.String()) {
				return k
			}
		}
	}
	return trace.Unspecified
}

//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// otlpSpan is a span in OTLP's JSON.
type otlpSpan struct {
	TraceID      string `json:"traceId"`
	SpanID       string `json:"spanId"`
	ParentSpanID string `json:"parentSpanId,omitempty"`
	Name         string `json:"name"`
	Kind         int    `json:"kind"`
	Start        string `json:"startTimeUnixNano"`
	End          string `json:"endTimeUnixNano"`
}

// send stores spans of a service in the lab's Tempo.
func send(t *testing.T, l *harness.Lab, service, version string, spans []otlpSpan) {
	t.Helper()
	attribute := func(key, value string) map[string]any {
		return map[string]any{"key": key, "value": map[string]any{"stringValue": value}}
	}
	const batch = 5000
	for len(spans) > 0 {
		n := min(batch, len(spans))
		body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
			"resource":   map[string]any{"attributes": []any{attribute("service.name", service), attribute("service.version", version)}},
			"scopeSpans": []any{map[string]any{"spans": spans[:n]}},
		}}})
		require.NoError(t, err)
		response, err := http.Post(l.OTLP+"/v1/traces", "application/json", bytes.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		spans = spans[n:]
	}
}

func span(trace, id, parent int, start time.Time, duration time.Duration) otlpSpan {
	s := otlpSpan{
		TraceID: fmt.Sprintf("%032x", 0xabc000000+trace), SpanID: fmt.Sprintf("%016x", id),
		Name: "work", Kind: 2,
		Start: strconv.FormatInt(start.UnixNano(), 10), End: strconv.FormatInt(start.Add(duration).UnixNano(), 10),
	}
	if parent != 0 {
		s.ParentSpanID = fmt.Sprintf("%016x", parent)
	}
	return s
}

// TestMalformedTraces stores what no instrumentation should send, and one
// trace of 50,000 spans, and asks about it.
func TestMalformedTraces(t *testing.T) {
	source, l := shop(t)
	now := time.Now()
	var sound, broken []otlpSpan
	for i := range 40 {
		at := now.Add(-time.Minute + time.Duration(i)*time.Second)
		sound = append(sound, span(i, 1, 0, at, 20*time.Millisecond), span(i, 2, 1, at, 10*time.Millisecond))
		root := span(100+i, 1, 0, at, 20*time.Millisecond)
		switch i % 5 {
		case 0: // the parent is missing
			broken = append(broken, span(100+i, 2, 99, at, 10*time.Millisecond))
		case 1: // it ends before it begins
			broken = append(broken, root, span(100+i, 2, 1, at, -10*time.Millisecond))
		case 2: // a clock minutes away
			broken = append(broken, root, span(100+i, 2, 1, at.Add(5*time.Minute), 10*time.Millisecond))
		case 3: // a cycle beside the root
			broken = append(broken, root, span(100+i, 2, 3, at, 10*time.Millisecond), span(100+i, 3, 2, at, 10*time.Millisecond))
		case 4: // the same span twice
			broken = append(broken, root, span(100+i, 2, 1, at, 10*time.Millisecond), span(100+i, 2, 1, at, 10*time.Millisecond))
		}
	}
	send(t, l, "strange", "1", sound)
	send(t, l, "strange", "2", broken)

	huge := []otlpSpan{span(999, 1, 0, now, time.Second)}
	for id := 2; id <= 50_000; id++ {
		huge = append(huge, span(999, id, 1, now, time.Millisecond))
	}
	send(t, l, "huge", "1", huge)

	eventually(t, time.Minute, "broken traces are compared", func() error {
		frames, err := source.Ask(t.Context(), now.Add(-10*time.Minute), time.Now(), map[string]any{
			"queryType": "traceDiff", "service": "strange", "baseline": map[string]any{"version": "1"}, "candidate": map[string]any{"version": "2"},
		})
		if err != nil {
			return err
		}
		summary, err := harness.Frame(frames, "summary")
		require.NoError(t, err)
		return unless(harness.Number(summary, "baseline_traces", 0) >= 40 && harness.Number(summary, "candidate_traces", 0) >= 35,
			"%s against %s traces: %s", harness.Text(summary, "candidate_traces", 0), harness.Text(summary, "baseline_traces", 0), harness.Text(summary, "reason", 0))
	})
	eventually(t, time.Minute, "a trace of 50,000 spans is read", func() error {
		frames, err := source.Ask(t.Context(), now.Add(-10*time.Minute), time.Now(), map[string]any{
			"queryType": "traceDiff", "service": "huge", "baseline": map[string]any{"from": "-9m"}, "candidate": map[string]any{"from": "-8m"},
		})
		if err != nil {
			return err
		}
		summary, err := harness.Frame(frames, "summary")
		require.NoError(t, err)
		return unless(harness.Number(summary, "candidate_spans", 0) >= 50_000, "%s spans: %s",
			harness.Text(summary, "candidate_spans", 0), harness.Text(summary, "reason", 0))
	})
}

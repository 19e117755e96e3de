package datasets

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// spanStore gathers spans into traces; a span given twice counts once.
type spanStore struct {
	traces []trace.Trace
	index  map[trace.TraceID]int
	seen   map[[24]byte]bool
	texts  map[string]string
}

func newSpanStore() *spanStore {
	return &spanStore{index: map[trace.TraceID]int{}, seen: map[[24]byte]bool{}, texts: map[string]string{}}
}

func (s *spanStore) add(id trace.TraceID, span trace.Span) {
	var key [24]byte
	copy(key[:], id[:])
	copy(key[16:], span.ID[:])
	if s.seen[key] {
		return
	}
	s.seen[key] = true
	at, known := s.index[id]
	if !known {
		at = len(s.traces)
		s.index[id], s.traces = at, append(s.traces, trace.Trace{ID: id})
	}
	s.traces[at].Spans = append(s.traces[at].Spans, span)
}

// text keeps one copy of a text that occurs often.
func (s *spanStore) text(text string) string {
	if held, known := s.texts[text]; known {
		return held
	}
	text = strings.Clone(text)
	s.texts[text] = text
	return text
}

// readNezha reads the columns TraceID, SpanID, ParentID, PodName,
// OperationName, start and end. The data know neither status nor kind: the one
// visible sign of a failure is Spring's error controller.
func (s *spanStore) readNezha(reader io.Reader) error {
	rows := csv.NewReader(reader)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	for line := 1; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if line == 1 && row[0] == "TraceID" {
			continue
		}
		if len(row) < 7 {
			return fmt.Errorf("line %d has %d columns, not 8", line, len(row))
		}
		id, err := trace.ParseTraceID(row[0])
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		span := trace.Span{Service: s.text(serviceOf(row[3])), Name: s.text(row[4])}
		if span.ID, err = trace.ParseSpanID(row[1]); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if row[2] != "root" {
			if span.ParentID, err = trace.ParseSpanID(row[2]); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
		}
		start, startErr := strconv.ParseInt(row[5], 10, 64)
		end, endErr := strconv.ParseInt(row[6], 10, 64)
		if err := errors.Join(startErr, endErr); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		span.Start, span.Duration = start, end-start
		span.Failed = strings.HasPrefix(span.Name, "BasicErrorController")
		s.add(id, span)
	}
}

// serviceOf is the deployment of a pod: its name without the hashes of the
// replica set and the pod.
func serviceOf(pod string) string {
	parts := strings.Split(pod, "-")
	if len(parts) > 2 {
		parts = parts[:len(parts)-2]
	}
	return strings.Join(parts, "-")
}

// injected is one fault of a day.
type injected struct {
	At            int64 // nanoseconds, in the clock of the spans
	Service, kind string
}

// Day is what one folder of Nezha's data holds.
type Day struct {
	traces []trace.Trace
	starts []int64
	Faults []injected
}

// LoadDay reads a day's folder. Its clock is local time written as UTC, in the
// spans as in the text inject_time: those two agree.
func LoadDay(folder string) (*Day, error) {
	text, err := os.ReadFile(filepath.Join(folder, "fault_list.json"))
	if err != nil {
		return nil, fmt.Errorf("%w; name a day's folder, as in -data ../shared/data/nezha/2022-08-22", err)
	}
	var hours map[string][]struct {
		Time string `json:"inject_time"`
		Pod  string `json:"inject_pod"`
		Kind string `json:"inject_type"`
	}
	if err := json.Unmarshal(text, &hours); err != nil {
		return nil, err
	}
	d := &Day{}
	for _, hour := range hours {
		for _, fault := range hour {
			at, err := time.Parse(time.DateTime, fault.Time)
			if err != nil {
				return nil, err
			}
			d.Faults = append(d.Faults, injected{at.UnixNano(), serviceOf(fault.Pod), fault.Kind})
		}
	}
	slices.SortFunc(d.Faults, func(a, b injected) int { return int(a.At/1e9 - b.At/1e9) })
	files, err := filepath.Glob(filepath.Join(folder, "trace", "*.csv*"))
	if err != nil {
		return nil, err
	}
	if d.traces, err = ReadSpans(files); err != nil {
		return nil, err
	}
	d.starts = make([]int64, len(d.traces))
	for i := range d.traces {
		d.starts[i] = d.traces[i].Start().UnixNano()
	}
	return d, nil
}

// Between are the traces that begin in a stretch of time.
func (d *Day) Between(from, to int64) (held []trace.Trace) {
	for i, start := range d.starts {
		if start >= from && start < to {
			held = append(held, d.traces[i])
		}
	}
	return held
}

// Quiet is the time before a fault that the data hold and no fault touches.
func (d *Day) Quiet(fault int) (from, to int64) {
	at := d.Faults[fault].At
	return at - int64(70*time.Second), at - int64(2*time.Second)
}

// Clean are the fault-free moments of the day: those before all faults but the
// one, as far as they do not touch it.
func (d *Day) Clean(except int) (held []trace.Trace) {
	for i := range d.Faults {
		distance := d.Faults[i].At - d.Faults[except].At
		if i != except && (distance > int64(200*time.Second) || distance < -int64(60*time.Second)) {
			held = append(held, d.Between(d.Quiet(i))...)
		}
	}
	return held
}

// Others are the minutes after faults of other services.
func (d *Day) Others(except int) (held []trace.Trace) {
	for _, fault := range d.Faults {
		if fault.Service != d.Faults[except].Service {
			held = append(held, d.Between(fault.At, fault.At+int64(180*time.Second))...)
		}
	}
	return held
}

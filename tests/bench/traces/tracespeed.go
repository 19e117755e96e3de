package traces

import (
	"flag"
	"runtime"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("trace-speed", "speed and memory of comparing two populations of traces, on one core [-traces N]", traceSpeed)
}

type traceSpeedFigures struct {
	Traces         int     `json:"traces"` // of each side
	Spans          int     `json:"spans"`  // of both sides
	Verdict        string  `json:"verdict"`
	Seconds        float64 `json:"seconds"`                  // of processor time, best of five
	SpansPerSecond float64 `json:"spans_per_second"`         // of the comparison
	BytesPerSpan   float64 `json:"bytes_per_span"`           // of the spans as upstreams hold them
	PeakPerSpan    float64 `json:"allocated_bytes_per_span"` // by one comparison
	PerMillion     float64 `json:"seconds_per_million_spans"`
	Allocated      float64 `json:"allocated_megabytes"` // by one comparison
}

// traceSpeed compares 2 × 1,000 traces of about 100 spans.
func traceSpeed(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("trace-speed", flag.ContinueOnError)
	size := flags.Int("traces", 1000, "traces of each side")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(runtime.NumCPU())
	const width = 90
	traces := *size
	empty := runner.Heap()
	baseline := tracetest.Shop{Seed: 1, Traces: traces, Width: width, Version: "1"}.Generate()
	candidate := tracetest.Shop{Seed: 2, Traces: traces, Width: width, Version: "2", SlowQuery: 3}.Generate()
	held := runner.Heap() - empty
	spans := count(baseline) + count(candidate)

	figures := traceSpeedFigures{Traces: traces, Spans: spans, BytesPerSpan: float64(held) / float64(spans)}
	best := time.Duration(1<<63 - 1)
	for range 5 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		begun := runner.ProcessorTime()
		result := diff.Compare(baseline, candidate, diff.Options{})
		best = min(best, runner.ProcessorTime()-begun)
		runtime.ReadMemStats(&after)
		figures.Verdict = string(result.Verdict)
		figures.Allocated = float64(after.TotalAlloc-before.TotalAlloc) / 1e6
		figures.PeakPerSpan = float64(after.TotalAlloc-before.TotalAlloc) / float64(spans)
	}
	figures.Seconds = best.Seconds()
	figures.SpansPerSecond = float64(spans) / best.Seconds()
	figures.PerMillion = 1e6 / figures.SpansPerSecond
	runtime.KeepAlive(baseline)
	runtime.KeepAlive(candidate)
	return figures, nil
}

func count(traces []trace.Trace) (spans int) {
	for i := range traces {
		spans += len(traces[i].Spans)
	}
	return spans
}

package diff_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// BenchmarkCompare reports how many spans are compared per second of processor
// time and how much memory the comparison holds per span at most (without the
// spans themselves).
func BenchmarkCompare(b *testing.B) {
	for _, width := range []int{0, 280} {
		baseline := tracetest.Shop{Seed: 1, Traces: 1000, Width: width}.Generate()
		candidate := tracetest.Shop{Seed: 2, Traces: 1000, Width: width, SlowQuery: 8}.Generate()
		spans := spanCount(baseline) + spanCount(candidate)
		b.Run(fmt.Sprintf("%d spans per trace", spans/2000), func(b *testing.B) {
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := processorTime()
			for b.Loop() {
				diff.Compare(baseline, candidate, diff.Options{})
			}
			spent := processorTime() - start
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(spans)*float64(b.N)/spent.Seconds(), "spans/s")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/float64(spans), "B/span")
		})
	}
}

// processorTime is what this process has used of all cores: it does not count
// what the machine does for others.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func spanCount(traces []trace.Trace) (count int) {
	for i := range traces {
		count += len(traces[i].Spans)
	}
	return count
}

package runner

import (
	"math"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// Round to the given number of digits.
func Round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// MedianOf numbers; 0 of none.
func MedianOf(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(x))
	return (sorted[(len(x)-1)/2] + sorted[len(x)/2]) / 2
}

// Median of durations, in seconds.
func Median(durations []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[len(sorted)/2].Seconds()
}

// Timed measures what a function takes.
func Timed(work func() error) (time.Duration, error) {
	begun := time.Now()
	err := work()
	return time.Since(begun), err
}

// ProcessorTime is what this process has used of the processors: on a busy
// machine it says more about a computation than the time on the wall.
func ProcessorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Heap is the size of what is reachable.
func Heap() uint64 {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return memory.HeapAlloc
}

// OneIf is 1 if the condition holds, else 0.
func OneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}

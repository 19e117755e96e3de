//go:build linux

package attack

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/foresight-observability/foresight/tests/harness"
)

// limitMemory bounds what a process may have of memory that can be written.
// The address space is no measure: Go's runtime reserves more than it uses.
func limitMemory(pid int, bytes uint64) error {
	limit := unix.Rlimit{Cur: bytes, Max: bytes}
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &limit, nil); err != nil {
		return fmt.Errorf("limiting the memory of process %d: %w", pid, err)
	}
	return nil
}

var peakPattern = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peakMemory is the most that a process had in memory, in MiB.
func peakMemory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	found := peakPattern.FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("process %d has no memory any more", pid)
	}
	kilobytes, err := strconv.ParseFloat(string(found[1]), 64)
	return kilobytes / 1024, err
}

var goroutinePattern = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

// goroutines are those of the plugin's process.
func goroutines(ctx context.Context, plugin *harness.Plugin) (int, error) {
	text, err := plugin.Metrics(ctx)
	if err != nil {
		return 0, err
	}
	found := goroutinePattern.FindStringSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("the plugin tells no number of goroutines")
	}
	return strconv.Atoi(found[1])
}

//go:build !linux

package attack

import (
	"context"
	"errors"

	"github.com/foresight-observability/foresight/tests/harness"
)

var errLinux = errors.New("the attack measures a process on Linux only")

func limitMemory(int, uint64) error { return errLinux }

func peakMemory(int) (float64, error) { return 0, errLinux }

func goroutines(context.Context, *harness.Plugin) (int, error) { return 0, errLinux }

package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

func TestFormatDuration(t *testing.T) {
	for nanoseconds, want := range map[float64]string{
		0: "0 ms", 12: "12 ns", 999: "999 ns", 250_000: "250 µs", 4_100_000: "4.1 ms", 31_040_000: "31 ms", 999_600_000: "1 s",
		999_400_000: "999 ms", 1.234e9: "1.23 s", 12_345e9: "12345 s", -4_100_000: "-4.1 ms",
	} {
		require.Equal(t, want, trace.FormatDuration(nanoseconds))
	}
}

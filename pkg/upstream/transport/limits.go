package transport

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/budget"
)

// Limits bound what is asked of an upstream, and what is taken from it. A zero
// takes the default.
type Limits struct {
	Concurrency   int           // requests at once; 8
	Timeout       time.Duration // of a question, waiting for its turn included; 25 s
	ResponseBytes int64         // of one answer, decompressed; 32 MiB
	Failures      int           // in a row, after which an upstream is left alone; 5
	Pause         time.Duration // for which it is left alone; 15 s
}

func (l Limits) withDefaults() Limits {
	if l.Concurrency <= 0 {
		l.Concurrency = 8
	}
	if l.Timeout <= 0 {
		l.Timeout = 25 * time.Second
	}
	if l.ResponseBytes <= 0 {
		l.ResponseBytes = 32 << 20
	}
	if l.Failures <= 0 {
		l.Failures = 5
	}
	if l.Pause <= 0 {
		l.Pause = 15 * time.Second
	}
	return l
}

// shares leave a part of the requests at once to alert rules and engines, and
// one user less than what is left. Of a single request nothing can be left: rules
// are then next in turn.
func (l Limits) shares(name string) budget.Shares {
	total := int64(l.Concurrency)
	reserved := min(max(total/4, 1), total-1)
	others := total - reserved
	return budget.Shares{
		What: "requests at once to " + name, Total: total, Reserved: reserved,
		PerUser: max(others-max(others/4, 1), 1),
	}
}

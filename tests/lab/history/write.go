package history

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// Samples come once a minute, as long ago as the history goes, and ever more
// often in the last hour, up to the interval of the live metrics: where the
// interval changes at once, PromQL's rate() comes out too low by up to one
// interval.
const (
	interval     = time.Minute
	liveInterval = 5 * time.Second
	gradedOver   = time.Hour
)

const blockLength = 24 * time.Hour

// Options say what to write where.
type Options struct {
	Directory string // Prometheus' storage, before it starts
	Seed      uint64
	Rate      float64 // of the shop
	Load      shop.Load
	Length    time.Duration
	Now       func() time.Time // when the history ends; asked late, so that live traffic follows at once
	Progress  func(format string, args ...any)
	Requests  int // measured at each load, 0 for the usual
}

// Write writes the history in one block per day.
func Write(ctx context.Context, o Options) error {
	requests := o.Requests
	if requests == 0 {
		requests = defaultRequests
	}
	sources, err := profile(ctx, o.Seed, o.Rate, requests)
	if err != nil {
		return err
	}
	var tracks []*track
	for _, s := range sources {
		tracks = append(tracks, s.tracks()...)
	}
	o.Progress("measured the shop at %d loads: %d series", len(levels), len(tracks))

	last := o.Now().Add(-o.Length).Truncate(interval)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		from, now := last, o.Now().Truncate(time.Millisecond)
		end := from.Truncate(blockLength).Add(blockLength)
		if end.After(now) {
			end = now
		}
		for last.Before(end) {
			next := last.Add(intervalAt(now.Sub(last)))
			if next.After(end) {
				next = end
			}
			if err := advance(sources, momentAt(o.Load, last, next)); err != nil {
				return err
			}
			last = next
		}
		if err := writeBlock(ctx, o.Directory, from.UnixMilli()+1, last.UnixMilli()+1, tracks); err != nil {
			return fmt.Errorf("write the history of %s: %w", from.Format(time.DateOnly), err)
		}
		if end.Equal(now) {
			return nil
		}
	}
}

// intervalAt is the time to the next sample at the given age.
func intervalAt(age time.Duration) time.Duration {
	graded := time.Duration(float64(interval) * age.Hours() / gradedOver.Hours())
	return min(interval, max(liveInterval, graded.Truncate(time.Second)))
}

func advance(sources []source, m moment) error {
	for _, s := range sources {
		if err := s.advance(m); err != nil {
			return fmt.Errorf("append a sample: %w", err)
		}
	}
	return nil
}

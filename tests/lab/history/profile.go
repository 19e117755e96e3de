// Package history writes weeks of metrics into Prometheus' own storage before
// it starts. Nothing in it is made up beside the shop: the shop's simulation
// runs for some minutes at several loads, what it measures there becomes the
// expected value of every series at that load, and the weeks are drawn from
// those expectations along the rhythm that live traffic follows too.
package history

import (
	"context"
	"fmt"
	"runtime"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// level is a steady load at which the shop is measured.
type level struct {
	factor     float64
	reindexing bool
}

// Factor, Contention and Reindexing make a level the load of a shop.
func (l level) Factor(time.Time) float64     { return l.factor }
func (l level) Contention(time.Time) float64 { return 0 }
func (l level) Reindexing(time.Time) bool    { return l.reindexing }

// levels span the rhythm, with room above for contention, and the nights in
// which the catalog's job runs.
var levels = []level{
	{0.6, false}, {1, false}, {1.5, false}, {2.4, false},
	{0.6, true}, {1, true},
}

// What is measured at each level. It is a number of requests rather than a time
// so that it does not depend on the rate.
const (
	warmUp          = 30 * time.Second
	defaultRequests = 4000
	gaugeSamples    = 60
)

// profile measures the shop at every level and returns what generates the
// series.
func profile(ctx context.Context, seed uint64, rate float64, requests int) ([]source, error) {
	measured := make([]*measurement, len(levels))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, l := range levels {
		group.Go(func() (err error) {
			if measured[i], err = measure(ctx, l, seed, rate, requests); err != nil {
				err = fmt.Errorf("measure the shop at load %g: %w", l.factor, err)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return sources(measured, seed), nil
}

func measure(ctx context.Context, l level, seed uint64, rate float64, requests int) (*measurement, error) {
	spans := &spanMetrics{counts: map[spanKey]*spanStatistics{}}
	var readers []reader
	telemetry := shop.Telemetry{Spans: spans, Metrics: func(identity shop.Identity) sdkmetric.Reader {
		manual := sdkmetric.NewManualReader()
		readers = append(readers, reader{manual, identity})
		return manual
	}}
	// The epoch gives every level the same arrivals.
	at := time.Unix(0, 0).UTC()
	s, err := shop.New(shop.Options{Seed: seed, Rate: rate, Load: l, Telemetry: telemetry}, at)
	if err != nil {
		return nil, err
	}
	defer s.Close(context.Background())

	m := newMeasurement()
	at = at.Add(warmUp)
	s.Run(at)
	spans.reset()
	if err := collect(readers, m.begin); err != nil {
		return nil, err
	}
	began := at
	length := time.Duration(float64(requests) / (rate * l.factor) * float64(time.Second))
	for at.Sub(began) < length {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at = at.Add(length / gaugeSamples)
		s.Run(at)
		if err := collect(readers, m.sample); err != nil {
			return nil, err
		}
	}
	seconds := at.Sub(began).Seconds()
	m.finishSpans(seconds, spans)
	return m, collect(readers, func(data metricdata.Metrics, identity shop.Identity) error {
		return m.finish(seconds, data, identity)
	})
}

type reader struct {
	*sdkmetric.ManualReader
	identity shop.Identity
}

func collect(readers []reader, each func(metricdata.Metrics, shop.Identity) error) error {
	for _, r := range readers {
		var data metricdata.ResourceMetrics
		if err := r.Collect(context.Background(), &data); err != nil {
			return fmt.Errorf("collect metrics: %w", err)
		}
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				if err := each(m, r.identity); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

package cache

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Markers is a place of announced deploys whose answers are remembered.
func Markers(inner upstream.Markers, store *Store) upstream.Markers {
	return &markers{inner, store}
}

type markers struct {
	inner upstream.Markers
	store *Store
}

// markerSet is the answer of Markers as one value.
type markerSet struct {
	markers  []upstream.Marker
	warnings []string
}

func (m *markers) Markers(ctx context.Context, start, end time.Time) ([]upstream.Marker, []string, error) {
	set, err := ask(ctx, m.store, key("Markers", start, end),
		func(ctx context.Context) (set markerSet, err error) {
			set.markers, set.warnings, err = m.inner.Markers(ctx, start, end)
			return set, err
		},
		func(set markerSet) (int64, time.Duration) {
			size := sizeOfTexts(set.warnings)
			for _, one := range set.markers {
				size += sizeOfTexts(append([]string{one.Service, one.Version, one.Text}, one.Words...))
			}
			// People announce a deploy after the fact: no answer is settled.
			return size, short
		})
	return set.markers, set.warnings, err
}

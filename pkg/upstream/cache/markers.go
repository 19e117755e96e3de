package cache

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Markers is a place of announcements whose answers are remembered. The kind
// tells places that share a store apart.
func Markers(kind string, inner upstream.Markers, store *Store) upstream.Markers {
	return &markers{kind, inner, store}
}

type markers struct {
	kind  string
	inner upstream.Markers
	store *Store
}

// markerSet is the answer of Markers as one value.
type markerSet struct {
	markers  []upstream.Marker
	warnings []string
}

func (m *markers) Markers(ctx context.Context, start, end time.Time) ([]upstream.Marker, []string, error) {
	set, err := ask(ctx, m.store, nameOf(m.inner), key("Markers", m.kind, start, end),
		func(ctx context.Context) (set markerSet, err error) {
			set.markers, set.warnings, err = m.inner.Markers(ctx, start, end)
			return set, err
		},
		func(set markerSet) (int64, time.Duration) {
			size := sizeOfTexts(set.warnings)
			for _, one := range set.markers {
				for key, value := range one.Keys {
					size += sizeOfTexts([]string{key, value})
				}
				size += sizeOfTexts(append([]string{one.Service, one.Version, one.Text, one.Verdict, one.Alert}, one.Words...))
			}
			// People announce a deploy after the fact: no answer is settled.
			return size, short
		})
	return set.markers, set.warnings, err
}

package cache

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
)

// Annotations caches what a source of annotations returns. The kind tells
// sources that share a store apart.
func Annotations(kind string, inner annotation.Source[annotation.Annotation], store *Store) annotation.Source[annotation.Annotation] {
	return &annotations{kind, inner, store}
}

type annotations struct {
	kind  string
	inner annotation.Source[annotation.Annotation]
	store *Store
}

// annotationSet is the result of Read as one value.
type annotationSet struct {
	all      []annotation.Annotation
	warnings []string
}

func (a *annotations) Read(ctx context.Context, start, end time.Time) ([]annotation.Annotation, []string, error) {
	set, err := ask(ctx, a.store, nameOf(a.inner), key("Annotations", a.kind, start, end),
		func(ctx context.Context) (set annotationSet, err error) {
			set.all, set.warnings, err = a.inner.Read(ctx, start, end)
			return set, err
		},
		func(set annotationSet) (int64, time.Duration) {
			size := sizeOfTexts(set.warnings)
			for _, one := range set.all {
				size += sizeOfTexts(append([]string{one.ID, one.Text}, one.Tags...))
			}
			// People announce a deploy after the fact: no range is settled.
			return size, short
		})
	return set.all, set.warnings, err
}

package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
)

// severalAtOnce is how many of several questions are worked on side by side.
const severalAtOnce = 4

// answerSeveral answers a query about several services, operations or versions
// for each. What is not in the data leaves the others; any other error does so
// in panels, and fails a rule, which has no reader of notices.
func (d *DataSource) answerSeveral(ctx context.Context, queried query.Several, window engine.Window, format query.Format) (data.Frames, error) {
	everyService := queried.EveryService()
	queried, err := d.engine.Named(ctx, queried, window)
	if err != nil {
		return nil, err
	}
	if queried.Type() == query.TypeOperations || queried.Type() == query.TypeVersions {
		return d.unionOfNames(ctx, queried, window, format)
	}
	parts := make([]frames.Part, len(queried.Each))
	failures := make([]error, len(queried.Each))
	group, groupContext := parallel.WithContext(ctx)
	group.SetLimit(severalAtOnce)
	for i, one := range queried.Each {
		parts[i] = frames.Part{Name: one.Name(), Labels: one.Labels}
		group.Go(func() error {
			parts[i].Frames, failures[i] = d.answer(groupContext, one.Query, window, format)
			var notFound *engine.NotFoundError
			if failures[i] != nil && format == query.Alert && !errors.As(failures[i], &notFound) {
				return fmt.Errorf("%s: %w", one.Name(), failures[i])
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answered := 0
	for i, err := range failures {
		if err == nil {
			answered++
		} else {
			var notFound *engine.NotFoundError
			parts[i].Missing = err.Error()
			parts[i].Unasked = everyService && errors.As(err, &notFound)
		}
	}
	if answered == 0 {
		return nil, fmt.Errorf("%s: %w", parts[0].Name, failures[0])
	}
	return frames.Several(parts, format)
}

// unionOfNames lists the operations, or versions, of several services, each once.
func (d *DataSource) unionOfNames(ctx context.Context, queried query.Several, window engine.Window, format query.Format) (data.Frames, error) {
	var found engine.NamesAnswer
	for _, one := range queried.Each {
		var of engine.NamesAnswer
		var err error
		switch q := one.Query.(type) {
		case query.Operations:
			of, err = d.engine.Operations(ctx, q, window)
		case query.Versions:
			of, err = d.engine.Versions(ctx, q, window)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Name(), err)
		}
		found.Merge(of.Provenance)
		found.Names = append(found.Names, of.Names...)
	}
	slices.SortFunc(found.Names, strings.Compare)
	found.Names = slices.Compact(found.Names)
	return frames.Names(found, queried.Type(), format)
}

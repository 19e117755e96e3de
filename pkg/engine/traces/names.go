package traces

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Services lists the services that sent spans inside the window.
func (e Comparer) Services(ctx context.Context, _ query.Services, window core.Window) (core.NamesAnswer, error) {
	return e.names("services", window, func(from, to time.Time) ([]string, error) {
		return e.Traces.Services(ctx, from, to)
	})
}

// Operations lists the span names of a service inside the window.
func (e Comparer) Operations(ctx context.Context, q query.Operations, window core.Window) (core.NamesAnswer, error) {
	return e.names(fmt.Sprintf("operations of %s", q.Service), window, func(from, to time.Time) ([]string, error) {
		return e.Traces.Operations(ctx, q.Service, from, to)
	})
}

// Versions lists the versions of a service inside the window.
func (e Comparer) Versions(ctx context.Context, q query.Versions, window core.Window) (core.NamesAnswer, error) {
	return e.names(fmt.Sprintf("versions of %s", q.Service), window, func(from, to time.Time) ([]string, error) {
		return e.Traces.Versions(ctx, q.Service, from, to)
	})
}

func (e Comparer) names(what string, window core.Window, fetch func(from, to time.Time) ([]string, error)) (core.NamesAnswer, error) {
	answer := core.NamesAnswer{}
	if e.Traces == nil {
		return answer, core.ErrNoTraces
	}
	names, err := fetch(window.From, window.To)
	if err != nil {
		return answer, err
	}
	answer.Names = names
	if len(names) == 0 {
		answer.AddNotice(fmt.Sprintf("The trace store knows no %s between %s and %s.", what, core.FormatTime(window.From), core.FormatTime(window.To)))
	}
	return answer, nil
}

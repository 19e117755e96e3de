package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/query"
)

// Services lists the services that sent spans inside the window.
func (e *Engine) Services(ctx context.Context, _ query.Services, window Window) (NamesAnswer, error) {
	return e.names("services", window, func(from, to time.Time) ([]string, error) {
		return e.Traces.Services(ctx, from, to)
	})
}

// Operations lists the span names of a service inside the window.
func (e *Engine) Operations(ctx context.Context, q query.Operations, window Window) (NamesAnswer, error) {
	return e.names(fmt.Sprintf("operations of %s", q.Service), window, func(from, to time.Time) ([]string, error) {
		return e.Traces.Operations(ctx, q.Service, from, to)
	})
}

// Versions lists the versions of a service inside the window.
func (e *Engine) Versions(ctx context.Context, q query.Versions, window Window) (NamesAnswer, error) {
	return e.names(fmt.Sprintf("versions of %s", q.Service), window, func(from, to time.Time) ([]string, error) {
		return e.Traces.Versions(ctx, q.Service, from, to)
	})
}

func (e *Engine) names(what string, window Window, fetch func(from, to time.Time) ([]string, error)) (NamesAnswer, error) {
	answer := NamesAnswer{}
	if e.Traces == nil {
		return answer, errNoTraces
	}
	names, err := fetch(window.From, window.To)
	if err != nil {
		return answer, err
	}
	answer.Names = names
	if len(names) == 0 {
		answer.notice(fmt.Sprintf("The trace store knows no %s between %s and %s.", what, clock(window.From), clock(window.To)))
	}
	return answer, nil
}

// Labels lists the labels that metrics have inside the window.
func (e *Engine) Labels(ctx context.Context, window Window) (answer NamesAnswer, err error) {
	if e.Metrics == nil {
		return answer, errNoMetrics
	}
	answer.Names, err = e.Metrics.LabelNames(ctx, window.From, window.To)
	return answer, err
}

// LabelValues lists the values of a label inside the window.
func (e *Engine) LabelValues(ctx context.Context, label string, window Window) (answer NamesAnswer, err error) {
	if e.Metrics == nil {
		return answer, errNoMetrics
	}
	answer.Names, answer.Notices, err = e.Metrics.LabelValues(ctx, label, nil, window.From, window.To)
	return answer, err
}

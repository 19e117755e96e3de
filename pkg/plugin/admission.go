package plugin

import (
	"context"
	"fmt"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
)

// maxQueries bounds the queries of one request: a dashboard sends one request
// for each panel, a rule one.
const maxQueries = 500

// tooManyQueries is the same error for each query of a request.
func tooManyQueries(request *backend.QueryDataRequest) *backend.QueryDataResponse {
	response := backend.NewQueryDataResponse()
	err := &badQuery{fmt.Errorf("the request has %d queries; at most %d are answered", len(request.Queries), maxQueries)}
	for _, q := range request.Queries {
		response.Responses[q.RefID] = failure(err)
	}
	return response
}

// admitted waits for a place among the questions that are worked on at once,
// and gives the work an account of its memory.
func admitted(ctx context.Context) (context.Context, func(), error) {
	leave, err := budget.Process.Questions.Acquire(ctx, 1)
	if err != nil {
		return ctx, nil, err
	}
	ctx, account := budget.Open(ctx, budget.Process.Memory, budget.MaxRequest)
	return ctx, func() { account.Close(); leave() }, nil
}

// within cuts an answer's texts, and charges what it takes until all answers of
// the request are sent.
func within(ctx context.Context, answer data.Frames) error {
	return budget.Charge(ctx, frames.Within(answer))
}

// admittedState is a live question that is worked on for all who watch it.
func (d *DataSource) admittedState(ctx context.Context, queried live) (engine.AnomalyAnswer, func(), error) {
	ctx, leave, err := admitted(ctx)
	if err != nil {
		return engine.AnomalyAnswer{}, nil, err
	}
	now := d.engine.Now()
	found, err := d.engine.Anomaly(ctx, queried.question, engine.Window{From: now.Add(-queried.window), To: now})
	if err != nil {
		leave()
		return engine.AnomalyAnswer{}, nil, err
	}
	return found, leave, nil
}

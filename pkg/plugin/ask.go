package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

// ask answers a query of an agent as a panel gets it. Its route has taken a place
// among the questions and an account of memory by then.
func (d *DataSource) ask(ctx context.Context, queryType string, raw json.RawMessage, window engine.Window) (data.Frames, error) {
	question, err := query.Parse(queryType, raw)
	if err != nil {
		return nil, err
	}
	if unknown := query.UnknownFields(question, raw); len(unknown) > 0 {
		return nil, fmt.Errorf("a %s query has no field %s", question.Type(), strings.Join(unknown, ", "))
	}
	working, end := telemetry.Query(ctx, string(question.Type()), "agent")
	answer, err := d.answer(working, question, window, query.Panel)
	if err == nil {
		err = within(working, answer)
	}
	status := http.StatusOK
	if err != nil {
		code, _ := classify(err)
		status = int(code)
	}
	end(err, status)
	return answer, err
}

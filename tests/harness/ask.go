package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// DataSource is one configured data source of a running plugin.
type DataSource struct {
	Plugin  *Plugin
	Context backend.PluginContext
}

// Ask sends one query and returns its frames, or its error.
func (d DataSource) Ask(ctx context.Context, from, to time.Time, model map[string]any) (data.Frames, error) {
	answers, err := d.AskAll(ctx, Query("A", from, to, model))
	if err != nil {
		return nil, err
	}
	return answers["A"].Frames, answers["A"].Error
}

// AskAll sends several queries in one request, as a dashboard does.
func (d DataSource) AskAll(ctx context.Context, queries ...backend.DataQuery) (backend.Responses, error) {
	response, err := d.Plugin.Query(ctx, &backend.QueryDataRequest{PluginContext: d.Context, Queries: queries})
	if err != nil {
		return nil, err
	}
	return response.Responses, nil
}

// AskAsRule sends one query as Grafana's alerting does.
func (d DataSource) AskAsRule(ctx context.Context, from, to time.Time, model map[string]any) (data.Frames, error) {
	query := Query("A", from, to, model)
	query.Interval, query.MaxDataPoints = time.Second, 43200
	response, err := d.Plugin.Query(ctx, &backend.QueryDataRequest{
		PluginContext: d.Context, Queries: []backend.DataQuery{query},
		Headers: map[string]string{backend.FromAlertHeaderName: "true"},
	})
	if err != nil {
		return nil, err
	}
	return response.Responses["A"].Frames, response.Responses["A"].Error
}

// Channel is the path of the live channel of a question, which is the data of
// its subscription, too.
func (d DataSource) Channel(ctx context.Context, question json.RawMessage) (path string, err error) {
	status, body, err := d.Plugin.Resource(ctx, &backend.CallResourceRequest{
		PluginContext: d.Context, Method: http.MethodPost, Path: "live", URL: "live", Body: question,
	})
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("no live channel: HTTP %d: %s", status, body)
	}
	var channel struct{ Path string }
	err = json.Unmarshal(body, &channel)
	return channel.Path, err
}

// Frame finds a frame by name.
func Frame(frames data.Frames, name string) (*data.Frame, error) {
	for _, frame := range frames {
		if frame.Name == name {
			return frame, nil
		}
	}
	return nil, fmt.Errorf("there is no frame %q among the %d frames of the answer", name, len(frames))
}

// Text is a cell as text; empty where the column or the value is missing.
func Text(frame *data.Frame, column string, row int) string {
	value, ok := cell(frame, column, row)
	if !ok {
		return ""
	}
	return fmt.Sprint(value)
}

// Number is a cell as a number; NaN where the column or the value is missing.
func Number(frame *data.Frame, column string, row int) float64 {
	field, _ := frame.FieldByName(column)
	if field == nil || row >= field.Len() {
		return math.NaN()
	}
	value, err := field.NullableFloatAt(row)
	if err != nil || value == nil {
		return math.NaN()
	}
	return *value
}

func cell(frame *data.Frame, column string, row int) (any, bool) {
	field, _ := frame.FieldByName(column)
	if field == nil || row >= field.Len() {
		return nil, false
	}
	return field.ConcreteAt(row)
}

// Numbers is a column as numbers, NaN where missing.
func Numbers(frame *data.Frame, column string) []float64 {
	values := make([]float64, frame.Rows())
	for row := range values {
		values[row] = Number(frame, column, row)
	}
	return values
}

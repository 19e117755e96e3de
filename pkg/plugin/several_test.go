package plugin

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// shopOfTwo is a data source whose metrics know cart and orders, until an instant.
func shopOfTwo(end time.Time) (*DataSource, backend.TimeRange) {
	from := end.Add(-26 * time.Hour)
	var all []enginetest.Scraped
	for service, rate := range map[string]float64{"cart": 10, "orders": 20} {
		all = append(all, enginetest.Scraped{
			Labels: enginetest.Named("http_server_request_duration_seconds_count", "service_name", service),
			From:   from, To: end, Every: 30 * time.Second, Value: enginetest.Counter(from, rate),
		})
	}
	now := func() time.Time { return end }
	return &DataSource{engine: &engine.Engine{Metrics: enginetest.NewPromServer(all...), Now: now}},
		backend.TimeRange{From: end.Add(-time.Hour), To: end}
}

func answered(t *testing.T, d *DataSource, within backend.TimeRange, fromRule bool, raw string) backend.DataResponse {
	t.Helper()
	require.True(t, json.Valid([]byte(raw)), raw)
	return d.respond(t.Context(), backend.DataQuery{JSON: []byte(raw), TimeRange: within, Interval: time.Minute}, fromRule)
}

// TestALineForEachService is the report: composite with a variable of two values.
func TestALineForEachService(t *testing.T) {
	d, within := shopOfTwo(enginetest.Noon)
	for _, service := range []string{`["cart","orders"]`, `"{cart,orders}"`, `"$__all"`} {
		found := answered(t, d, within, false, `{"queryType":"composite","service":`+service+`,"history":"1d"}`)
		require.NoError(t, found.Error)
		var services []string
		for _, frame := range found.Frames {
			services = append(services, frame.Name)
			require.Equal(t, frame.Name, frame.Fields[1].Labels["service_name"])
		}
		require.Equal(t, []string{"cart", "orders"}, services)

		rule := answered(t, d, within, true, `{"queryType":"composite","service":`+service+`,"history":"1d"}`)
		require.NoError(t, rule.Error)
		require.Len(t, rule.Frames, 1)
		require.Equal(t, data.FrameTypeNumericWide, rule.Frames[0].Meta.Type)
		require.Len(t, rule.Frames[0].Fields, 2)
		require.Equal(t, data.Labels{"service_name": "cart"}, rule.Frames[0].Fields[0].Labels)
		require.Equal(t, data.Labels{"service_name": "orders"}, rule.Frames[0].Fields[1].Labels)
		require.NotNil(t, rule.Frames[0].Fields[1].At(0).(*float64))
	}
}

// TestOneOfSeveralIsMissing: it is named, and leaves the others; all missing is
// an error.
func TestOneOfSeveralIsMissing(t *testing.T) {
	d, within := shopOfTwo(enginetest.Noon)
	found := answered(t, d, within, false, `{"queryType":"composite","service":["cart","nobody"],"history":"1d"}`)
	require.NoError(t, found.Error)
	require.Len(t, found.Frames, 1)
	require.True(t, slices.ContainsFunc(found.Frames[0].Meta.Notices, func(n data.Notice) bool {
		return len(n.Text) > 7 && n.Text[:7] == "nobody:"
	}), "%v", found.Frames[0].Meta.Notices)

	rule := answered(t, d, within, true, `{"queryType":"composite","service":["cart","nobody"],"history":"1d"}`)
	require.NoError(t, rule.Error)
	require.Len(t, rule.Frames[0].Fields, 2)
	require.Equal(t, data.Labels{"service_name": "nobody"}, rule.Frames[0].Fields[1].Labels)
	require.Nil(t, rule.Frames[0].Fields[1].At(0), "no data, for this service alone")

	none := answered(t, d, within, true, `{"queryType":"composite","service":["nobody","noone"],"history":"1d"}`)
	require.ErrorContains(t, none.Error, "nobody: no metrics of service")
	require.EqualValues(t, http.StatusNotFound, none.Status)
}

// TestSeveralOfEveryType: every query about services answers for each of them, as
// a panel and as a rule.
func TestSeveralOfEveryType(t *testing.T) {
	shop := enginetest.ShopWithDeploy(tracetest.Shop{})
	d, _ := shopOfTwo(enginetest.Window.To)
	d.engine.Traces = shop
	within := backend.TimeRange{From: enginetest.Window.From, To: enginetest.Window.To}
	for queryType, sides := range map[string]string{
		"deploys": "", "sizing": "", "impact": "",
		"traceDiff": `,"baseline":{"version":"1"},"candidate":{"version":"2"}`,
		"rootCause": `,"baseline":{"version":"1"},"candidate":{"version":"2"}`,
		"patterns":  `,"compare":"none"`, "serviceMap": `,"compare":"none"`,
		"verdict": `,"baseline":{"version":"1"},"candidate":{"version":"2"}`,
	} {
		raw := `{"queryType":"` + queryType + `","service":["orders","payment"]` + sides + `}`
		panel := answered(t, d, within, false, raw)
		require.NoError(t, panel.Error, queryType)
		require.NotEmpty(t, panel.Frames, queryType)
		rule := answered(t, d, within, true, raw)
		require.NoError(t, rule.Error, queryType)
		require.Len(t, rule.Frames, 1, queryType)
		seen := map[string]bool{}
		for _, field := range rule.Frames[0].Fields {
			require.False(t, seen[field.Labels.String()], queryType)
			seen[field.Labels.String()] = true
		}
		for _, service := range []string{"orders", "payment"} {
			require.True(t, slices.ContainsFunc(rule.Frames[0].Fields, func(f *data.Field) bool {
				return f.Labels["service_name"] == service
			}), "%s has an instance of %s: %v", queryType, service, seen)
		}
	}
	found := answered(t, d, within, false, `{"queryType":"versions","service":["orders","payment"]}`)
	require.NoError(t, found.Error)
	require.Len(t, found.Frames, 1)
	require.Equal(t, 2, found.Frames[0].Rows(), "each version once")

	operations := answered(t, d, within, true, `{"queryType":"traceDiff","service":"orders","operation":["a","b"],"baseline":{"version":"1"},"candidate":{"version":"2"}}`)
	require.NoError(t, operations.Error)
	require.Equal(t, data.Labels{"service_name": "orders", "operation": "a"}, operations.Frames[0].Fields[0].Labels)
	versions := answered(t, d, within, true, `{"queryType":"traceDiff","service":"orders","candidate":{"version":["2","3"]},"baseline":{"version":"1"}}`)
	require.NoError(t, versions.Error)
	require.Equal(t, data.Labels{"service_name": "orders", "candidate_version": "3"}, versions.Frames[0].Fields[1].Labels)

	summary := answered(t, d, within, false, `{"queryType":"traceDiff","view":"summary","service":["orders","payment"],"baseline":{"version":"1"},"candidate":{"version":"2"}}`)
	require.NoError(t, summary.Error)
	require.Len(t, summary.Frames, 1, "one table")
	require.Equal(t, 2, summary.Frames[0].Rows())
}

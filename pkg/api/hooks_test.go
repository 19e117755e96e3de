package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/api/promapi"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// metricsServer answers an expression by its name: with a daily rhythm, or with
// one of the ways in which a server can disappoint.
type metricsServer struct{ upstream.Metrics }

func (metricsServer) Probe(context.Context) (upstream.MetricsCapabilities, error) {
	return upstream.MetricsCapabilities{Product: "Prometheus"}, nil
}

func (metricsServer) LabelValues(_ context.Context, label string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	switch {
	case label == "service_name":
		return []string{"cart"}, nil, nil
	case label == "__name__" && strings.Contains(selectors[0], `service_name="cart"`):
		return []string{"http_server_request_duration_seconds_count", "http_server_request_duration_seconds_bucket"}, nil, nil
	}
	return nil, nil, nil
}

func (metricsServer) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	draw := func(labels series.Labels, value func(at time.Time) float64) series.Series {
		one := series.Series{Labels: labels, Start: window.Start, Step: window.Step}
		for at := window.Start; !at.After(window.End); at = at.Add(window.Step) {
			one.Values = append(one.Values, value(at))
		}
		return one
	}
	until := func(end time.Time) func(time.Time) float64 {
		return func(at time.Time) float64 {
			if at.After(end) {
				return math.NaN()
			}
			return rhythm(at)
		}
	}
	if sized, ok := sizesOf(promQL, draw); ok {
		return upstream.SeriesSet{Series: sized}, nil
	}
	switch promQL {
	case "missing":
		return upstream.SeriesSet{}, nil
	case "stale":
		return upstream.SeriesSet{Series: []series.Series{draw(nil, until(noon.Add(-10*time.Minute)))}}, nil
	case "late":
		return upstream.SeriesSet{Series: []series.Series{draw(nil, until(noon.Add(-3*time.Minute)))}}, nil
	case "ended":
		return upstream.SeriesSet{Series: []series.Series{
			draw(series.Labels{"pod": "new"}, rhythm), draw(series.Labels{"pod": "old"}, until(noon.Add(-5*time.Hour)))}}, nil
	case "young":
		return upstream.SeriesSet{Series: []series.Series{draw(nil, func(at time.Time) float64 {
			if at.Before(noon.Add(-5 * time.Minute)) {
				return math.NaN()
			}
			return rhythm(at)
		})}}, nil
	case "nan":
		return upstream.SeriesSet{Series: []series.Series{draw(nil, func(time.Time) float64 { return math.NaN() })}}, nil
	case "two":
		return upstream.SeriesSet{Series: []series.Series{draw(series.Labels{"zone": "a"}, rhythm), draw(series.Labels{"zone": "b"}, rhythm)}}, nil
	case "failing":
		return upstream.SeriesSet{}, &upstream.Error{Upstream: "Prometheus", Category: upstream.Server, Status: 500, Message: "disk full"}
	case "slow":
		<-ctx.Done()
		return upstream.SeriesSet{}, ctx.Err()
	case "collapsed":
		return upstream.SeriesSet{Series: []series.Series{draw(nil, func(at time.Time) float64 {
			if at.After(noon.Add(-10 * time.Minute)) {
				return 1
			}
			return rhythm(at)
		})}}, nil
	case "rising":
		return upstream.SeriesSet{Series: []series.Series{draw(nil, func(at time.Time) float64 {
			value := 10 + math.Sin(float64(at.Unix()/60)*1.7)
			if left := noon.Sub(at); left < time.Hour {
				value += 1.2 * (60 - left.Minutes())
			}
			return value
		})}}, nil
	}
	return upstream.SeriesSet{Series: []series.Series{draw(nil, rhythm)}}, nil
}

// rhythm is a load of one day's period with noise, 130 at noon.
func rhythm(at time.Time) float64 {
	minute := float64(at.Unix() / 60)
	return 100 - 30*math.Cos(2*math.Pi*minute/1440) + math.Sin(minute*1.7) + math.Sin(minute*2.9)
}

func testEngine() *engine.Engine {
	return &engine.Engine{Metrics: metricsServer{}, Now: func() time.Time { return noon }, Limits: engine.Limits{MaxSeries: 50}}
}

func testHooks(t *testing.T, change ...func(*Settings)) http.Handler {
	t.Helper()
	settings := Settings{CallerRate: 1000, Timeout: 2 * time.Minute}
	for _, name := range []string{"good", "missing", "stale", "late", "ended", "young", "nan", "two", "failing", "slow", "collapsed", "rising"} {
		settings.Series = append(settings.Series, promapi.NamedSeries{Name: name, Expr: name, Direction: "both", Threshold: new(80.0)})
	}
	for _, one := range change {
		one(&settings)
	}
	h := New(testEngine(), settings)
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	return mux
}

// answerOf is a decoded answer of Prometheus' API.
type answerOf struct {
	Status, ErrorType, Error string
	Warnings                 []string
	Data                     json.RawMessage
}

func (a answerOf) vector(t *testing.T) []struct {
	Metric map[string]string
	Value  [2]any
} {
	var data struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	require.NoError(t, json.Unmarshal(a.Data, &data))
	require.Equal(t, "vector", data.ResultType)
	return data.Result
}

func serve(t *testing.T, handler http.Handler, request *http.Request) (int, answerOf) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	require.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
	var found answerOf
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &found), recorder.Body.String())
	return recorder.Code, found
}

func get(path string, pairs ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return httptest.NewRequest(http.MethodGet, path+"?"+values.Encode(), nil)
}

func post(path, contentType, body string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	return request
}

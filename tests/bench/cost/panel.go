package cost

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("anomaly-panel", "an anomaly panel over 20 series × 24 h at 1 m with 14 days of history, as a ratio to the bare range query", anomalyPanel)
}

type panelFigures struct {
	Series       int     `json:"series"`
	BareSeconds  float64 `json:"bare_seconds"`  // Prometheus alone, same data
	ColdSeconds  float64 `json:"cold_seconds"`  // the plugin with an empty cache
	WarmSeconds  float64 `json:"warm_seconds"`  // the same question again
	MovedSeconds float64 `json:"moved_seconds"` // the window a minute on
	ColdRatio    float64 `json:"cold_ratio"`    // to bare
	WarmRatio    float64 `json:"warm_ratio"`
}

const panelQuery = `sum by (service, span_name) (rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[5m]))`

// anomalyPanel asks over the lab's Prometheus. Each figure is the median of
// five; before each cold one a new instance of the data source is made.
func anomalyPanel(runner.Options) (any, error) {
	ctx := context.Background()
	lab, err := environment.Start(ctx, os.Stderr, "-history", "15d")
	if err != nil {
		return nil, err
	}
	defer lab.Stop()

	const repeats = 5
	to := time.Now().Truncate(time.Minute)
	from := to.Add(-24 * time.Hour)
	model := map[string]any{"queryType": "anomaly", "expr": panelQuery, "step": "1m"}
	settings := lab.Settings()
	settings["limits"] = map[string]any{"timeout": "2m"}
	var bare, cold, warm, moved []time.Duration
	figures := panelFigures{}
	for range repeats {
		took, err := runner.Timed(func() error { return bareRange(ctx, lab.Prometheus, from.Add(-14*24*time.Hour), to) })
		if err != nil {
			return nil, err
		}
		bare = append(bare, took)
		source := lab.Source(settings)
		ask := func(to time.Time) func() error {
			return func() error {
				frames, err := source.Ask(ctx, to.Add(-24*time.Hour), to, model)
				figures.Series = len(frames)
				return err
			}
		}
		for _, question := range []struct {
			to    time.Time
			times *[]time.Duration
		}{{to, &cold}, {to, &warm}, {to.Add(-time.Minute), &moved}} {
			took, err := runner.Timed(ask(question.to))
			if err != nil {
				return nil, err
			}
			*question.times = append(*question.times, took)
		}
	}
	figures.BareSeconds, figures.ColdSeconds = runner.Median(bare), runner.Median(cold)
	figures.WarmSeconds, figures.MovedSeconds = runner.Median(warm), runner.Median(moved)
	figures.ColdRatio = figures.ColdSeconds / figures.BareSeconds
	figures.WarmRatio = figures.WarmSeconds / figures.BareSeconds
	return figures, nil
}

// bareRange asks Prometheus for the same data, in as many parts as its limit
// of 11,000 points needs, and reads it all.
func bareRange(ctx context.Context, server string, from, to time.Time) error {
	const part = 10_000 * time.Minute
	for start := from; start.Before(to); start = start.Add(part) {
		end := start.Add(part - time.Minute)
		if end.After(to) {
			end = to
		}
		values := url.Values{
			"query": {panelQuery}, "step": {"60"},
			"start": {strconv.FormatInt(start.Unix(), 10)}, "end": {strconv.FormatInt(end.Unix(), 10)},
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query_range?"+values.Encode(), nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			return fmt.Errorf("asking Prometheus: %s: %w", response.Status, err)
		}
	}
	return nil
}

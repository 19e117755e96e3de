package cost

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("viewers", "[-minutes 5] [-step 5s]: a hundred viewers of one live query of a hundred series: requests, processor, memory, values", viewers)
}

const (
	viewerCount = 100
	liveTick    = 5 * time.Second
	// hundredSeries are the shop's requests by service, route and bucket.
	hundredSeries = `sum by (service_name, http_route, le) (rate(http_server_request_duration_seconds_bucket{le=~"0.005|0.01|0.025|0.05|0.1|0.25|0.5"}[5m]))`
)

type viewersFigures struct {
	Way    string `json:"way"`
	Runs   int    `json:"runs"` // streams that the plugin was asked to run
	Series int    `json:"series"`
	// Requests are those to Prometheus in a tick of 5 s, of which the bench's
	// question alone takes one.
	Requests float64 `json:"requests_per_tick"`
	// CoreShare is the plugin's processor time as a share of one core.
	CoreShare    float64 `json:"core_share"`
	FirstSeconds float64 `json:"first_seconds"` // until all hundred had their first frame
	StartMiB     float64 `json:"start_mib"`     // resident, a minute after the first frame
	EndMiB       float64 `json:"end_mib"`
	Compared     int     `json:"compared"` // cells of the last frame against the query's
	Different    int     `json:"different"`
}

// viewers watches one question in three ways: as Grafana does, which runs one
// stream for all who subscribe to a channel; with a stream for each viewer, as
// many replicas of Grafana would; and over channels of four time ranges.
func viewers(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("viewers", flag.ContinueOnError)
	minutes := flags.Int("minutes", 5, "how long to watch in each way")
	step := flags.String("step", "5s", "step of the question; 1m learns from 14 days, a shorter one from one")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	ctx := context.Background()
	lab, err := environment.Start(ctx, io.Discard, "-history", "15d", "-rate", "5")
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	prometheus := environment.Watch(lab.Prometheus)
	defer prometheus.Close()
	settings := map[string]any{"prometheus": map[string]any{"url": prometheus.URL}, "traces": map[string]any{"kind": "tempo", "url": lab.Tempo}}
	question := map[string]any{"queryType": "anomaly", "expr": hundredSeries, "step": *step}
	rangeOf := time.Hour
	if *step != "1m" {
		// What is sent at first must fit into a viewer's queue in Grafana.
		question["history"], rangeOf = "1d", 15*time.Minute
	}
	seconds := int(rangeOf.Seconds())

	var all []viewersFigures
	for _, way := range []struct {
		name   string
		runs   int
		ranges []int // seconds
	}{
		{"one stream for all viewers, as in Grafana", 1, []int{seconds}},
		{"a stream for each viewer", viewerCount, []int{seconds}},
		{"viewers of four time ranges", 4, []int{seconds / 3, seconds / 2, seconds, seconds * 4 / 3}},
	} {
		a := audience{source: lab.Source(settings), question: question}
		for _, seconds := range way.ranges {
			if err := a.join(ctx, seconds); err != nil {
				return nil, err
			}
		}
		figures, err := a.watch(ctx, way.runs, time.Duration(*minutes)*time.Minute, prometheus)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		figures.Way = way.name
		if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
			return nil, err
		}
		all = append(all, figures)
	}
	return all, nil
}

// audience watches one question over one or several channels.
type audience struct {
	source   harness.DataSource
	question map[string]any
	channels []*channel
}

type channel struct {
	path    string
	queried json.RawMessage
	seconds int
	seen    *seenLive
}

// join asks for the channel of a time range.
func (a *audience) join(ctx context.Context, seconds int) error {
	queried, err := json.Marshal(map[string]any{"query": a.question, "seconds": seconds})
	if err != nil {
		return err
	}
	path, err := a.source.Channel(ctx, queried)
	if err != nil {
		return err
	}
	a.channels = append(a.channels, &channel{path: path, queried: queried, seconds: seconds, seen: newSeenLive()})
	return nil
}

func (a *audience) watch(ctx context.Context, runs int, length time.Duration, prometheus *environment.Watched) (viewersFigures, error) {
	figures := viewersFigures{Runs: runs}
	first, err := runner.Timed(func() error { return a.subscribe(ctx) })
	if err != nil {
		return figures, err
	}
	figures.FirstSeconds = first.Seconds()

	watching, leave := context.WithCancel(ctx)
	defer leave()
	var streams errgroup.Group
	for i := range runs {
		c := a.channels[i%len(a.channels)]
		streams.Go(func() error {
			err := a.source.Plugin.RunStream(watching, &backend.RunStreamRequest{
				PluginContext: a.source.Context, Path: c.path, Data: c.queried,
			}, func(packet json.RawMessage) bool { return i >= len(a.channels) || c.seen.add(packet) == nil })
			if watching.Err() != nil {
				return nil
			}
			return fmt.Errorf("a stream ended before its viewers left: %w", err)
		})
	}
	time.Sleep(time.Minute)
	before, err := a.source.Plugin.Usage(ctx)
	if err != nil {
		return figures, err
	}
	begun := time.Now()
	prometheus.Take()
	time.Sleep(length)
	took := time.Since(begun)
	after, err := a.source.Plugin.Usage(ctx)
	if err != nil {
		return figures, err
	}
	figures.Requests = runner.Round(float64(len(prometheus.Take())) / (took.Seconds() / liveTick.Seconds()))
	figures.CoreShare = runner.Round((after.CPUSeconds - before.CPUSeconds) / took.Seconds())
	figures.StartMiB, figures.EndMiB = runner.Round(before.ResidentMiB), runner.Round(after.ResidentMiB)
	for _, c := range a.channels {
		compared, different, series, err := c.compare(ctx, a)
		if err != nil {
			return figures, err
		}
		figures.Compared += compared
		figures.Different += different
		figures.Series = max(figures.Series, series)
	}
	leave()
	return figures, streams.Wait()
}

// subscribe lets every viewer in, all at once.
func (a *audience) subscribe(ctx context.Context) error {
	var viewers errgroup.Group
	for i := range viewerCount {
		c := a.channels[i%len(a.channels)]
		viewers.Go(func() error {
			status, frame, err := a.source.Plugin.Subscribe(ctx, &backend.SubscribeStreamRequest{
				PluginContext: a.source.Context, Path: c.path, Data: c.queried,
			})
			if err == nil && (status != backend.SubscribeStreamStatusOK || frame == nil || frame.Rows() == 0) {
				return fmt.Errorf("a viewer was let in with status %d and without a frame", status)
			}
			return err
		})
	}
	return viewers.Wait()
}

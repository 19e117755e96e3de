package cost

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("scale", "[-series 10000] [-rounds 10]: every series scored each minute: share of one core, bytes per series, microseconds per point", runScale)
}

type scaleFigures struct {
	Series int `json:"series"`
	// CoreShare is the processor time of scoring a point of each series every
	// minute and of learning each series anew once a day, as a share of one core.
	CoreShare float64 `json:"core_share"`
	// BytesPerSeries is what a stream holds, and what changes from point to point.
	BytesPerSeries float64 `json:"bytes_per_series"`
	// ModelBytes is what was learned from the history of a series: read-only, and
	// learned again from the history whenever it is lost.
	ModelBytes     float64 `json:"model_bytes_per_series"`
	MicrosPerPoint float64 `json:"micros_per_point"`
	LearnMillis    float64 `json:"learn_millis_per_series"`
}

const scaleLearned = 14 * 24 * 60

// runScale learns a model for each of the series from 14 days at one minute and
// then streams a minute of all of them per round, each in its turn, so that no
// series finds its state in the processor's cache.
func runScale(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	count := flags.Int("series", 10_000, "series")
	rounds := flags.Int("rounds", 10, "minutes to stream")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	base := datasets.MinuteSeries()
	requests := make([]anomaly.Request, len(base))
	for k, one := range base {
		requests[k] = anomaly.Request{
			History: series.Series{Start: one.Start, Step: one.Step, Values: one.Values[:scaleLearned]},
			From:    one.Time(scaleLearned),
		}
	}
	empty := float64(runner.Heap())
	models := make([]*anomaly.Model, *count)
	var learning float64
	for i := range models {
		begun := runner.ProcessorTime().Seconds()
		model, err := anomaly.Learn(requests[i%len(requests)])
		if err != nil {
			return nil, fmt.Errorf("series %d: %w", i, err)
		}
		learning += runner.ProcessorTime().Seconds() - begun
		models[i] = model
	}
	learned := float64(runner.Heap())
	streams := make([]*anomaly.Stream, *count)
	for i, model := range models {
		stream, err := model.Stream(requests[i%len(requests)])
		if err != nil {
			return nil, fmt.Errorf("series %d: %w", i, err)
		}
		streams[i] = stream
	}
	streaming := float64(runner.Heap())
	begun := runner.ProcessorTime().Seconds()
	scored := 0
	for minute := range *rounds {
		for i, stream := range streams {
			if o := stream.Observe(base[i%len(base)].Values[scaleLearned+minute]); !math.IsNaN(o.Score) {
				scored++
			}
		}
	}
	seconds := runner.ProcessorTime().Seconds() - begun
	if want := *count * *rounds; scored != want {
		return nil, fmt.Errorf("%d of %d points were scored", scored, want)
	}
	perSeries := func(bytes float64) float64 { return math.Round(bytes / float64(*count)) }
	perDay := learning + seconds/float64(*rounds)*24*60
	figures := scaleFigures{
		Series: *count, CoreShare: runner.Round(perDay / (24 * time.Hour).Seconds()),
		BytesPerSeries: perSeries(streaming - learned), ModelBytes: perSeries(learned - empty),
		MicrosPerPoint: runner.Round(seconds / float64(scored) * 1e6), LearnMillis: runner.Round(learning / float64(*count) * 1e3),
	}
	runtime.KeepAlive(models)
	runtime.KeepAlive(streams)
	return figures, nil
}

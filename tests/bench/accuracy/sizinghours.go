package accuracy

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("sizing-hours", "sizes of an autoscaled service, asked for at each hour of a day, against the right ones", runSizingHours)
}

type sizingHoursFigures struct {
	WorstRatio float64 `json:"worst_ratio"` // of a recommended size to the right one, or the other way round
	WorstSize  string  `json:"worst_size"`
	WorstHour  int     `json:"worst_hour"`
	Pool       [2]int  `json:"pool"`       // smallest and largest recommended over the day
	RightPool  int     `json:"right_pool"` // the smallest in which a request in a hundred waits 50 ms
	Ejection   float64 `json:"min_ejection_percent"`
}

// autoscaled is a service whose replicas follow its load: from 40 requests/s at
// night to 1,000 at noon, ten milliseconds of processor time each, 40 ms of a
// connection each.
type autoscaled struct{ upstream.Metrics }

const (
	autoscaledUse  = 0.7
	autoscaledHold = 0.04
	perReplica     = 100.0
)

func autoscaledLoad(at time.Time) float64 {
	minute := float64(at.Unix() / 60)
	curve := 0.5 - 0.5*math.Cos(2*math.Pi*minute/1440)
	return (40 + 960*curve*curve) * (1 + 0.02*math.Sin(minute*1.7) + 0.02*math.Sin(minute*2.3))
}

func autoscaledReplicas(load float64) float64 {
	return math.Max(sizing.DefaultMinReplicas, math.Ceil(load/(perReplica*autoscaledUse)))
}

func (autoscaled) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}, nil, nil
}

func (a autoscaled) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	one := series.Series{Start: window.Start, Step: window.Step}
	if strings.Contains(promQL, "pool_name") {
		one.Labels = series.Labels{"db_client_connection_pool_name": "shop-db"}
	}
	for at := window.Start; !at.After(window.End); at = at.Add(window.Step) {
		value, known := a.value(promQL, autoscaledLoad(at))
		if !known {
			return upstream.SeriesSet{}, nil
		}
		one.Values = append(one.Values, value)
	}
	return upstream.SeriesSet{Series: []series.Series{one}}, nil
}

func (autoscaled) value(promQL string, load float64) (float64, bool) {
	each := load / autoscaledReplicas(load)
	has := func(part string) bool { return strings.Contains(promQL, part) }
	switch {
	case has("memory"), has("keyspace"), has("connection_timeouts"):
		return 0, false
	case has("kube_deployment_status_replicas_ready"):
		return autoscaledReplicas(load), true
	case has("jvm_cpu_recent_utilization_ratio"):
		return each / perReplica, true
	case has("max_over_time") && has("connection_count"):
		return math.Ceil(each*autoscaledHold) + 1, true
	case has("connection_count"):
		return each * autoscaledHold, true
	case has("connection_max"):
		return 8, true
	case has("connection_wait_time"):
		return each, true
	case has("STATUS_CODE_ERROR"):
		return 0.001, true
	case has("histogram_quantile(0.99"):
		return 0.25, true
	}
	return load, true
}

func runSizingHours(runner.Options) (any, error) {
	day := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	right := rightSizes(day)
	figures := sizingHoursFigures{RightPool: int(right(sizing.SizePool, 0)), Ejection: 100, Pool: [2]int{math.MaxInt, 0}}
	for hour := range 24 {
		at := day.Add(time.Duration(hour) * time.Hour)
		queried := &engine.Engine{Metrics: autoscaled{}, Now: func() time.Time { return at }}
		answer, err := queried.Sizing(context.Background(), query.Sizing{Service: "shop", History: query.Duration(7 * 24 * time.Hour)}.WithDefaults(),
			engine.Window{From: at.Add(-time.Hour), To: at})
		if err != nil {
			return nil, err
		}
		for _, got := range answer.Recommendations {
			switch got.Sizing {
			case sizing.SizePool:
				figures.Pool[0], figures.Pool[1] = min(figures.Pool[0], int(got.Value)), max(figures.Pool[1], int(got.Value))
			case sizing.SizeOutliers:
				for _, setting := range got.Settings {
					if setting.Unit == "%" {
						figures.Ejection = min(figures.Ejection, setting.Value)
					}
				}
			}
			want := right(got.Sizing, hour)
			if want == 0 {
				continue
			}
			if math.IsNaN(got.Value) {
				return nil, fmt.Errorf("%s at %d:00: %s", got.Sizing, hour, got.Problem)
			}
			if ratio := math.Max(got.Value/want, want/got.Value); ratio > figures.WorstRatio {
				figures.WorstRatio, figures.WorstSize, figures.WorstHour = runner.Round(ratio), string(got.Sizing), hour
			}
		}
	}
	return figures, nil
}

// rightSizes are known because the load is: of an hour the replicas for its
// highest load within the lead, of the day what its highest load needs.
func rightSizes(day time.Time) func(size sizing.Sizing, hour int) float64 {
	highest, each := 0.0, 0.0
	for minute := range 1440 {
		load := autoscaledLoad(day.Add(time.Duration(minute) * time.Minute))
		highest, each = math.Max(highest, load), math.Max(each, load/autoscaledReplicas(load))
	}
	return func(size sizing.Sizing, hour int) float64 {
		switch size {
		case sizing.SizeReplicas:
			ahead := 0.0
			for minute := range int(time.Duration(query.DefaultLead).Minutes()) + 1 {
				ahead = math.Max(ahead, autoscaledLoad(day.Add(time.Duration(60*hour+minute)*time.Minute)))
			}
			return math.Max(sizing.DefaultMinReplicas, math.Ceil(ahead/(perReplica*query.DefaultUse)))
		case sizing.SizePool:
			return float64(connectionsFor(each*autoscaledHold, autoscaledHold, time.Duration(query.DefaultMaxWait).Seconds(), 0.01))
		case sizing.SizeConcurrency:
			return highest * 0.25 * 1.5
		}
		return 0
	}
}

// connectionsFor is the smallest pool in which at most a share of the requests
// waits longer than patience (Erlang's formula C).
func connectionsFor(load, hold, patience, share float64) int {
	blocked := 1.0
	for c := 1; ; c++ {
		blocked = load * blocked / (float64(c) + load*blocked)
		use := load / float64(c)
		if use < 1 && blocked/(1-use*(1-blocked))*math.Exp(-(float64(c)-load)*patience/hold) <= share {
			return c
		}
	}
}

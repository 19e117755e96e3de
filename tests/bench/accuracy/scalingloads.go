package accuracy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/prometheus"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/harness"
)

// scaledLoad is a load to scale by.
type scaledLoad struct {
	name   string
	series series.Series
}

func scaledLoads(which, data string) (loads []scaledLoad, err error) {
	for _, source := range strings.Split(which, ",") {
		var some []scaledLoad
		switch source {
		case "lab":
			some, err = labLoads()
		case "nab":
			some, err = dailyLoads(filepath.Join(data, "nab"))
		default:
			err = fmt.Errorf("there are no series %q: choose lab, nab or both", source)
		}
		if err != nil {
			return nil, err
		}
		loads = append(loads, some...)
	}
	return loads, nil
}

// labServices are those of the lab's shop that answer over HTTP.
var labServices = []string{"web", "checkout", "cart", "catalog", "orders"}

// labLoads are the requests per second of the shop's services over the lab's two
// weeks of history, minute by minute.
func labLoads() ([]scaledLoad, error) {
	ctx := context.Background()
	lab, err := harness.StartLab(ctx, os.Stderr, "-history", "15d")
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	client, err := prometheus.New(transport.Config{Mode: transport.Direct, URL: lab.Prometheus}, transport.Limits{Timeout: time.Minute}, time.Now)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	end := time.Now().Add(-time.Hour).Truncate(time.Hour)
	window := upstream.Range{Start: end.Add(-2 * week), End: end, Step: time.Minute}
	var loads []scaledLoad
	for _, service := range labServices {
		expr := fmt.Sprintf("sum(rate(http_server_request_duration_seconds_count{service_name=%q}[5m]))", service)
		found, err := client.QueryRange(ctx, expr, window)
		if err != nil {
			return nil, err
		}
		if len(found.Series) != 1 {
			return nil, fmt.Errorf("%s: the lab has %d series of requests", service, len(found.Series))
		}
		loads = append(loads, scaledLoad{"lab " + service, found.Series[0]})
	}
	return loads, nil
}

// leastDaily is the correlation of a load with itself a day before from which
// on it has a daily rhythm.
const leastDaily = 0.3

// dailyLoads are NAB's real series with a daily rhythm in their first week, two
// weeks or longer, and nothing below zero: whatever they measure, as if it were
// a load.
func dailyLoads(folder string) ([]scaledLoad, error) {
	files, err := datasets.ReadNAB(folder)
	if err != nil {
		return nil, err
	}
	var loads []scaledLoad
	for _, file := range files {
		if !strings.HasPrefix(file.Name, "real") {
			continue
		}
		load, _, err := file.Grid()
		if err != nil {
			return nil, err
		}
		whole := filled(load.Values)
		first := int(week / load.Step)
		negative := false
		for _, v := range whole {
			negative = negative || v < 0
		}
		if load.Len() >= 2*first && !negative && daily(whole[:first], int(24*time.Hour/load.Step)) >= leastDaily {
			loads = append(loads, scaledLoad{strings.TrimSuffix(filepath.Base(file.Name), ".csv"), load})
		}
	}
	return loads, nil
}

// daily is the correlation of values with those so many points before.
func daily(values []float64, before int) float64 {
	var mean, joint, alone float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for i, v := range values {
		alone += (v - mean) * (v - mean)
		if i >= before {
			joint += (v - mean) * (values[i-before] - mean)
		}
	}
	if alone == 0 {
		return 0
	}
	return joint / alone * float64(len(values)) / float64(len(values)-before)
}

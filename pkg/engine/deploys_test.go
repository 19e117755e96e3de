package engine

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func counts(service, version string, values ...float64) series.Series {
	return series.Series{
		Labels: series.Labels{"service_name": service, "service_version": version},
		Start:  noon, Step: 5 * time.Second, Values: values,
	}
}

func TestDeploysFrom(t *testing.T) {
	missing := math.NaN()
	for name, test := range map[string]struct {
		counts []series.Series
		want   []Deploy
	}{
		"nothing": {nil, nil},
		"a version that was there when the window began has not arrived": {
			[]series.Series{counts("orders", "1", 5, 5, 5)},
			[]Deploy{{Service: "orders", Version: "1", FirstSeen: noon, LastSeen: noon.Add(10 * time.Second), Share: 1}},
		},
		"a new version arrives after the old one": {
			[]series.Series{counts("orders", "2", 0, missing, 3, 9), counts("orders", "1", 5, 5, 5, 3)},
			[]Deploy{
				{Service: "orders", Version: "1", FirstSeen: noon, LastSeen: noon.Add(15 * time.Second), Share: 0.25},
				{Service: "orders", Version: "2", Previous: "1", FirstSeen: noon.Add(10 * time.Second), LastSeen: noon.Add(15 * time.Second), Arrived: true, Share: 0.75},
			},
		},
		"stray spans are no deploy": {
			[]series.Series{counts("orders", "1", 5, 5, 5), counts("orders", "dev", 0, 2, 0)},
			[]Deploy{{Service: "orders", Version: "1", FirstSeen: noon, LastSeen: noon.Add(10 * time.Second), Share: 1}},
		},
		"spans without a version are no deploy": {
			[]series.Series{counts("orders", "1", 5, 5, 5), counts("orders", "", 0, 4, 4)},
			[]Deploy{
				{Service: "orders", Version: "1", FirstSeen: noon, LastSeen: noon.Add(10 * time.Second), Share: 5.0 / 9},
				{Service: "orders", Version: "", Previous: "1", FirstSeen: noon.Add(5 * time.Second), LastSeen: noon.Add(10 * time.Second), Share: 4.0 / 9},
			},
		},
		"services do not mix": {
			[]series.Series{counts("cart", "7", 5, 5), counts("orders", "1", 0, 5)},
			[]Deploy{
				{Service: "cart", Version: "7", FirstSeen: noon, LastSeen: noon.Add(5 * time.Second), Share: 1},
				{Service: "orders", Version: "1", FirstSeen: noon.Add(5 * time.Second), LastSeen: noon.Add(5 * time.Second), Share: 1},
			},
		},
	} {
		for i := range test.want {
			test.want[i].At, test.want[i].Source, test.want[i].InTraces = test.want[i].FirstSeen, FromVersion, test.want[i].Version != ""
			test.want[i].ran = []Stretch{{test.want[i].FirstSeen, test.want[i].LastSeen.Add(5 * time.Second)}}
		}
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, deploysFrom(test.counts)) })
	}
}

func TestChooseDeploy(t *testing.T) {
	deploys := []Deploy{
		{Version: "1"},
		{Version: "2", Previous: "1", Arrived: true},
		{Version: "3", Previous: "2", Arrived: true},
	}
	for name, test := range map[string]struct {
		baseline, candidate string
		wantBaseline        string
		wantCandidate       string
		found               bool
	}{
		"the newest arrival against the one before": {"", "", "2", "3", true},
		"a named candidate against the one before":  {"", "2", "1", "2", true},
		"a named baseline against the newest":       {"1", "", "1", "3", true},
		"the oldest has nothing to compare with":    {"", "1", "", "", false},
		"a baseline that is the newest":             {"3", "", "3", "2", true},
		"a version that was never seen":             {"", "9", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			deploy, found := chooseDeploy(deploys, test.baseline, test.candidate)
			require.Equal(t, test.found, found)
			if found {
				require.Equal(t, test.wantBaseline, deploy.Previous)
				require.Equal(t, test.wantCandidate, deploy.Version)
			}
		})
	}
}

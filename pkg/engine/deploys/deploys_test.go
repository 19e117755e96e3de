package deploys

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/series"
)

func counts(service, version string, values ...float64) series.Series {
	return series.Series{
		Labels: series.Labels{"service_name": service, "service_version": version},
		Start:  enginetest.Noon, Step: 5 * time.Second, Values: values,
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
			[]Deploy{{Service: "orders", Version: "1", FirstSeen: enginetest.Noon, LastSeen: enginetest.Noon.Add(10 * time.Second), Share: 1}},
		},
		"a new version arrives after the old one": {
			[]series.Series{counts("orders", "2", 0, missing, 3, 9), counts("orders", "1", 5, 5, 5, 3)},
			[]Deploy{
				{Service: "orders", Version: "1", FirstSeen: enginetest.Noon, LastSeen: enginetest.Noon.Add(15 * time.Second), Share: 0.25},
				{Service: "orders", Version: "2", Previous: "1", FirstSeen: enginetest.Noon.Add(10 * time.Second), LastSeen: enginetest.Noon.Add(15 * time.Second), Arrived: true, Share: 0.75},
			},
		},
		"stray spans are no deploy": {
			[]series.Series{counts("orders", "1", 5, 5, 5), counts("orders", "dev", 0, 2, 0)},
			[]Deploy{{Service: "orders", Version: "1", FirstSeen: enginetest.Noon, LastSeen: enginetest.Noon.Add(10 * time.Second), Share: 1}},
		},
		"spans without a version are no deploy": {
			[]series.Series{counts("orders", "1", 5, 5, 5), counts("orders", "", 0, 4, 4)},
			[]Deploy{
				{Service: "orders", Version: "1", FirstSeen: enginetest.Noon, LastSeen: enginetest.Noon.Add(10 * time.Second), Share: 5.0 / 9},
				{Service: "orders", Version: "", Previous: "1", FirstSeen: enginetest.Noon.Add(5 * time.Second), LastSeen: enginetest.Noon.Add(10 * time.Second), Share: 4.0 / 9},
			},
		},
		"services do not mix": {
			[]series.Series{counts("cart", "7", 5, 5), counts("orders", "1", 0, 5)},
			[]Deploy{
				{Service: "cart", Version: "7", FirstSeen: enginetest.Noon, LastSeen: enginetest.Noon.Add(5 * time.Second), Share: 1},
				{Service: "orders", Version: "1", FirstSeen: enginetest.Noon.Add(5 * time.Second), LastSeen: enginetest.Noon.Add(5 * time.Second), Share: 1},
			},
		},
	} {
		for i := range test.want {
			test.want[i].At, test.want[i].Source, test.want[i].InTraces = test.want[i].FirstSeen, FromVersion, test.want[i].Version != ""
			test.want[i].Served = []ServingPeriod{{test.want[i].FirstSeen, test.want[i].LastSeen.Add(5 * time.Second)}}
		}
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, deploysFrom(test.counts)) })
	}
}

func TestStretches(t *testing.T) {
	at := func(step int) time.Time { return enginetest.Noon.Add(time.Duration(step) * 5 * time.Second) }
	for name, test := range map[string]struct {
		own, others []float64
		want        []ServingPeriod
	}{
		"never":              {[]float64{0, 0}, []float64{9, 9}, nil},
		"always":             {[]float64{9, 9, 9}, []float64{0, 0, 0}, []ServingPeriod{{at(0), at(3)}}},
		"away and back":      {[]float64{90, 0, 0, 0, 90}, []float64{0, 90, 90, 90, 0}, []ServingPeriod{{at(0), at(1)}, {at(4), at(5)}}},
		"nobody serves":      {[]float64{90, 0, 0, 0, 90}, []float64{0, 0, 0, 0, 0}, []ServingPeriod{{at(0), at(5)}}},
		"a canary of little": {[]float64{1, 0, 0, 1, 1}, []float64{99, 99, 99, 99, 99}, []ServingPeriod{{at(0), at(5)}}},
	} {
		t.Run(name, func(t *testing.T) {
			versions := []series.Series{counts("orders", "1", test.own...), counts("orders", "2", test.others...)}
			require.Equal(t, test.want, servingPeriods(versions[0], totalsOf(versions)))
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Float64Range(0, 100)
		own := rapid.SliceOfN(count, 1, 40).Draw(t, "own")
		others := rapid.SliceOfN(count, len(own), len(own)).Draw(t, "others")
		versions := []series.Series{counts("orders", "1", own...), counts("orders", "2", others...)}
		last := time.Time{}
		for _, s := range servingPeriods(versions[0], totalsOf(versions)) {
			require.True(t, s.From.Before(s.To) && !s.From.Before(last), "in order and apart")
			last = s.To
		}
	})
}

func TestServedBefore(t *testing.T) {
	first := counts("orders", "1", 9, 9, 0, 0, 9, 9, 0)
	second := counts("orders", "2", 0, 0, 9, 9, 0, 0, 0)
	third := counts("orders", "3", 0, 0, 0, 0, 0, 3, 9)
	unnamed := counts("orders", "", 99, 99, 99, 99, 99, 99, 99)
	for i, test := range []struct {
		versions []series.Series
		arrival  int
		want     string
		found    bool
	}{
		{[]series.Series{first, second, third}, 5, "1", true},
		{[]series.Series{first, second, third}, 2, "1", true},
		{[]series.Series{first, second, third}, 0, "", false},
		{[]series.Series{first, unnamed, third}, 5, "1", true},
		{[]series.Series{unnamed, third}, 5, "", true},
	} {
		version, found := servingTimesOf(test.versions).before(test.arrival)
		require.Equal(t, test.want, version, strconv.Itoa(i))
		require.Equal(t, test.found, found)
	}
}

func TestIncrements(t *testing.T) {
	missing := math.NaN()
	grown := increments([]float64{missing, 4, 4, 6, 5, 7, missing, 2, 3})
	require.True(t, math.IsNaN(grown[0]) && math.IsNaN(grown[6]))
	grown[0], grown[6] = 0, 0
	require.Equal(t, []float64{0, 4, 0, 2, 0, 2, 0, 2, 1}, grown)
}

// TestBuildOf checks what is read off information metrics.
func TestBuildOf(t *testing.T) {
	for image, want := range map[string]string{
		"shop/orders:2.0.1": "2.0.1", "registry:5000/orders:2": "2", "registry:5000/orders": "", "orders": "", "": "",
		"orders@sha256:0123456789abcdef0123": "0123456789ab", "orders:2.1@sha256:0123": "2.1", "orders:latest": "", "orders:latest@sha256:0123456789abcdef": "0123456789ab",
	} {
		require.Equal(t, want, imageVersion(image), image)
	}
	kind, owner, version := buildOf(series.Labels{"__name__": "orders_build_info", "job": "shop/orders", "version": "2"})
	require.Equal(t, []string{"orders_build_info", "orders", "2"}, []string{kind, owner, version})
	_, _, version = buildOf(series.Labels{"__name__": "go_build_info", "job": "orders", "version": "(devel)"})
	require.Empty(t, version)
	kind, owner, version = buildOf(series.Labels{"job": "orders", "service_version": "3"})
	require.Equal(t, []string{"target_info", "orders", "3"}, []string{kind, owner, version})
	require.Contains(t, buildQuery(`a "b"`), `container="a \"b\""`)
}

package diff_test

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// drawPopulation is traces of any shape, sound and unsound, from a few
// services and operations, so that paths are shared.
func drawPopulation(t *rapid.T, name string) []trace.Trace {
	id := func(number int) (id trace.SpanID) {
		binary.BigEndian.PutUint64(id[:], uint64(number))
		return id
	}
	random := rapid.Int64().Draw(t, name+" seed")
	traces := make([]trace.Trace, rapid.IntRange(0, 60).Draw(t, name))
	for i := range traces {
		binary.BigEndian.PutUint64(traces[i].ID[:], uint64(random)+uint64(i))
		for number := range rapid.IntRange(0, 6).Draw(t, "spans") {
			traces[i].Spans = append(traces[i].Spans, trace.Span{
				ID: id(number + 1), ParentID: id(rapid.IntRange(0, number+1).Draw(t, "parent")),
				Kind: trace.Kind(rapid.IntRange(0, 5).Draw(t, "kind")), Failed: rapid.Bool().Draw(t, "failed"),
				Service: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "service"),
				Name:    rapid.SampledFrom([]string{"x", "y \xff", ""}).Draw(t, "operation"),
				Start:   rapid.Int64Range(0, 1e9).Draw(t, "start"), Duration: rapid.Int64Range(-1e6, 1e9).Draw(t, "duration"),
			})
		}
	}
	return traces
}

func TestAnyPopulationsHaveASoundAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		result := diff.Compare(drawPopulation(t, "baseline"), drawPopulation(t, "candidate"), diff.Options{})
		requireSound(t, &result)
	})
}

func TestFaultyPopulationsHaveASoundAnswer(t *testing.T) {
	shops := []tracetest.Shop{{SlowQuery: 8}, {NPlusOne: 10}, {PaymentFails: 0.2}, {StarvedWeb: 20}, {LostCache: true}, {SlowQuery: 0.1}}
	baseline := tracetest.Shop{Seed: 1, Traces: 100}.Generate()
	for _, shop := range shops {
		shop.Seed, shop.Traces = 2, 80
		result := diff.Compare(baseline, shop.Generate(), diff.Options{})
		requireSound(t, &result)
	}
}

// requireSound checks what holds for every answer.
func requireSound(t require.TestingT, result *diff.Result) {
	requireFinite(t, reflect.ValueOf(*result), "result")
	require.NotEmpty(t, result.Verdict)
	require.NotEmpty(t, result.Reason)

	sums, shares := map[string]float64{}, map[string]float64{}
	keys := map[string]bool{}
	for _, path := range result.Paths {
		require.False(t, keys[path.Key], "paths are distinct")
		keys[path.Key] = true
		sums[path.Endpoint] += path.CallsEffect + path.PerCallEffect
		shares[path.Endpoint] += path.Share
		require.True(t, path.Share >= 0 && path.Share <= 1)
		for _, finding := range path.Findings {
			require.True(t, finding.PValue >= 0 && finding.PValue <= 1)
			require.LessOrEqual(t, finding.Lower, finding.Effect+1e-9)
			require.GreaterOrEqual(t, finding.Upper, finding.Effect-1e-9)
		}
	}
	for _, endpoint := range result.Endpoints {
		if endpoint.Baseline == 0 || endpoint.Candidate == 0 {
			continue
		}
		scale := math.Max(1, endpoint.BaselineDuration.Mean+endpoint.CandidateDuration.Mean)
		require.InDelta(t, endpoint.MeanChange/scale, sums[endpoint.Key]/scale, 1e-6, "contributions sum to the change")
		require.LessOrEqual(t, shares[endpoint.Key], 1+1e-9)
	}
	for _, suspect := range result.Suspects {
		require.True(t, suspect.Score >= 0 && suspect.Score <= 1)
		require.True(t, keys[suspect.Path], "a suspect is a path of the answer")
	}
}

// requireFinite walks through all numbers of a value.
func requireFinite(t require.TestingT, value reflect.Value, name string) {
	switch value.Kind() {
	case reflect.Float64:
		number := value.Float()
		require.False(t, math.IsNaN(number) || math.IsInf(number, 0), "%s is %v", name, number)
	case reflect.Struct:
		for i := range value.NumField() {
			if field := value.Type().Field(i); field.IsExported() {
				requireFinite(t, value.Field(i), name+"."+field.Name)
			}
		}
	case reflect.Slice:
		for i := range value.Len() {
			requireFinite(t, value.Index(i), name)
		}
	}
}

func TestOrderNeverMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPopulation(t, "baseline"), drawPopulation(t, "candidate")
		want := diff.Compare(a, b, diff.Options{})
		a, b = rapid.Permutation(a).Draw(t, "order"), rapid.Permutation(b).Draw(t, "order")
		require.Empty(t, cmp.Diff(want, diff.Compare(a, b, diff.Options{})))
	})
}

func TestSwappedSidesSwapTheVerdict(t *testing.T) {
	a := tracetest.Shop{Seed: 1, Traces: 300}.Generate()
	b := tracetest.Shop{Seed: 2, Traces: 300, SlowQuery: 5}.Generate()
	forth, back := diff.Compare(a, b, diff.Options{}), diff.Compare(b, a, diff.Options{})
	require.Equal(t, diff.Regressed, forth.Verdict)
	require.Equal(t, diff.Improved, back.Verdict)
	require.Equal(t, forth.Suspects[0].Path, back.Suspects[0].Path)
	require.InEpsilon(t, 1, forth.Suspects[0].Finding.Effect*back.Suspects[0].Finding.Effect, 1e-9)
}

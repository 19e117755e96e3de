package incident_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// TestMalformedRecords: series of different lengths, values that cannot be, names
// that occur twice, calls in circles. The answer is the same each time, and in
// bounds.
func TestMalformedRecords(t *testing.T) {
	values := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, 1, 600, 1e300, 0.5}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		strange := func() []float64 {
			s := make([]float64, random.IntN(250))
			for i := range s {
				s[i] = 600 + 10*random.NormFloat64()
				if random.Float64() < 0.1 || i > 180 && random.Float64() < 0.8 {
					s[i] = values[random.IntN(len(values))]
				}
			}
			return s
		}
		var r incident.Record
		for range 15 {
			name := strconv.Itoa(random.IntN(12))
			r.Services = append(r.Services, incident.Service{
				Name: name, Requests: strange(), Latency: strange(), Failed: strange(),
				Places: []incident.Place{{Kind: "zone", Name: "a", Requests: strange(), Failed: strange()}, {}},
			})
			r.Changes = append(r.Changes, incident.Change{Service: name, Step: random.IntN(400) - 100})
		}
		for range 40 {
			r.Calls = append(r.Calls, propagation.Call{Caller: strconv.Itoa(random.IntN(14)), Callee: strconv.Itoa(random.IntN(14)), Requests: strange()})
		}
		r.From = random.IntN(300) - 20
		first, second := incident.Find(r), incident.Find(r)
		require.Equal(t, fmt.Sprintf("%+v", first), fmt.Sprintf("%+v", second), "seed %d", seed)
		ids := map[string]bool{}
		for _, one := range first.Incidents {
			require.NotEmpty(t, one.ID)
			require.NotEmpty(t, one.Members)
			require.Less(t, one.Start, one.End)
			if one.State == incident.Active {
				require.False(t, ids[one.ID], "two active incidents of one name")
				ids[one.ID] = true
			}
		}
	}
}

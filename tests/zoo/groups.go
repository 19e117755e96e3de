package zoo

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// GroupKinds are what can go wrong with one member of a group.
var GroupKinds = []Kind{None, Drop, Rise, Outage, Creep}

// Group is several replicas of a service; one of them, the first, may be odd.
type Group struct {
	Members  []series.Series
	From     time.Time
	Incident Incident
}

// DrawGroup draws replicas that share their load: each has its own size and noise,
// the day's curve, quieter weekends and now and then a burst are common to all.
func DrawGroup(n int, kind Kind, step, history, judged time.Duration, seed uint64) Group {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	g := Group{From: monday, Members: make([]series.Series, n)}
	sizes := make([]float64, n)
	points := int((history + judged) / step)
	for k := range g.Members {
		sizes[k] = math.Exp(0.1 * r.NormFloat64())
		g.Members[k] = series.Series{Start: monday.Add(-history).Truncate(step), Step: step, Values: make([]float64, points)}
	}
	burst := 0.0
	for i := range points {
		at := g.Members[0].Time(i)
		load := 10 + 90*bell(at)
		if weekend(at) {
			load *= 0.4
		}
		if r.Float64() < step.Hours()/24 {
			burst = 1.5
		}
		burst *= math.Exp(-step.Hours() / 0.5)
		load *= (1 + burst) * math.Exp(0.05*r.NormFloat64())
		for k, m := range g.Members {
			m.Values[i] = load * sizes[k] * (1 + 0.04*r.NormFloat64())
		}
	}
	odd := Metric{Series: g.Members[0], From: g.From}
	g.Incident = odd.inject(kind, r)
	return g
}

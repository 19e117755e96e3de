package accuracy

import (
	"math"
	"time"
)

// tick is how often the horizontal pod autoscaler looks.
const tick = 15 * time.Second

// autoscaler is Kubernetes' horizontal pod autoscaler with its defaults, over
// metrics that are totals to be shared by the pods (External, AverageValue): as
// KEDA feeds it.
type autoscaler struct {
	target      float64       // of the load per pod
	startUp     time.Duration // from the decision until a pod serves
	fewest      float64
	replicas    float64   // asked for, serving or not
	starting    []pods    // oldest first
	recommended []float64 // of the stabilisation window, oldest first
}

type pods struct {
	ready time.Duration
	n     float64
}

const (
	tolerance     = 0.1
	stabilisation = 5 * time.Minute // of scaling down
	mostPods      = 4               // added at once, or as many as there are
)

// step lets the autoscaler look at its metrics once; each may be NaN, which it
// passes over. It wants as many pods as the greediest.
func (a *autoscaler) step(now time.Duration, metrics ...float64) {
	wanted, known := 0.0, false
	for _, total := range metrics {
		if math.IsNaN(total) {
			continue
		}
		n := a.replicas
		if ratio := total / (a.target * a.replicas); math.Abs(ratio-1) > tolerance {
			n = math.Ceil(total / a.target)
		}
		wanted, known = max(wanted, n), true
	}
	if !known {
		wanted = a.replicas
	}
	a.recommended = append(a.recommended, wanted)
	if most := int(stabilisation / tick); len(a.recommended) > most {
		a.recommended = a.recommended[len(a.recommended)-most:]
	}
	for _, before := range a.recommended {
		if wanted < a.replicas {
			wanted = max(wanted, min(before, a.replicas))
		}
	}
	wanted = max(min(wanted, max(2*a.replicas, a.replicas+mostPods)), a.fewest)
	if more := wanted - a.replicas; more > 0 {
		a.starting = append(a.starting, pods{now + a.startUp, more})
	} else {
		a.stop(-more)
	}
	a.replicas = wanted
}

// stop ends pods, those that do not serve yet first.
func (a *autoscaler) stop(n float64) {
	for n > 0 && len(a.starting) > 0 {
		newest := &a.starting[len(a.starting)-1]
		gone := min(n, newest.n)
		newest.n -= gone
		n -= gone
		if newest.n == 0 {
			a.starting = a.starting[:len(a.starting)-1]
		}
	}
}

// serving is how many pods serve.
func (a *autoscaler) serving(now time.Duration) float64 {
	n := a.replicas
	for len(a.starting) > 0 && a.starting[0].ready <= now {
		a.starting = a.starting[1:]
	}
	for _, p := range a.starting {
		n -= p.n
	}
	return n
}

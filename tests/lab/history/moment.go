package history

import (
	"time"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// ordinaryUtilization is about how busy the shop's processors are at the mean
// load: contention by a neighbour slows requests as that much more traffic
// would.
const ordinaryUtilization = 0.35

// moment is the load in the interval before a sample.
type moment struct {
	millis  int64
	seconds float64
	traffic position // how many requests come
	stress  position // how they fare
}

// position is a place between two levels.
type position struct {
	low, high int
	weight    float64 // of high
}

func (p position) between(at func(level int) float64) float64 {
	return at(p.low)*(1-p.weight) + at(p.high)*p.weight
}

// momentAt describes the load between two samples.
func momentAt(load shop.Load, from, to time.Time) moment {
	middle := from.Add(to.Sub(from) / 2)
	factor, reindexing := load.Factor(middle), load.Reindexing(middle)
	return moment{
		millis:  to.UnixMilli(),
		seconds: to.Sub(from).Seconds(),
		traffic: locate(factor, reindexing),
		stress:  locate(factor+load.Contention(middle)/ordinaryUtilization, reindexing),
	}
}

// locate finds the levels on both sides of a factor; beyond the outermost it
// continues their line, but never below nothing.
func locate(factor float64, reindexing bool) position {
	var usable []int
	for i, l := range levels {
		if l.reindexing == reindexing {
			usable = append(usable, i)
		}
	}
	i := 1
	for i < len(usable)-1 && levels[usable[i]].factor < factor {
		i++
	}
	low, high := usable[i-1], usable[i]
	weight := (factor - levels[low].factor) / (levels[high].factor - levels[low].factor)
	return position{low, high, max(weight, -levels[low].factor/(levels[high].factor-levels[low].factor))}
}

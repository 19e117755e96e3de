package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// anchor moves what lay before each shift to the level after it, in the averaged
// and the observed values: by the difference, or by the ratio where the season
// grew with the level or the difference would make a quantity negative that never
// was. It says whether there was any.
func (p *prepared) anchor(r Request, coarse []float64, shifts []series.Shift) bool {
	offset := len(p.observed) - len(coarse)*p.factor
	for _, shift := range shifts {
		at := min(max(p.clock.instant(shift.At), 0), len(coarse))
		size := shift.Size
		move := func(v float64) float64 { return v + size }
		before := stats.MedianOf(stats.Observed(coarse[:at]))
		change := p.changeAt(coarse, at)
		if change.ok {
			size = change.difference
		}
		switch {
		case change.ok && change.byFactor:
			move = func(v float64) float64 { return v * change.ratio }
		case p.least >= 0 && before+size > 0 && lowest(coarse[:at])+size < 0:
			move = func(v float64) float64 { return v * (before + size) / before }
		}
		for i, v := range coarse[:at] {
			coarse[i] = move(v)
		}
		first := offset + at*p.factor
		for i, v := range p.observed[:first] {
			p.observed[i] = move(v)
		}
		p.notice("the level changed by %.3g at %s; what lay before was moved to the new level",
			p.value(size), r.History.Time(r.History.Len()-len(p.observed)+first).UTC().Format(time.RFC3339))
	}
	if len(shifts) == 0 {
		return false
	}
	p.least, p.most = math.Inf(1), math.Inf(-1)
	for _, v := range stats.Observed(p.observed) {
		p.least, p.most = min(p.least, p.value(v)), max(p.most, p.value(v))
	}
	return true
}

// change is what a shift did to the values: those from it on against those of one
// season before.
type change struct {
	difference, ratio float64
	byFactor          bool // the ratio explains them better than the difference
	ok                bool
}

func (p *prepared) changeAt(coarse []float64, at int) (c change) {
	period := p.longestPeriod()
	if period == 0 {
		return c
	}
	var before, after, differences []float64
	for t := max(at, period); t < min(at+period, len(coarse)); t++ {
		if a, b := coarse[t], coarse[t-period]; !math.IsNaN(a) && !math.IsNaN(b) {
			before, after, differences = append(before, b), append(after, a), append(differences, a-b)
		}
	}
	if len(before) < period/2 {
		return c
	}
	c.ok, c.difference = true, stats.Median(differences)
	c.ratio = stats.Median(after) / stats.Median(before)
	if p.least < 0 || !(c.ratio > 0) || math.IsInf(c.ratio, 0) {
		return c
	}
	sum, product := 0.0, 0.0
	for i, b := range before {
		sum += math.Abs(after[i] - b - c.difference)
		product += math.Abs(after[i] - b*c.ratio)
	}
	c.byFactor = product < sum
	return c
}

func lowest(values []float64) float64 {
	low := math.Inf(1)
	for _, v := range values {
		if v < low {
			low = v
		}
	}
	return low
}

// shift is the largest lasting change of level, if any: where nothing is below
// zero first on a logarithm, on which a season that grows with its level stays the
// same.
func (p *prepared) shift(shown []float64) []series.Shift {
	if p.least >= 0 {
		log := transformedFit{transform: Log, unit: stats.Median(shown)}
		if log.unit > 0 {
			logs := make([]float64, len(shown))
			for i, v := range shown {
				logs[i] = log.forward(v)
			}
			if shifts := series.Shifts(logs, p.periods); len(shifts) > 0 {
				return largest(shifts)
			}
		}
	}
	return largest(series.Shifts(shown, p.periods))
}

// largest is the shift of the greatest size, if any.
func largest(shifts []series.Shift) []series.Shift {
	if len(shifts) < 2 {
		return shifts
	}
	return []series.Shift{slices.MaxFunc(shifts, func(a, b series.Shift) int {
		return cmp.Compare(math.Abs(a.Size), math.Abs(b.Size))
	})}
}

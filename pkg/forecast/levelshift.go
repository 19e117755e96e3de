package forecast

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// anchor moves what lay before each shift to the level after it, in the averaged
// and the observed values: by the difference, or by the ratio where the
// difference would make a quantity negative that never was. It says whether
// there was any.
func (p *prepared) anchor(r Request, coarse []float64, shifts []series.Shift) bool {
	offset := len(p.observed) - len(coarse)*p.factor
	for _, shift := range shifts {
		at := min(max(p.clock.instant(shift.At), 0), len(coarse))
		move := func(v float64) float64 { return v + shift.Size }
		if before := stats.MedianOf(stats.Observed(coarse[:at])); p.least >= 0 && before+shift.Size > 0 {
			for _, v := range coarse[:at] {
				if v+shift.Size < 0 {
					ratio := (before + shift.Size) / before
					move = func(v float64) float64 { return v * ratio }
					break
				}
			}
		}
		for i, v := range coarse[:at] {
			coarse[i] = move(v)
		}
		first := offset + at*p.factor
		for i, v := range p.observed[:first] {
			p.observed[i] = move(v)
		}
		p.notice("the level changed by %.3g at %s; what lay before was moved to the new level",
			p.value(shift.Size), r.History.Time(r.History.Len()-len(p.observed)+first).UTC().Format(time.RFC3339))
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

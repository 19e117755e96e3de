package anomaly

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// incidentLimit is how many spreads from the centre a point may lie and
	// still teach in full.
	incidentLimit = 5
	// minForDetail is how many cycles it takes to tell detail from noise.
	minForDetail = 5
	// blocksPerCycle is the detail of a profile of few cycles: an hour of a week.
	blocksPerCycle = 168
	// standsOut is how many spreads a detail must differ from the smooth line to
	// be kept, such as a job at the same minute each day.
	standsOut = 4
)

// smoothings are the widths, as fractions of a period, among which that of a
// detailed profile is chosen; 0 is none.
var smoothings = []int{0, 288, 96, 48, 24}

// pattern is the sum of the strong seasons' robust profiles.
type pattern struct {
	seasons  []series.Season
	profiles []profile
}

// profile is a season's shape. Of the points it was learned from, it says what
// the other half of the cycles foretold, so that residuals of the past are as
// large as those of the future will be.
type profile struct {
	whole   []float64
	crossed [2][]float64 // for even and odd cycles
}

func learnPattern(y []float64, candidates []int) pattern {
	p := pattern{seasons: series.Seasons(y, candidates, series.ClipPeaks)}
	periods := make([]int, len(p.seasons))
	for i, season := range p.seasons {
		periods[i] = season.Period
	}
	rest := series.WithoutIncidents(y, periods, incidentLimit, series.ClipPeaks)
	for _, season := range p.seasons {
		detrended := series.Detrended(rest, season.Period)
		learned := coarseProfile(detrended, season.Period)
		if len(y) >= minForDetail*season.Period {
			learned = detailedProfile(detrended, season.Period)
		}
		for i := range rest {
			rest[i] -= learned.whole[i%season.Period]
		}
		p.profiles = append(p.profiles, learned)
	}
	return p
}

// at is the pattern at point i, of which the first learn were learned from.
func (p pattern) at(i, learn int) float64 {
	sum := 0.0
	for _, profile := range p.profiles {
		period := len(profile.whole)
		if i < learn {
			sum += profile.crossed[i/period%2][i%period]
		} else {
			sum += profile.whole[i%period]
		}
	}
	return sum
}

func (p pattern) longest() int {
	if len(p.seasons) == 0 {
		return 0
	}
	return p.seasons[len(p.seasons)-1].Period
}

// cycles are the profiles of all, of the odd and of the even cycles: what to
// expect, and what to compare even and odd cycles with.
func cycles(y []float64, period int) profile {
	even, odd := make([]float64, len(y)), make([]float64, len(y))
	for i, v := range y {
		even[i], odd[i] = v, math.NaN()
		if i/period%2 == 1 {
			even[i], odd[i] = odd[i], even[i]
		}
	}
	return profile{
		whole:   series.Profile(y, period),
		crossed: [2][]float64{series.Profile(odd, period), series.Profile(even, period)},
	}
}

// each applies f to the three shapes.
func (p profile) each(f func([]float64) []float64) profile {
	return profile{whole: f(p.whole), crossed: [2][]float64{f(p.crossed[0]), f(p.crossed[1])}}
}

// coarseProfile is the profile of block averages, the line between their
// centres: of few cycles, only what lasts is believed.
func coarseProfile(y []float64, period int) profile {
	block := max(period/blocksPerCycle, 1)
	if block == 1 || period%block != 0 {
		return cycles(y, period)
	}
	// Whole blocks from the first point on; Coarsen counts from the end.
	whole := y[:len(y)/block*block]
	return cycles(series.Coarsen(whole, block), period/block).each(func(blocks []float64) []float64 {
		return joined(blocks, block, period)
	})
}

// detailedProfile is the profile with the smoothing under which one half of the
// cycles best foretells the other.
func detailedProfile(y []float64, period int) profile {
	raw := cycles(y, period)
	best, least := 0, math.Inf(1)
	for _, fraction := range smoothings {
		width := 0
		if fraction > 0 {
			if width = period / fraction; width < 2 {
				continue
			}
		}
		distance := gap(circularMean(raw.crossed[0], width), raw.crossed[1]) +
			gap(circularMean(raw.crossed[1], width), raw.crossed[0])
		if distance < least {
			best, least = width, distance
		}
	}
	return raw.each(func(shape []float64) []float64 { return smoothed(shape, best) })
}

// smoothed is the moving average with the details that stand out put back.
func smoothed(shape []float64, width int) []float64 {
	smooth := circularMean(shape, width)
	detail := make([]float64, len(shape))
	for i := range detail {
		detail[i] = shape[i] - smooth[i]
	}
	significant := standsOut * stats.Spread(detail)
	for i, d := range detail {
		if math.Abs(d) > significant {
			smooth[i] += d
		}
	}
	return smooth
}

func gap(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += math.Abs(a[i] - b[i])
	}
	return sum
}

// circularMean is the mean over width points around each, the end joined to the
// beginning.
func circularMean(x []float64, width int) []float64 {
	n := len(x)
	if width < 2 {
		return append([]float64(nil), x...)
	}
	reach := width / 2
	sum := 0.0
	for i := -reach; i <= reach; i++ {
		sum += x[(i+n)%n]
	}
	means := make([]float64, n)
	for i := range means {
		means[i] = sum / float64(2*reach+1)
		sum += x[(i+reach+1)%n] - x[(i-reach+n)%n]
	}
	return means
}

package diff

import (
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// family is a set of tests among which false discoveries are counted.
type family uint8

const (
	timings family = iota
	tails
	failures
	structure
	families
)

// hypothesis is one question about one path with its answer.
type hypothesis struct {
	path   trace.PathID
	aspect Aspect
	family family
	// pValue is not yet adjusted; raw is that of independent requests and a
	// single look.
	pValue, raw float64
	// large says that the effect reaches the minimum.
	large  bool
	worse  bool
	effect stats.Interval
	// moved says that the presence of a call moved beyond doubt, be it for a
	// change of the traffic.
	moved bool
	// shared are the paths that a test of several holds for; nil for a test of
	// one path.
	shared []trace.PathID
}

// question is what the tests of one path look at.
type question struct {
	path                trace.PathID
	baseline, candidate *sample
	blocks              []uint8 // of every request of the baseline
	// moments is how long the candidate is, in blocks of the baseline.
	moments float64
	options *Options
	// minChange is the least change of time per request that counts,
	// nanoseconds.
	minChange float64
	tests     []hypothesis
}

// maxBlocksTogether is how many blocks of the baseline make the longest stretch of
// which the variation is looked at: good and bad moments may last.
const maxBlocksTogether = 3

// ask adds a test; up tells a candidate that has more of the scored quantity.
// The dispersion of the scores in the baseline and the effect are worked out
// only where the p-value could count. The p-value that is kept is valid however
// often the question is asked while requests arrive; information is that of the
// test (stats.Information). Without scores nothing is discounted.
func (q *question) ask(aspect Aspect, family family, pValue, information float64, up bool, scores func(add func(block uint8, score float64)), effect func(*hypothesis)) {
	t := hypothesis{path: q.path, aspect: aspect, family: family, pValue: pValue, raw: pValue, worse: up}
	if pValue <= q.options.FalseDiscoveryRate {
		if scores != nil {
			t.pValue = q.discounted(pValue, information, up, scores)
		}
		t.pValue = stats.AlwaysValid(t.pValue, information)
	}
	if t.pValue <= q.options.FalseDiscoveryRate || t.raw <= overwhelming {
		effect(&t)
	}
	q.tests = append(q.tests, t)
}

// discounted is the p-value of a test after it is discounted by how much the
// baseline varies from moment to moment.
func (q *question) discounted(pValue, information float64, up bool, scores func(add func(block uint8, score float64))) float64 {
	var blocks [maxBlocks]stats.Block
	scores(func(block uint8, score float64) { blocks[block].Add(score) })
	// A past incident is no reason to overlook a slow candidate, but it is one
	// to doubt that a candidate without incident is better.
	kept := 1.0
	if up {
		kept = 0.8
	}
	effect, freedom := stats.DesignEffect(blocks[:], kept, maxBlocksTogether, q.moments, information)
	return stats.Inflate(pValue, effect, freedom)
}

// adjust replaces the p-values by those adjusted within their family
// (Benjamini and Hochberg) and keeps the findings: significant and large.
func adjust(tests []hypothesis, rate float64) []hypothesis {
	var found []hypothesis
	for family := range families {
		var members []int
		var pValues []float64
		for i := range tests {
			if tests[i].family == family {
				members = append(members, i)
				pValues = append(pValues, tests[i].pValue)
			}
		}
		for position, adjusted := range stats.BenjaminiHochberg(pValues) {
			t := tests[members[position]]
			t.pValue = adjusted
			if adjusted <= rate && t.large {
				found = append(found, t)
			}
		}
	}
	return share(found)
}

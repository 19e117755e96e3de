package diff

import "github.com/foresight-observability/foresight/pkg/stats"

// askErrors tests whether more or fewer requests see a call of the path fail,
// among those that call it.
func (q *question) askErrors() {
	before := stats.Proportion{Successes: q.baseline.failed, Trials: q.baseline.present}
	after := stats.Proportion{Successes: q.candidate.failed, Trials: q.candidate.present}
	if before.Successes+after.Successes == 0 || min(before.Trials, after.Trials) < minExact {
		return
	}
	scores := func(add func(uint8, float64)) {
		failed := func(c *call) int64 { return int64(one(c.failed)) }
		q.baseline.eachRequest(failed, func(request int32, mean float64) { add(q.blocks[request], float64(one(mean > 0))) })
	}
	q.ask(ErrorRate, failures, stats.FisherMidP(before, after), stats.Information(before.Trials, after.Trials), after.Rate() > before.Rate(), scores, func(t *hypothesis) {
		t.effect = stats.Newcombe(before, after, confidence)
		low, high := min(before.Rate(), after.Rate()), max(before.Rate(), after.Rate())
		t.large = high >= low*q.options.MinErrorRatio && high-low >= q.options.MinErrorChange
	})
}

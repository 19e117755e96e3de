package anomaly

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
)

// Constants are the numbers that no theory gives and that were chosen on data,
// those of the calibration among them. `bench left-out` chooses them on all data
// sets but one and judges that one.
type Constants struct {
	detector.Constants
	// Agreement is how far what one detector alone sees is drawn to what a second
	// one sees: 0 is not at all, 1 is wholly.
	Agreement float64
	// Refractory is how long after an event a new one still belongs to it: half a
	// day, so that a person who was paged is not paged again in the same shift, and what
	// comes every day can still be distinguished.
	Refractory time.Duration
	// Soon is how long it must at least be quiet after an event for a new one, and
	// Quiet how many times as long as the event lasted: what follows a short spike an
	// hour later is another one, what flares up after an hour's incident is not.
	Soon  time.Duration
	Quiet float64
	// Rare is the score of what chance leaves once in eighty years: after Soon it is an
	// event of its own, however long the last one was.
	Rare float64
}

// DefaultConstants are those that judge.
func DefaultConstants() Constants {
	return Constants{
		Constants: detector.DefaultConstants(), Agreement: 2.0 / 3, Refractory: 12 * time.Hour,
		Soon: 30 * time.Minute, Quiet: 10, Rare: 95,
	}
}

func (r Request) constants() Constants {
	if r.Constants != nil {
		return *r.Constants
	}
	return DefaultConstants()
}

package diff

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPastIncidentDoesNotExcuse: one of the baseline's moments was bad. That is no
// reason to overlook a candidate that is worse, and one to doubt that another is
// better.
func TestAPastIncidentDoesNotExcuse(t *testing.T) {
	q := question{moments: 1}
	scores := func(add func(uint8, float64)) {
		for i := range maxBlocks * 20 {
			block, score := uint8(i/20), float64(i%5)
			if block == 7 {
				score += 5
			}
			add(block, score)
		}
	}
	worse, better := q.discounted(1e-6, 200, true, scores), q.discounted(1e-6, 200, false, scores)
	require.Less(t, worse, 1e-5)
	require.Greater(t, better, 1e-3)
}

package anomaly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// An event is over where it has been quiet for ten times as long as it lasted, and
// half an hour at least; what is rare needs half an hour alone.
func TestWhenAnEventIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		length, quiet int // minutes
		next          float64
		events        int
	}{
		"a spike, another one at once":       {3, 25, 80, 1},
		"a spike, another one later":         {3, 40, 80, 2},
		"a quarter of an hour, an hour":      {15, 60, 80, 1},
		"a quarter of an hour, three hours":  {15, 180, 80, 2},
		"two hours, eleven more":             {120, 660, 80, 1},
		"two hours, the next shift":          {120, 740, 80, 2},
		"a quarter of an hour, rare, soon":   {15, 60, 96, 2},
		"a quarter of an hour, rare at once": {15, 25, 96, 1},
	} {
		scores := make([]float64, 1000)
		for i := range c.length {
			scores[10+i] = 90
		}
		scores[10+c.length-1+c.quiet] = c.next
		r := anomaly.Result{Score: scores, Expected: make([]float64, 1000)}
		r.Actual = series.Series{Start: monday, Step: time.Minute, Values: make([]float64, 1000)}
		require.Len(t, anomaly.Events(r, 75), c.events, name)
	}
}

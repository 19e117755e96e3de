package anomaly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/tests/zoo"
)

// What the zoo's bench measures over weeks, for the shapes that once paged every
// week: a week that is quiet stays so, and an incident is found at once.
func TestShapesOfMetrics(t *testing.T) {
	once := map[string]zoo.Kind{
		"bell, weekends 40 %": zoo.Drop, "Berlin's clock": zoo.Outage, "weekly job": zoo.Rise,
		"growth 1 % a day": zoo.Drop, "counts, 0.3": zoo.Burst, "level shift up": zoo.Saturation,
	}
	for _, shape := range zoo.Shapes() {
		kind, queried := once[shape.Name]
		if !queried {
			continue
		}
		t.Run(shape.Name, func(t *testing.T) {
			judge := func(kind zoo.Kind, judged time.Duration, seed uint64) (zoo.Metric, anomaly.Result) {
				m := zoo.Draw(shape, kind, 5*time.Minute, 14*day, judged, seed)
				if shape.Location != nil {
					m.Series.Start = m.Series.Start.In(shape.Location)
				}
				return m, detect(t, anomaly.Request{History: m.Series, From: m.From})
			}
			_, quiet := judge(zoo.None, 7*day, 0)
			require.Empty(t, quiet.Events)
			m, hit := judge(kind, 2*day, 100)
			require.Len(t, hit.Events, 1)
			require.WithinDuration(t, m.Incident.Start, hit.Events[0].Start, 5*time.Minute)
		})
	}
}

func TestSmallRelativeDeviationsDoNotCount(t *testing.T) {
	values := traffic(learned+perDay, 5)
	add(values, learned+600, 30, 60)
	r := request(values, learned)
	require.Len(t, detect(t, r).Events, 1)
	r.MinRelativeDeviation = 2
	require.Empty(t, detect(t, r).Events)
}

package anomaly_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/zoo"
)

func judgeMember(t *testing.T, g zoo.Group, k int) anomaly.Result {
	group, err := anomaly.NewGroup(g.Members, g.From)
	require.NoError(t, err)
	r, err := group.Detect(anomaly.Request{History: g.Members[k], From: g.From, NonNegative: true})
	require.NoError(t, err)
	requireSound(t, r)
	return r
}

func TestTheOddOneOut(t *testing.T) {
	for _, n := range []int{3, 5, 20} {
		for _, kind := range []zoo.Kind{zoo.Drop, zoo.Rise, zoo.Outage} {
			g := zoo.DrawGroup(n, kind, 10*time.Minute, 10*day, day, uint64(n))
			odd := judgeMember(t, g, 0)
			require.Len(t, odd.Events, 1, "%s of one of %d", kind, n)
			require.WithinDuration(t, g.Incident.Start, odd.Events[0].Start, 10*time.Minute)
			require.Empty(t, judgeMember(t, g, 1).Events, "%s of another one of %d", kind, n)
		}
		require.Empty(t, judgeMember(t, zoo.DrawGroup(n, zoo.None, 10*time.Minute, 10*day, day, uint64(n)), 0).Events)
	}
}

// What all do is no oddity, and the band follows them.
func TestWhatAllPeersDoIsUsual(t *testing.T) {
	g := zoo.DrawGroup(5, zoo.None, 10*time.Minute, 5*day, day, 7)
	for _, m := range g.Members {
		for i := m.Index(g.From) + 50; i < m.Len(); i++ {
			m.Values[i] *= 0.3
		}
	}
	r := judgeMember(t, g, 2)
	require.Empty(t, r.Events)
	inside := 0
	for i, v := range r.Actual.Values {
		if v >= r.Lower[i] && v <= r.Upper[i] {
			inside++
		}
	}
	require.Greater(t, inside, 9*len(r.Actual.Values)/10)
}

func TestGroupsThatCannotBeCompared(t *testing.T) {
	h := series.Series{Start: monday, Step: time.Minute, Values: make([]float64, 200)}
	_, err := anomaly.NewGroup([]series.Series{h, h}, monday)
	require.ErrorIs(t, err, anomaly.ErrBadRequest)
	other := h
	other.Start = monday.Add(time.Second)
	_, err = anomaly.NewGroup([]series.Series{h, h, other}, monday)
	require.ErrorIs(t, err, anomaly.ErrBadRequest)
}

// Replicas that are equal most of the time have no spread to compare with, and
// missing ones are not judged.
func TestPeersThatAreEqualOrMissing(t *testing.T) {
	members := make([]series.Series, 4)
	for k := range members {
		members[k] = series.Series{Start: monday, Step: 10 * time.Minute, Values: make([]float64, 6*144)}
		for i := range members[k].Values {
			members[k].Values[i] = 3
			if i >= 5*144+70 && k > 1 {
				members[k].Values[i] = math.NaN()
			}
		}
	}
	from := members[0].Time(5 * 144)
	for i := 5*144 + 20; i < 5*144+40; i++ {
		members[0].Values[i] = 9
	}
	group, err := anomaly.NewGroup(members, from)
	require.NoError(t, err)
	odd, err := group.Detect(anomaly.Request{History: members[0], From: from})
	require.NoError(t, err)
	require.Len(t, odd.Events, 1)
	require.True(t, math.IsNaN(odd.Score[100]), "two are left: either may be odd")
	require.Len(t, odd.Notices, 2)
	same, err := group.Detect(anomaly.Request{History: members[1], From: from})
	require.NoError(t, err)
	require.Empty(t, same.Events)
}

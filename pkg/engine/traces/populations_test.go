package traces

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
)

func TestChooseDeploy(t *testing.T) {
	deploys := []deploys.Deploy{
		{Version: "1"},
		{Version: "2", Previous: "1", Arrived: true},
		{Version: "3", Previous: "2", Arrived: true},
	}
	for name, test := range map[string]struct {
		baseline, candidate string
		wantBaseline        string
		wantCandidate       string
		found               bool
	}{
		"the newest arrival against the one before": {"", "", "2", "3", true},
		"a named candidate against the one before":  {"", "2", "1", "2", true},
		"a named baseline against the newest":       {"1", "", "1", "3", true},
		"the oldest has nothing to compare with":    {"", "1", "", "", false},
		"a baseline that is the newest":             {"3", "", "3", "2", true},
		"a version that was never seen":             {"", "9", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			deploy, found := chooseDeploy(deploys, test.baseline, test.candidate)
			require.Equal(t, test.found, found)
			if found {
				require.Equal(t, test.wantBaseline, deploy.Previous)
				require.Equal(t, test.wantCandidate, deploy.Version)
			}
		})
	}
}

func TestSettledWindows(t *testing.T) {
	now := enginetest.Noon.Add(3 * time.Second)
	e := Comparer{Sources: core.Sources{Now: func() time.Time { return now }}}
	panel, err := e.settled(core.Window{From: now.Add(-time.Hour), To: now.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, core.Window{From: enginetest.Noon.Add(-time.Hour), To: enginetest.Noon.Add(-5 * time.Second)}, panel)

	now = now.Add(time.Second)
	next, err := e.settled(core.Window{From: now.Add(-time.Hour), To: now.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, panel, next, "a panel that loads a little later asks for the same traces")

	_, err = e.settled(core.Window{From: now.Add(-3 * time.Second), To: now})
	require.ErrorContains(t, err, "no finished traces yet")
}

package frames_test

import (
	"errors"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/changes"
)

func someImpact(record impact.Record) engine.ImpactAnswer {
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	record.From, record.To, record.EveryWatched = at, at.Add(24*time.Hour), true
	return engine.ImpactAnswer{
		Provenance: engine.Provenance{Queries: []string{`ALERTS{alertstate="firing"}`}}, Service: "cart", From: record.From, To: record.To, Report: record.Judge(impact.Rules{}),
	}
}

func TestImpactFrames(t *testing.T) {
	at := func(hours float64) time.Time {
		return time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours * float64(time.Hour)))
	}
	full := impact.Record{
		Episodes: []impact.Episode{
			{Alert: "Soon", Service: "cart", Start: at(5.5), End: at(5.6), Horizon: time.Hour},
			{Alert: "Errors", Service: "cart", Start: at(6.1), End: at(6.5)}, {Alert: "Errors", Service: "cart", Start: at(12), End: at(12.1)},
			{Alert: "Errors", Service: "cart", Start: at(23), End: at(24), Firing: true},
		},
		Incidents: []impact.Incident{
			{Service: "cart", Start: at(6), End: at(6.5), Source: impact.Objective},
			{Service: "cart", Start: at(23.9), End: at(24), Ongoing: true, Source: impact.Objective},
		},
		Deploys:   []impact.Deploy{{Service: "cart", Version: "2", At: at(5.9)}, {Service: "cart", Version: "3", At: at(9)}},
		Rollbacks: []impact.Rollback{{Service: "cart", Version: "3", At: at(9.2), ByFail: true}},
		Said:      []impact.Said{{Service: "cart", At: at(9.1), Real: true}},
	}
	for name, test := range map[string]struct {
		record impact.Record
		query  query.Impact
		format query.Format
	}{
		"impact_panel":         {full, query.Impact{}, query.Panel},
		"impact_panel_nothing": {impact.Record{}, query.Impact{}, query.Panel},
		"impact_panel_view":    {full, query.Impact{View: query.ImpactPrevented}, query.Panel},
		"impact_alert":         {full, query.Impact{Measure: "precision"}, query.Alert},
		"impact_alert_lead":    {full, query.Impact{Measure: "lead"}, query.Alert},
		"impact_alert_nothing": {impact.Record{}, query.Impact{Measure: "recall"}, query.Alert},
	} {
		t.Run(name, func(t *testing.T) {
			answer := someImpact(test.record)
			if len(answer.Report.Incidents) > 0 {
				answer.Changes = map[int][]engine.Change{0: {{
					Suspect:  changes.Suspect{Release: changes.Release{Service: "cart"}, Score: 7, Errors: 0.03, Slower: 1, Controlled: true, Judged: true},
					Previous: "1", Version: "2", At: at(5.9),
				}}}
			}
			shaped, err := frames.Impact(answer, test.query, test.format)
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.Impact(someImpact(full), query.Impact{}, query.Annotations)
	require.Error(t, err)

	lost := someImpact(impact.Record{})
	lost.DeploysUnknown = errors.New("Tempo cannot be reached")
	shaped, err := frames.Impact(lost, query.Impact{}, query.Panel)
	require.NoError(t, err)
	for name, known := range map[string]bool{"change_failure_of": false, "change_failure_left_out": false, "recall_of": true} {
		field, _ := shaped[0].FieldByName(name)
		_, there := field.ConcreteAt(0)
		require.Equal(t, known, there, "%s: not known is not zero", name)
	}
}

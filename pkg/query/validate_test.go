package query_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

func TestValidate(t *testing.T) {
	forecast := func(change func(*query.Forecast)) query.Query {
		q := query.Forecast{Expr: "up"}.WithDefaults()
		change(&q)
		return q
	}
	anomaly := func(change func(*query.Anomaly)) query.Query {
		q := query.Anomaly{Expr: "up"}.WithDefaults()
		change(&q)
		return q
	}
	traceDiff := func(change func(*query.TraceDiff)) query.Query {
		q := query.TraceDiff{Service: "orders"}.WithDefaults()
		change(&q)
		return q
	}
	verdict := func(change func(*query.Verdict)) query.Query {
		q := query.Verdict{Service: "orders"}.WithDefaults()
		change(&q)
		return q
	}
	sizing := func(change func(*query.Sizing)) query.Query {
		q := query.Sizing{Service: "orders"}.WithDefaults()
		change(&q)
		return q
	}
	long := strings.Repeat("x", 1<<10+1)
	for name, test := range map[string]struct {
		query query.Query
		want  string // empty: valid
	}{
		"forecast":             {forecast(func(*query.Forecast) {}), ""},
		"forecast at limits":   {forecast(func(q *query.Forecast) { q.Probability, q.History, q.Horizon = 0.9999, 90*day, 30*day }), ""},
		"without defaults":     {query.Forecast{Expr: "up"}, ""},
		"no expr":              {forecast(func(q *query.Forecast) { q.Expr = "" }), "expr is missing: write the PromQL query of the metric to forecast"},
		"verdict":              {verdict(func(q *query.Verdict) { q.Format = query.Alert }), ""},
		"verdict by time":      {verdict(func(q *query.Verdict) { q.Candidate.From = "-5m" }), "candidate of a verdict can only name a version"},
		"verdict of no margin": {verdict(func(q *query.Verdict) { q.Margin = 1 }), "margin is 1; it must lie between 0 and 1"},
		"verdict on nothing":   {verdict(func(q *query.Verdict) { q.Service = "" }), "service is missing"},
		"sizing":               {sizing(func(q *query.Sizing) { q.Format, q.MinReplicas, q.MaxReplicas = query.Alert, 2, 9 }), ""},
		"sizing of nothing":    {sizing(func(q *query.Sizing) { q.Service = "" }), "service is missing: name the service (service.name) to size"},
		"sizing for a median":  {sizing(func(q *query.Sizing) { q.Quantile = 0.5 }), ""},
		"sizing for too many":  {sizing(func(q *query.Sizing) { q.Quantile = 0.6 }), "quantile is 0.6; it must be above 0.75"},
		"sizing to overload":   {sizing(func(q *query.Sizing) { q.Use = 1.2 }), "use is 1.2"},
		"sizing without range": {sizing(func(q *query.Sizing) { q.MinReplicas, q.MaxReplicas = 9, 2 }), "minReplicas is 9, more than maxReplicas, 2"},
		"sizing for events":    {sizing(func(q *query.Sizing) { q.Format = query.Annotations }), "a sizing query has no format"},
		"sizing to wait":       {sizing(func(q *query.Sizing) { q.MaxWait = query.Duration(time.Hour) }), "maxWait is 1h"},
		"coin toss":            {forecast(func(q *query.Forecast) { q.Probability = 0.5 }), "probability is 0.5; it must be above 0.5 and at most 0.9999"},
		"filters":              {anomaly(func(q *query.Anomaly) { q.Filters = []query.Filter{{Key: "job", Operator: "=~", Value: "a|b"}} }), ""},
		"filters key":          {anomaly(func(q *query.Anomaly) { q.Filters = []query.Filter{{Key: "a\xff", Value: "x"}} }), "filters[0].key"},
		"filters name":         {anomaly(func(q *query.Anomaly) { q.Filters = []query.Filter{{Key: "__name__", Value: "x"}} }), "filters[0].key"},
		"filters operator":     {anomaly(func(q *query.Anomaly) { q.Filters = []query.Filter{{Key: "a", Operator: ">"}} }), "filters[0].operator"},
		"feedback":             {anomaly(func(q *query.Anomaly) { q.Feedback = []query.Feedback{{Time: "-2h", Real: new(true)}} }), ""},
		"feedback when":        {anomaly(func(q *query.Anomaly) { q.Feedback = []query.Feedback{{Real: new(true)}} }), "feedback[0].time is missing"},
		"feedback what":        {anomaly(func(q *query.Anomaly) { q.Feedback = []query.Feedback{{Time: "-2h"}} }), "feedback[0].real is missing"},
		"no time":              {anomaly(func(q *query.Anomaly) { q.Feedback = []query.Feedback{{Time: "soon", Real: new(true)}} }), `feedback[0].time is "soon": write a time`},
		"much feedback":        {anomaly(func(q *query.Anomaly) { q.Feedback = make([]query.Feedback, 501) }), "feedback has 501 labels"},
		"per cent":             {forecast(func(q *query.Forecast) { q.Probability = 95 }), "probability is 95"},
		"no probability":       {forecast(func(q *query.Forecast) { q.Probability = math.NaN() }), "probability is NaN"},
		"long history":         {forecast(func(q *query.Forecast) { q.History = 91 * day }), "history is 13w; it must be between 1m and 90d"},
		"short history":        {forecast(func(q *query.Forecast) { q.History = query.Duration(time.Second) }), "history is 1s"},
		"unknown time zone":    {forecast(func(q *query.Forecast) { q.TimeZone = "Europe/Atlantis" }), `timeZone: "Europe/Atlantis" is not a time zone; write it like "Europe/Berlin"`},
		"server's time zone":   {forecast(func(q *query.Forecast) { q.TimeZone = "Local" }), `timeZone: "Local" is not a time zone`},
		"far horizon":          {forecast(func(q *query.Forecast) { q.Horizon = 31 * day }), "horizon is 31d; it must be between 1s and 30d"},
		"tiny step":            {forecast(func(q *query.Forecast) { q.Step = query.Duration(time.Millisecond) }), "step is 1ms"},
		"horizon below step":   {forecast(func(q *query.Forecast) { q.Step, q.Horizon = day, day/2 }), "horizon is 12h, shorter than one step of 1d"},
		"history below step":   {forecast(func(q *query.Forecast) { q.Step, q.History = day, day/2 }), "history is 12h, shorter than one step of 1d"},
		"no model's name":      {forecast(func(q *query.Forecast) { q.Model = "crystal ball" }), `model "crystal ball" is not a model's name`},
		"long legend":          {forecast(func(q *query.Forecast) { q.Legend = long }), "legend has 1025 bytes"},
		"forecast annotations": {forecast(func(q *query.Forecast) { q.Format = query.Annotations }), `a forecast query has no format "annotations"`},
		"anomaly":              {anomaly(func(*query.Anomaly) {}), ""},
		"direction":            {anomaly(func(q *query.Anomaly) { q.Direction = "sideways" }), `direction is "sideways": choose one of both, above, below`},
		"threshold":            {anomaly(func(q *query.Anomaly) { q.Threshold = 101 }), "threshold is 101; it must be between 0 and 100"},
		"negative deviation":   {anomaly(func(q *query.Anomaly) { q.MinDeviation = -1 }), "minDeviation is -1"},
		"infinite deviation":   {anomaly(func(q *query.Anomaly) { q.MinDeviation = math.Inf(1) }), "minDeviation is +Inf"},
		"no expr to judge":     {anomaly(func(q *query.Anomaly) { q.Expr = "" }), "expr is missing: write the PromQL query of the metric to judge"},
		"traceDiff":            {traceDiff(func(*query.TraceDiff) {}), ""},
		"one side":             {traceDiff(func(q *query.TraceDiff) { q.Candidate.Version = "2" }), ""},
		"view":                 {traceDiff(func(q *query.TraceDiff) { q.View = "pie" }), `view is "pie": choose one of flameGraph, summary, paths`},
		"no service":           {traceDiff(func(q *query.TraceDiff) { q.Service = "" }), "service is missing: name the service (service.name) whose traces to compare"},
		"same populations": {traceDiff(func(q *query.TraceDiff) { q.Baseline.Version, q.Candidate.Version = "2", "2" }),
			"baseline and candidate are the same population"},
		"candidate earlier":   {traceDiff(func(q *query.TraceDiff) { q.Candidate.Ago = query.Duration(time.Hour) }), "candidate.ago: only the baseline"},
		"two times":           {traceDiff(func(q *query.TraceDiff) { q.Baseline.Ago, q.Baseline.From = query.Duration(time.Hour), "-2h" }), "baseline.ago: the times are the candidate's"},
		"centuries ago":       {traceDiff(func(q *query.TraceDiff) { q.Baseline.Ago = query.Duration(90 * 366 * 24 * time.Hour) }), "choose up to"},
		"time":                {traceDiff(func(q *query.TraceDiff) { q.Baseline.From = "yesterday" }), `baseline.from is "yesterday": write a time as`},
		"long version":        {traceDiff(func(q *query.TraceDiff) { q.Candidate.Version = long }), "candidate.version has 1025 bytes"},
		"too many":            {traceDiff(func(q *query.TraceDiff) { q.MaxTraces = 10_001 }), "maxTraces is 10001"},
		"fewer than one":      {traceDiff(func(q *query.TraceDiff) { q.MaxTraces = -1 }), "maxTraces is -1"},
		"deploys":             {query.Deploys{}, ""},
		"rollout":             {query.Rollout{Service: "a"}.WithDefaults(), ""},
		"half a percent":      {query.Rollout{Service: "a", From: 0.015}.WithDefaults(), "whole number of percent"},
		"weights upside down": {query.Rollout{Service: "a", From: 0.1, MaxWeight: 0.05}.WithDefaults(), "maxWeight is 0.05, less than from"},
		"no slowdown":         {query.Rollout{Service: "a", Slowdown: 1}.WithDefaults(), "slowdown is 1"},
		"incidents":           {query.Incidents{}.WithDefaults(), ""},
		"no pattern":          {query.Incidents{Services: "("}, "services is no regular expression"},
		"too short a look":    {query.Incidents{Lookback: 1}, "lookback is"},
		"impact":              {query.Impact{}.WithDefaults(), ""},
		"no expression":       {query.Impact{Alerts: "("}, "alerts is no regular expression"},
		"half a capacity":     {query.Impact{Demand: "load"}, "demand, replicas and perReplica belong together"},
		"a measure":           {query.Impact{Measure: "joy"}, `measure is "joy": choose one of precision`},
		"no such view":        {query.Impact{View: "pie"}, `view is "pie": choose one of measures`},
		"no budget":           {query.Impact{Budget: -1}, "budget is"},
		"long service":        {query.Deploys{Service: long}, "service has 1025 bytes"},
		"operations":          {query.Operations{}, "service is missing: name the service (service.name) whose operations to list"},
		"versions":            {query.Versions{}, "service is missing: name the service (service.name) whose versions to list"},
		"services":            {query.Services{}, ""},
		"alert on names":      {query.Services{Common: query.Common{Format: query.Alert}}, `a services query has no format "alert": choose one of panel`},
		"patterns":            {query.Patterns{Service: "orders"}.WithDefaults(), ""},
		"patterns of nothing": {query.Patterns{}.WithDefaults(), "service is missing: name the service (service.name) whose traces to look at"},
		"compared with what":  {query.Patterns{Service: "orders", Compare: "yesterday"}, `compare is "yesterday": choose one of deploy, none`},
		"map of all":          {query.ServiceMap{}.WithDefaults(), ""},
		"map as annotations":  {query.ServiceMap{Common: query.Common{Format: query.Annotations}}, `a serviceMap query has no format "annotations"`},
		"map's times":         {query.ServiceMap{Baseline: query.Population{From: "yesterday"}}, "baseline.from"},
		"cause of nothing":    {query.RootCause{}.WithDefaults(), "service is missing: name the service (service.name) whose requests changed"},
		"same sides":          {query.RootCause{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "1"}}, "the same population"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.query.Validate()
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestBounds(t *testing.T) {
	to := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	from := to.Add(-6 * time.Hour)
	for name, test := range map[string]struct {
		population query.Population
		from, to   time.Time
		set        bool
		problem    string
	}{
		"nothing":            {query.Population{Version: "2"}, from, to, false, ""},
		"relative":           {query.Population{From: "-2h", To: "now-1h30m"}, to.Add(-2 * time.Hour), to.Add(-90 * time.Minute), true, ""},
		"until now":          {query.Population{From: "-2h", To: "now"}, to.Add(-2 * time.Hour), to, true, ""},
		"before the window":  {query.Population{From: "-2d", To: "-1d"}, to.Add(-48 * time.Hour), to.Add(-24 * time.Hour), true, ""},
		"one end":            {query.Population{To: "-1h"}, from, to.Add(-time.Hour), true, ""},
		"RFC 3339":           {query.Population{From: "2026-03-01T09:00:00+01:00", To: "2026-03-01T09:00:00.5Z"}, to.Add(-4 * time.Hour), to.Add(-3*time.Hour + 500*time.Millisecond), true, ""},
		"milliseconds":       {query.Population{From: "1772355600000"}, to.Add(-3 * time.Hour), to, true, ""},
		"wrong way round":    {query.Population{From: "-1h", To: "-2h"}, from, to, true, "from (2026-03-01T11:00:00Z) is not before to (2026-03-01T10:00:00Z)"},
		"empty":              {query.Population{From: "-1h", To: "-1h"}, from, to, true, "is not before"},
		"before the window?": {query.Population{To: "-7h"}, from, to, true, "is not before"},
		"into the future":    {query.Population{To: "+1h"}, from, to, true, `to is "+1h": write a time as`},
		"now and then":       {query.Population{From: "now/d"}, from, to, true, `from is "now/d": write a time as`},
		"a word":             {query.Population{From: "-soon"}, from, to, true, `from is "-soon"`},
		"long ago":           {query.Population{From: "-11y"}, from, to, true, "from reaches back 11y"},
		"another age":        {query.Population{From: "99999999999999"}, from, to, true, "from lies in the year 5138"},
	} {
		t.Run(name, func(t *testing.T) {
			gotFrom, gotTo, set, err := test.population.Bounds(from, to)
			require.Equal(t, test.set, set)
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				return
			}
			require.NoError(t, err)
			require.True(t, test.from.Equal(gotFrom), "%s", gotFrom)
			require.True(t, test.to.Equal(gotTo), "%s", gotTo)
		})
	}
}

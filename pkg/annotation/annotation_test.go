package annotation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func of(tags []string) Annotation { return Annotation{Start: noon, Tags: tags} }

// TestTags holds the tags of each kind to what Grafana holds of earlier versions.
func TestTags(t *testing.T) {
	for want, tags := range map[string][]string{
		"deploy service:cart version:2.0.0 environment:prod": Deploy{Service: "cart", Version: "2.0.0", Environment: "prod"}.Tags("deploy"),
		"deploy service:cart":                                Deploy{Service: "cart"}.Tags("deploy"),
		"alert alertname:Slow service:cart severity:critical signal:latency": Alert{
			Name: "Slow", Service: "cart", Severity: "critical", Signal: "latency"}.Tags(),
		"foresight:true":               Feedback{Real: true}.Tags(),
		"foresight:false service:cart": Feedback{Service: "cart"}.Tags(),
		"foresight:acted playbook:p action:rollBack service:cart of:7": Act{
			ID: "7", Playbook: "p", Action: "rollBack", Service: "cart"}.Tags(),
		"foresight:proposed playbook:p action:rollBack service:cart of:7": Act{
			ID: "7", Playbook: "p", Action: "rollBack", Service: "cart", Proposed: true}.Tags(),
		"foresight:outcome outcome:verified playbook:p service:cart of:7": Outcome{
			ID: "7", Outcome: "verified", Playbook: "p", Service: "cart"}.Tags(),
		"foresight predicted_demand service:cart": Number{Kind: "predicted_demand", SubjectLabel: "service", Subject: "cart"}.Tags(),
		"foresight up": Number{Kind: "up"}.Tags(),
	} {
		require.Equal(t, want, strings.Join(tags, " "))
	}
}

// TestReadAnnotationsOfOthers reads tags as people and other tools write them.
func TestReadAnnotationsOfOthers(t *testing.T) {
	deploys := ReadDeploy([]string{"deploy", "release"})
	for _, test := range []struct {
		tags string
		want Deploy
	}{
		{"deploy service_name:cart service.version=2", Deploy{Service: "cart", Version: "2"}},
		{"release App=cart tag:2 env:prod", Deploy{Service: "cart", Version: "2"}},
		{"deploy cart release", Deploy{Words: []string{"cart"}}},
		{"deploy service:cart service:orders", Deploy{Service: "cart"}},
		{"deploy version:a=b:c", Deploy{Version: "a=b:c"}},
		{"deploy service:", Deploy{}},
		{"deploy :x =y", Deploy{Words: []string{":x", "=y"}}},
	} {
		got, ok := deploys(Annotation{Start: noon, Text: "t", Tags: strings.Fields(test.tags)})
		require.True(t, ok)
		test.want.At, test.want.Text = noon, "t"
		if len(got.Words) == 0 {
			got.Words = nil
		}
		require.Equal(t, test.want, got, test.tags)
	}
	act, ok := ReadAct(of([]string{"foresight:Acted", "app:cart"}))
	require.True(t, ok, "automation of others writes no id")
	require.Equal(t, Act{Service: "cart", At: noon}, act)
	for _, tags := range [][]string{nil, {"deploy"}, {"foresight:perhaps"}, {"foresight"}, Act{ID: "7", Proposed: true}.Tags()} {
		_, feedback := ReadFeedback(of(tags))
		_, act := ReadAct(of(tags))
		_, outcome := ReadOutcome(of(tags))
		require.False(t, feedback || act || outcome, tags)
	}
}

// TestEachKindIsReadAsItWasWritten is about any text that tags can hold.
func TestEachKindIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9/:=._-]{1,30}`)
		a, b, c, d := text.Draw(t, "a"), text.Draw(t, "b"), text.Draw(t, "c"), text.Draw(t, "d")
		deploy, _ := ReadDeploy([]string{"deploy"})(of(Deploy{Service: a, Version: b, Environment: c}.Tags("deploy")))
		require.Empty(t, deploy.Words)
		deploy.Words = nil
		require.Equal(t, Deploy{Service: a, Version: b, Environment: c, At: noon}, deploy)
		alert, _ := ReadAlert(of(Alert{Name: a, Service: b, Severity: c, Signal: d}.Tags()))
		require.Equal(t, Alert{Name: a, Service: b, Severity: c, Signal: d, Start: noon}, alert)
		feedback, ok := ReadFeedback(of(Feedback{Service: a, Real: len(b) > 9}.Tags()))
		require.True(t, ok)
		require.Equal(t, Feedback{Service: a, Real: len(b) > 9, At: noon}, feedback)
		act, ok := ReadAct(of(Act{ID: a, Playbook: b, Action: c, Service: d}.Tags()))
		require.True(t, ok)
		require.Equal(t, Act{ID: a, Playbook: b, Action: c, Service: d, At: noon}, act)
		outcome, ok := ReadOutcome(of(Outcome{ID: a, Outcome: b, Playbook: c, Service: d}.Tags()))
		require.True(t, ok)
		require.Equal(t, Outcome{ID: a, Outcome: b, Playbook: c, Service: d}, outcome)
	})
}

// TestValuesFitIntoTags checks what Grafana and its databases take of a tag.
func TestValuesFitIntoTags(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, tag := range (Deploy{Service: rapid.String().Draw(t, "service"), Version: strings.Repeat("x", 1000)}).Tags("deploy") {
			require.NotContains(t, tag, ",")
			require.NotContains(t, tag, "\n")
			require.LessOrEqual(t, len(tag), maxValue+len("service:"))
		}
	})
}

type fixed struct {
	all []Annotation
	err error
}

func (f fixed) Read(context.Context, time.Time, time.Time) ([]Annotation, []string, error) {
	return f.all, []string{"some are missing"}, f.err
}

func TestDecodedLeavesOtherKindsOut(t *testing.T) {
	source := fixed{all: []Annotation{of(Feedback{Real: true}.Tags()), of(Act{ID: "7"}.Tags()), of([]string{"deploy"})}}
	feedback, warnings, err := Decoded(source, ReadFeedback).Read(t.Context(), noon, noon)
	require.NoError(t, err)
	require.Equal(t, []Feedback{{At: noon, Real: true}}, feedback)
	require.Equal(t, []string{"some are missing"}, warnings)
	_, _, err = Decoded(fixed{err: errors.New("denied")}, ReadAct).Read(t.Context(), noon, noon)
	require.Error(t, err)
}

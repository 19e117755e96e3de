// Package canary measures verdicts, in the lab and simulated.
package canary

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/tests/bench/environment"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("canary", "verdicts over canaries of the lab: looks at a harmless one, then how soon a failing one is rolled back", canaries)
}

// canaryFigures are of a harmless canary, looked at over and over, and of a
// failing one.
type canaryFigures struct {
	Looks       int     `json:"looks"`
	FalseFails  int     `json:"false_fails"`
	FalseBacks  int     `json:"false_rollbacks"`
	Undecided   int     `json:"undecided"`
	Refused     int     `json:"refused"` // nothing can be said
	Late        int     `json:"late"`    // no answer within the data source's limit
	Passed      float64 `json:"passed_after_seconds"`
	ColdMS      float64 `json:"first_answer_ms"`
	LookP50     float64 `json:"look_p50_ms"`
	LookMax     float64 `json:"look_max_ms"`
	FailedAfter float64 `json:"failed_after_seconds"`
	RolledBack  float64 `json:"rolled_back_after_seconds"`
	Requests    float64 `json:"requests_of_the_failing_canary"`
	Reason      string  `json:"reason"`
}

const (
	canaryService = "payment"
	failingLimit  = 15 * time.Minute
	failingEvery  = 5 * time.Second
)

// canaries asks as engines do: the verdict hook, and Flagger's rollback webhook.
func canaries(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("canary", flag.ContinueOnError)
	looks := flags.Int("looks", 60, "looks at the harmless canary")
	every := flags.Duration("every", 30*time.Second, "time between looks")
	share := flags.Float64("share", 0.2, "of the requests, to the canary")
	rate := flags.String("rate", "30", "requests per second of the shop")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	ctx := context.Background()
	lab, err := environment.Start(ctx, os.Stderr, "-history", "0", "-rate", *rate)
	if err != nil {
		return nil, err
	}
	defer lab.Stop()
	source := lab.Source(lab.Settings())
	grafana := httptest.NewServer(harness.Gateway{DataSources: map[string]harness.DataSource{"foresight": source}, Roles: map[string]string{"t": "Viewer"}})
	defer grafana.Close()
	engine := canaryEngine{resources: grafana.URL + harness.ResourcePath("foresight")}

	time.Sleep(time.Minute) // of a baseline
	var figures canaryFigures
	if err := engine.watchHarmless(ctx, lab.Lab, *share, *looks, *every, &figures); err != nil {
		return nil, err
	}
	return figures, engine.watchFailing(ctx, lab.Lab, *share, &figures)
}

// canaryEngine acts on answers as a delivery tool does.
type canaryEngine struct{ resources string }

// watchHarmless rolls a version out that changes nothing, and to everybody at
// the end.
func (e canaryEngine) watchHarmless(ctx context.Context, lab *harness.Lab, share float64, looks int, every time.Duration, figures *canaryFigures) error {
	const baseline, candidate = "1.2.0", "1.9.5" // the lab begins with the former
	if err := lab.Canary(ctx, canaryService, candidate, "", share); err != nil {
		return err
	}
	begun := time.Now()
	var took []float64
	for figures.Looks < looks {
		time.Sleep(every)
		queried := time.Now()
		said, err := e.verdict(baseline, candidate)
		if err != nil {
			return err
		}
		took = append(took, float64(time.Since(queried).Microseconds())/1000)
		figures.Looks++
		switch {
		case said.late:
			figures.Late++
		case said.Verdict == "pass":
			if figures.Passed == 0 {
				figures.Passed = time.Since(begun).Seconds()
			}
		case said.Verdict == "fail":
			figures.FalseFails++
			fmt.Fprintln(os.Stderr, "false:", said.Reason)
		case said.Verdict == "":
			figures.Refused++
			fmt.Fprintln(os.Stderr, "refused:", said.Reason)
		default:
			figures.Undecided++
		}
		if back, err := e.rollsBack(baseline, candidate); err != nil {
			return err
		} else if back {
			figures.FalseBacks++
		}
	}
	if figures.Refused+figures.Late == looks {
		return fmt.Errorf("the harmless canary was never judged")
	}
	figures.ColdMS = took[0]
	slices.Sort(took)
	figures.LookP50, figures.LookMax = took[len(took)/2], took[len(took)-1]
	return lab.Deploy(ctx, canaryService, candidate, "")
}

// watchFailing rolls a version out that fails, until it is rolled back.
func (e canaryEngine) watchFailing(ctx context.Context, lab *harness.Lab, share float64, figures *canaryFigures) error {
	const baseline, candidate = "1.9.5", "2.0.0"
	if err := lab.Canary(ctx, canaryService, candidate, "error-burst", share); err != nil {
		return err
	}
	begun := time.Now()
	var before string
	for figures.RolledBack == 0 {
		if time.Since(begun) > failingLimit {
			return fmt.Errorf("the failing canary was not rolled back within %s", failingLimit)
		}
		time.Sleep(failingEvery)
		said, err := e.verdict(baseline, candidate)
		if err != nil {
			return err
		}
		if said.Reason != before {
			fmt.Fprintf(os.Stderr, "%3.0f s after the failing canary: %s %s\n", time.Since(begun).Seconds(), said.Verdict, said.Reason)
			before = said.Reason
		}
		if said.Verdict == "fail" && figures.FailedAfter == 0 {
			figures.FailedAfter, figures.Reason = time.Since(begun).Seconds(), said.Reason
			for _, signal := range said.Metrics[:min(1, len(said.Metrics))] {
				figures.Requests = signal.Candidate.Requests
			}
		}
		back, err := e.rollsBack(baseline, candidate)
		if err != nil {
			return err
		}
		if back {
			figures.RolledBack = time.Since(begun).Seconds()
		}
	}
	return nil
}

// said is what is read of the verdict hook; without a verdict where it has no
// answer.
type said struct {
	Verdict, Reason string
	Metrics         []struct{ Candidate struct{ Requests float64 } }
	late            bool
}

func (e canaryEngine) verdict(baseline, candidate string) (found said, err error) {
	status, body, err := e.post("verdict", map[string]any{"service": canaryService, "baseline": baseline, "candidate": candidate})
	if err != nil {
		return found, err
	}
	if status == http.StatusUnprocessableEntity || status == http.StatusServiceUnavailable {
		var refused struct{ Error string }
		err := json.Unmarshal(body, &refused)
		return said{Reason: refused.Error, late: status == http.StatusServiceUnavailable}, err
	}
	if status != http.StatusOK {
		return found, fmt.Errorf("the verdict hook answered %d: %s", status, body)
	}
	return found, json.Unmarshal(body, &found)
}

// rollsBack tells whether Flagger would.
func (e canaryEngine) rollsBack(baseline, candidate string) (bool, error) {
	status, body, err := e.post("flagger/rollback", map[string]any{
		"name": canaryService, "namespace": "shop", "phase": "Progressing", "checksum": "1",
		"metadata": map[string]string{"baseline": baseline, "candidate": candidate},
	})
	if err == nil && status != http.StatusOK && status != http.StatusConflict {
		err = fmt.Errorf("flagger/rollback answered %d: %s", status, body)
	}
	return status == http.StatusOK, err
}

func (e canaryEngine) post(path string, content map[string]any) (int, []byte, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(http.MethodPost, e.resources+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer t")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

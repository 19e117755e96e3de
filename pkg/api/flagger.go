package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// Flagger reads a status below 203 as yes, and shows the body of others only
// where the status is of the 4xx. Yes means something else to each of its
// webhooks: to go on, or to roll back. So every route says 200 where it has
// reason to, and else 409 with the reason.

// flaggerHooks are the deciding webhooks by their type, each with what makes it
// say yes.
var flaggerHooks = map[string]func(*Hooks, *http.Request, canaryRequest) (yes bool, reason string, err error){
	"confirm-rollout":          (*Hooks).mayBegin,
	"rollout":                  onVerdict(canary.Pass, canary.Inconclusive),
	"confirm-traffic-increase": onVerdict(canary.Pass),
	"confirm-promotion":        onVerdict(canary.Pass),
	"rollback":                 onVerdict(canary.Fail),
}

// flaggerCall is what Flagger posts.
type flaggerCall struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

// flagger serves one webhook. What the webhook's metadata or its address say
// of the rollout counts; the service is by default the name of the Canary.
func (h *Hooks) flagger(decides func(*Hooks, *http.Request, canaryRequest) (bool, string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, status, err := body(w, r)
		if err != nil {
			flaggerFailure(w, status, err.Error())
			return
		}
		var call flaggerCall
		if err := json.Unmarshal(raw, &call); err != nil {
			flaggerFailure(w, http.StatusBadRequest, fmt.Sprintf("the body is not what Flagger posts: %v", err))
			return
		}
		asked := canaryOf(r)
		for name, field := range map[string]*string{
			"service": &asked.Service, "candidate": &asked.Candidate, "baseline": &asked.Baseline,
			"operation": &asked.Operation, "margin": &asked.Margin, "window": &asked.Window,
		} {
			if value := call.Metadata[name]; *field == "" {
				*field = value
			}
		}
		if asked.Service == "" {
			asked.Service = call.Name
		}
		yes, reason, err := decides(h, r, asked)
		switch {
		case err != nil:
			_, reason := refusal(err)
			flaggerFailure(w, http.StatusConflict, "no answer: "+reason)
		case !yes:
			flaggerFailure(w, http.StatusConflict, reason)
		default:
			reply(w, http.StatusOK, map[string]string{"reason": reason})
		}
	}
}

// flaggerFailure is a no. Flagger loses the body of 429 and of 5xx.
func flaggerFailure(w http.ResponseWriter, status int, reason string) {
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		status = http.StatusConflict
	}
	plainFailure(w, status, reason)
}

// onVerdict says yes where the canary has one of the verdicts.
func onVerdict(wanted ...canary.Verdict) func(*Hooks, *http.Request, canaryRequest) (bool, string, error) {
	return func(h *Hooks, r *http.Request, c canaryRequest) (bool, string, error) {
		found, err := h.judge(r.Context(), c)
		if err != nil {
			return false, "", err
		}
		reason := fmt.Sprintf("%s, version %s against %s: %s%s", found.Judgement.Verdict, found.CandidateVersion, found.BaselineVersion,
			found.Judgement.Reason, stillNeeded(found))
		for _, v := range wanted {
			if found.Judgement.Verdict == v {
				return true, reason, nil
			}
		}
		return false, reason, nil
	}
}

func stillNeeded(found engine.VerdictAnswer) string {
	if found.Judgement.NeededRequests == 0 {
		return ""
	}
	return fmt.Sprintf(" About %.0f more requests to the canary are needed.", math.Ceil(found.Judgement.NeededRequests))
}

// calm is the composite score below which a service is fit for a rollout.
const calm = 75

// mayBegin says yes where the service is not anomalous as it is: a rollout into
// an incident is judged against a baseline that is broken.
func (h *Hooks) mayBegin(r *http.Request, c canaryRequest) (bool, string, error) {
	score, _ := derivedNamed("foresight_anomaly_score")
	found, err := h.one(r, score, []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "service", c.Service)})
	if err != nil {
		return false, "", err
	}
	reason := fmt.Sprintf("the anomaly score of %s is %.1f, %s", c.Service, found.Value, strings.Join(found.Warnings, "; "))
	return found.Value < calm, reason, nil
}

package engines

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/api/verdict"
	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// Flagger reads a status below 203 as yes, and shows the body of others only
// where the status is of the 4xx. Yes means something else to each of its
// webhooks: to go on, or to roll back. So every route says 200 where it has
// reason to, and else 409 with the reason.

// flaggerWebhooks are the deciding webhooks by their type, each with what makes
// it say yes.
var flaggerWebhooks = map[string]flaggerDecision{
	"confirm-rollout":          (*API).mayBegin,
	"rollout":                  onVerdict(canary.Pass, canary.Inconclusive),
	"confirm-traffic-increase": onVerdict(canary.Pass),
	"confirm-promotion":        onVerdict(canary.Pass),
	"rollback":                 onVerdict(canary.Fail),
}

type flaggerDecision func(*API, *http.Request, verdict.Request) (yes bool, reason string, err error)

// flaggerCall is what Flagger posts.
type flaggerCall struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

// Flagger serves the deciding webhooks, by their type.
func (a *API) Flagger() map[string]http.HandlerFunc {
	handlers := map[string]http.HandlerFunc{}
	for name, decide := range flaggerWebhooks {
		handlers[name] = a.flagger(decide)
	}
	return handlers
}

// flagger serves one webhook. What the webhook's metadata or its URL say of the
// rollout counts; the service is by default the name of the Canary.
func (a *API) flagger(decide flaggerDecision) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, status, err := respond.Body(w, r)
		if err != nil {
			FlaggerError(w, status, err.Error())
			return
		}
		var call flaggerCall
		if err := json.Unmarshal(raw, &call); err != nil {
			FlaggerError(w, http.StatusBadRequest, fmt.Sprintf("the body is not what Flagger posts: %v", err))
			return
		}
		request := requestOf(r)
		for name, field := range map[string]*string{
			"service": &request.Service, "candidate": &request.Candidate, "baseline": &request.Baseline,
			"operation": &request.Operation, "margin": &request.Margin, "window": &request.Window,
		} {
			if value := call.Metadata[name]; *field == "" {
				*field = value
			}
		}
		if request.Service == "" {
			request.Service = call.Name
		}
		yes, reason, err := decide(a, r, request)
		switch {
		case err != nil:
			_, reason := respond.Status(err)
			FlaggerError(w, http.StatusConflict, "no answer: "+reason)
		case !yes:
			FlaggerError(w, http.StatusConflict, reason)
		default:
			respond.JSON(w, http.StatusOK, map[string]string{"reason": reason})
		}
	}
}

// FlaggerError is a no. Flagger loses the body of 429 and of 5xx.
func FlaggerError(w http.ResponseWriter, status int, reason string) {
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		status = http.StatusConflict
	}
	respond.Error(w, status, reason)
}

// onVerdict says yes where the canary has one of the verdicts.
func onVerdict(wanted ...canary.Verdict) flaggerDecision {
	return func(a *API, r *http.Request, request verdict.Request) (bool, string, error) {
		decided, err := a.Decider.Decide(r.Context(), request)
		if err != nil {
			return false, "", err
		}
		reason := fmt.Sprintf("%s, version %s against %s: %s%s", decided.Judgement.Verdict, decided.CandidateVersion, decided.BaselineVersion,
			decided.Judgement.Reason, stillNeeded(decided))
		for _, v := range wanted {
			if decided.Judgement.Verdict == v {
				return true, reason, nil
			}
		}
		return false, reason, nil
	}
}

func stillNeeded(decided engine.VerdictAnswer) string {
	if decided.Judgement.NeededRequests == 0 {
		return ""
	}
	return fmt.Sprintf(" About %.0f more requests to the canary are needed.", math.Ceil(decided.Judgement.NeededRequests))
}

// maxCalmScore is the composite score below which a service is fit for a rollout.
const maxCalmScore = 75

// mayBegin says yes where the service is not anomalous as it is: a rollout into
// an incident is judged against a baseline that is broken.
func (a *API) mayBegin(r *http.Request, request verdict.Request) (bool, string, error) {
	score, err := a.Numbers.Value(r.Context(), "foresight_anomaly_score", map[string]string{"service": request.Service})
	if err != nil {
		return false, "", err
	}
	reason := fmt.Sprintf("the anomaly score of %s is %.1f, %s", request.Service, score.Value, strings.Join(score.Warnings, "; "))
	return score.Value < maxCalmScore, reason, nil
}

package rollout

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Argo is the plan as the steps of a Rollout of Argo Rollouts, YAML for
// spec.strategy.canary. The verdict is asked at every interval beside them.
func Argo(p Plan) string {
	var b strings.Builder
	b.WriteString("steps:\n")
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "  - setWeight: %d\n  - pause: { duration: %s }\n", percent(s.Weight), duration(s.Pause))
	}
	return b.String()
}

// Flagger is an even plan as the analysis of a Canary of Flagger, YAML for
// spec.analysis. Flagger stays one interval at each weight and looks at its end.
func Flagger(p Plan) string {
	var weights []string
	most := 0
	for _, s := range p.Steps {
		most = percent(s.Weight)
		weights = append(weights, strconv.Itoa(most))
	}
	return fmt.Sprintf("interval: %s\nmaxWeight: %d\nstepWeights: [%s]\n", duration(p.Interval), most, strings.Join(weights, ", "))
}

func percent(weight float64) int { return int(math.Round(100 * weight)) }

// duration is a time in whole minutes, or hours, as engines write it.
func duration(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

// Text says what to change, and to what.
func (r Relaxation) Text() string {
	switch r.Constraint {
	case MaxHarmed:
		return fmt.Sprintf("let %.0f requests be harmed in place of %.0f", r.Needed, r.Given)
	case Ratio:
		return fmt.Sprintf("look for a %.3g-fold rise in place of a %.3g-fold one", r.Needed, r.Given)
	case Probability:
		return fmt.Sprintf("accept a probability of %.2g in place of %.3g", r.Needed, r.Given)
	case Margin:
		return fmt.Sprintf("set the margin to %.2g in place of %.2g: a rise within it is acceptable", r.Needed, r.Given)
	case MaxDuration:
		if math.IsNaN(r.Needed) {
			return fmt.Sprintf("there is too little traffic: even 16 times the maxDuration of %s would not do", duration(time.Duration(r.Given)*time.Second))
		}
		return fmt.Sprintf("let the rollout take %s in place of %s", duration(time.Duration(r.Needed)*time.Second), duration(time.Duration(r.Given)*time.Second))
	}
	return string(r.Constraint)
}

package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/api/respond"
	"github.com/foresight-observability/foresight/pkg/engine"
)

// signalSetting is one of the signals in the settings.
func signalSetting(f fields) engine.SignalSetting {
	or := func(value *float64, fallback float64) float64 {
		if value == nil {
			return fallback
		}
		return *value
	}
	s := engine.SignalSetting{
		Name: f.text("name", ""), Kind: f.text("kind", ""), Expr: f.text("expr", ""), Unit: f.text("unit", ""),
		Quantiles:    f.quantities("quantiles"),
		Direction:    anomaly.Direction(f.choice("direction", string(anomaly.Both), string(anomaly.Above), string(anomaly.Below))),
		MinDeviation: or(f.quantity("minDeviation"), 0),
		Weight:       or(f.quantity("weight"), 1),
	}
	if err := s.Check(); err != nil {
		*f.problems = append(*f.problems, strings.TrimSuffix(f.path, ".")+": "+err.Error())
	}
	return s
}

// percentileSetting adds the quantiles of one service, or of every other one.
func percentileSetting(f fields, known engine.Percentiles) {
	service := f.text("service", "")
	quantiles := f.quantities("quantiles")
	if _, again := known[service]; again {
		f.problem("service", "%q is that of an earlier entry", service)
		return
	}
	known[service] = quantiles
	if err := known.Check(service); err != nil {
		*f.problems = append(*f.problems, f.path+err.Error())
	}
}

// maxPreviewed bounds what one preview asks.
const maxPreviewed = 50

// previewedSignal is one signal of a service over the last hour.
type previewedSignal struct {
	Kind     string     `json:"kind"`
	Name     string     `json:"name"`
	Unit     string     `json:"unit,omitempty"`
	Template string     `json:"template"` // PromQL, as the settings have it
	Own      bool       `json:"own"`
	Values   []*float64 `json:"values"` // evenly over the hour, null where missing
	Problem  string     `json:"problem,omitempty"`
}

// previewSignals shows what signals find for a service: those of the body, as
// the editor has them, beside the presets of other kinds.
func (d *DataSource) previewSignals(w http.ResponseWriter, r *http.Request) {
	service, signals, err := requestedSignals(w, r)
	if err != nil {
		respond.JSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	now := d.engine.Now()
	found, err := d.engine.PreviewSignals(r.Context(), service, signals, engine.Window{From: now.Add(-defaultLookBack), To: now})
	if err != nil {
		status, _ := classify(err)
		respond.JSON(w, int(status), map[string]string{"error": err.Error()})
		return
	}
	previewed := make([]previewedSignal, len(found))
	for i, one := range found {
		previewed[i] = previewedSignal{
			Kind: one.Kind, Name: one.Name, Unit: one.Unit, Template: one.Template, Own: one.Custom, Problem: one.Problem,
			Values: make([]*float64, len(one.Recent.Values)),
		}
		for k, v := range one.Recent.Values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				previewed[i].Values[k] = &v
			}
		}
	}
	respond.JSON(w, http.StatusOK, map[string]any{"signals": previewed})
}

func requestedSignals(w http.ResponseWriter, r *http.Request) (service string, signals []engine.SignalSetting, err error) {
	body, _, err := respond.Body(w, r)
	if err != nil {
		return "", nil, err
	}
	var queried struct {
		Service string `json:"service"`
	}
	root, err := parseFields(body)
	if err != nil || json.Unmarshal(body, &queried) != nil {
		return "", nil, errors.New(`the body is {"service": "…", "signals": […]}`)
	}
	if queried.Service == "" {
		return "", nil, errors.New("service is missing: name the one whose signals are to be shown")
	}
	for _, one := range root.objects("signals") {
		signals = append(signals, signalSetting(one))
	}
	switch {
	case len(*root.problems) > 0:
		return "", nil, errors.New(strings.Join(*root.problems, "; "))
	case len(signals) > maxPreviewed:
		return "", nil, fmt.Errorf("%d signals are too many to be previewed: the most are %d", len(signals), maxPreviewed)
	}
	return queried.Service, signals, nil
}

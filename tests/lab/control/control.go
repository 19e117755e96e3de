// Package control is the HTTP API through which tests, the demo and people
// deploy versions in the shop and break it, and its servers.
package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/tests/lab/servers"
	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// Handler serves the API for a shop and the servers that it reports to.
func Handler(s *shop.Shop, set *servers.Set) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, r *http.Request) { answer(w, s.State(), nil) })
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, r *http.Request) { answer(w, faults(), nil) })
	mux.HandleFunc("POST /deploy", func(w http.ResponseWriter, r *http.Request) { answer(w, s.State, deploy(s, r.URL.Query())) })
	mux.HandleFunc("POST /fault", func(w http.ResponseWriter, r *http.Request) {
		fault, err := breakShop(s, r.URL.Query())
		answer(w, fault, err)
	})
	mux.HandleFunc("DELETE /fault", func(w http.ResponseWriter, r *http.Request) { answer(w, s.State, s.Mend(r.URL.Query().Get("name"))) })
	mux.HandleFunc("GET /servers", func(w http.ResponseWriter, r *http.Request) { answer(w, set.States(), nil) })
	mux.HandleFunc("POST /servers", func(w http.ResponseWriter, r *http.Request) {
		err := doToServer(r, set)
		answer(w, set.States(), err)
	})
	return mux
}

func doToServer(r *http.Request, set *servers.Set) error {
	parameters := r.URL.Query()
	if err := onlyKnown(parameters, "name", "do"); err != nil {
		return err
	}
	return set.Do(r.Context(), parameters.Get("name"), parameters.Get("do"))
}

func faults() []shop.Fault {
	all := make([]shop.Fault, 0, len(shop.Faults))
	for _, name := range slices.Sorted(maps.Keys(shop.Faults)) {
		all = append(all, shop.Faults[name])
	}
	return all
}

func deploy(s *shop.Shop, parameters url.Values) error {
	if err := onlyKnown(parameters, "service", "version", "share", "fault"); err != nil {
		return err
	}
	share, err := number(parameters, "share", 1)
	if err != nil {
		return err
	}
	return s.Deploy(parameters.Get("service"), parameters.Get("version"), share, parameters.Get("fault"))
}

func breakShop(s *shop.Shop, parameters url.Values) (shop.ActiveFault, error) {
	if err := onlyKnown(parameters, "name", "severity", "ramp"); err != nil {
		return shop.ActiveFault{}, err
	}
	severity, err := number(parameters, "severity", 1)
	if err != nil {
		return shop.ActiveFault{}, err
	}
	ramp := time.Duration(-1) // the fault's own
	if text := parameters.Get("ramp"); text != "" {
		if ramp, err = time.ParseDuration(text); err != nil || ramp < 0 {
			return shop.ActiveFault{}, fmt.Errorf("ramp %q is not a duration such as 10m", text)
		}
	}
	return s.Break(parameters.Get("name"), severity, ramp)
}

func number(parameters url.Values, name string, otherwise float64) (float64, error) {
	text := parameters.Get(name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a number", name, text)
	}
	return value, nil
}

func onlyKnown(parameters url.Values, known ...string) error {
	for name := range parameters {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown parameter %q; there are %v", name, known)
		}
	}
	return nil
}

// answer writes the body, or what a function gives for it, or the error as the
// caller's mistake.
func answer(w http.ResponseWriter, body any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		body = map[string]string{"error": err.Error()}
	} else if state, ok := body.(func() shop.State); ok {
		body = state()
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body)
}

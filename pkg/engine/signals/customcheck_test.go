package signals

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwnSignalsAreChecked(t *testing.T) {
	good := Setting{Name: "a", Kind: Traffic, Expr: `x{app="$service"}`, Weight: 1}
	require.NoError(t, good.Check())
	for want, change := range map[string]func(*Setting){
		"name is missing":    func(s *Setting) { s.Name = "" },
		`kind is "mood"`:     func(s *Setting) { s.Kind = "mood" },
		"expr is missing":    func(s *Setting) { s.Expr = "" },
		"outside of a text":  func(s *Setting) { s.Expr = `x{app="a"} # $service` + "\n* $service" },
		"does not hold":      func(s *Setting) { s.Expr = "x" },
		"belong together":    func(s *Setting) { s.Quantiles = []float64{0.5} },
		"weight is 0":        func(s *Setting) { s.Weight = 0 },
		"minDeviation is -1": func(s *Setting) { s.MinDeviation = -1 },
		"quantiles holds 95": func(s *Setting) { s.Expr += " > $quantile"; s.Quantiles = []float64{95} },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.Check(), want)
	}
}

package forecast

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/forecast/arima"
	"github.com/foresight-observability/foresight/pkg/forecast/ets"
	"github.com/foresight-observability/foresight/pkg/forecast/prophet"
)

// Auto is the model name that leaves the choice to the error over rolling
// origins.
const Auto = "auto"

// family makes the models of one name for the strong seasons, ascending; the
// one with the least error answers.
type family struct {
	name        string
	make        func(p *prepared) []Model
	takesEvents bool // as regressors of its own
	// reference models get the history as it is, so that they are what their names
	// say.
	reference bool
}

var families = []family{
	{"level", always(Level{}), false, false},
	{"naive", always(Naive{}), false, true},
	{"drift", always(Drift{}), false, true},
	{"seasonal-naive", perPeriod(func(period int) Model { return SeasonalNaive{Period: period} }), false, false},
	{"holt", always(dampedHolt), false, false},
	{"holt-winters", perPeriod(func(period int) Model {
		return ets.Model{Error: ets.Additive, Trend: ets.Additive, Damped: true, Season: ets.Additive, Period: period}
	}), false, false},
	{"ets", func(p *prepared) []Model {
		models := perPeriod(func(period int) Model { return ets.Auto{Period: period} })(p)
		return append(models, ets.Auto{})
	}, false, false},
	{"theta", func(p *prepared) []Model { return []Model{p.decomposed("theta", Theta{})} }, false, false},
	{"mstl", func(p *prepared) []Model { return p.scales(func() Model { return p.decomposed("mstl", dampedHolt) }) }, false, false},
	{"arima", arimas, true, false},
	{"prophet", prophets, true, false},
	{"seasonal-ridge", ridges, false, false},
}

var dampedHolt = ets.Model{Error: ets.Additive, Trend: ets.Additive, Damped: true, Season: ets.None}

func always(m Model) func(*prepared) []Model {
	return func(*prepared) []Model { return []Model{m} }
}

// the makes a model that holds nothing of its own.
func the(m Model) func() Model { return func() Model { return m } }

func perPeriod(f func(period int) Model) func(*prepared) []Model {
	return func(p *prepared) (models []Model) {
		for _, period := range p.periods {
			models = append(models, f(period))
		}
		return models
	}
}

// arimas are seasonal where the season is short enough to be modelled as it is,
// and regressions on waves.
func arimas(p *prepared) []Model {
	if len(p.periods) == 0 {
		return []Model{arima.Auto{Regressors: p.regressors}}
	}
	models := p.scales(the(arima.Auto{Fourier: p.periods, Regressors: p.regressors}))
	if p.periods[0] <= arima.MaxSeasonal {
		models = append(models, p.scales(the(arima.Auto{Period: p.periods[0], Regressors: p.regressors}))...)
	}
	return models
}

func prophets(p *prepared) []Model {
	models := p.scales(the(prophet.Model{Periods: p.periods, Regressors: p.regressors}))
	if p.capacity > 0 {
		models = append(models, prophet.Model{Periods: p.periods, Regressors: p.regressors, Capacity: p.capacity})
	}
	return models
}

// ridges are autoregressions on the values, on their differences over the
// shortest season, and on what the seasons leave over.
func ridges(p *prepared) []Model {
	return append(p.scales(p.ridge()), p.otherRidges()...)
}

// ridge is the autoregression on the values themselves.
func (p *prepared) ridge() func() Model {
	return func() Model { return SeasonalRidge{Periods: p.periods, penalty: &knownPenalty{}} }
}

// otherRidges draw towards a naive forecast instead of towards the mean, or know
// the seasons beforehand.
func (p *prepared) otherRidges() []Model {
	if len(p.periods) == 0 {
		return p.scales(func() Model { return SeasonalRidge{Difference: 1, penalty: &knownPenalty{}} })
	}
	return append(
		p.scales(func() Model {
			return SeasonalRidge{Periods: p.periods, Difference: p.periods[0], penalty: &knownPenalty{}}
		}),
		p.scales(func() Model { return p.decomposed("mstl-ridge", SeasonalRidge{penalty: &knownPenalty{}}) })...)
}

// decomposed is a model of what the seasons leave over.
func (p *prepared) decomposed(title string, rest Model) Model {
	return Decomposed{Title: title, Periods: p.periods, Rest: rest, known: &p.decompositions}
}

// scales are a model on the scales that the values allow, or on the one that was
// settled on.
func (p *prepared) scales(build func() Model) []Model {
	wrap := []func(Model) Model{func(m Model) Model { return m }}
	on := func(t Transform, ceiling float64) {
		wrap = append(wrap, func(m Model) Model { return Transformed{Transform: t, Model: m, Ceiling: ceiling} })
	}
	if p.least >= 0 {
		on(Log, 0)
		switch {
		case p.capacity > 0 && p.most <= p.capacity*p.unit:
			on(Logit, p.capacity)
		case p.most <= 1 && p.most >= fullShare:
			on(Logit, 1/p.unit)
		}
	}
	if p.settled > 0 {
		wrap = wrap[p.settled-1 : p.settled]
	}
	var models []Model
	for _, w := range wrap {
		models = append(models, w(build()))
	}
	return models
}

// fullShare is how near to one a quantity between zero and one must come to be
// taken for a share.
const fullShare = 0.5

// fewPoints is up to where models that cost more than they add are worth it.
const fewPoints = 500

// members are what a blend is made of, besides the autoregression on every scale,
// which comes first.
func (p *prepared) members() []Model {
	models := []Model{Level{}, Naive{}, Drift{}}
	for _, period := range p.periods {
		models = append(models, SeasonalNaive{Period: period})
	}
	models = append(models, p.otherRidges()...)
	if len(p.periods) > 0 {
		// On the settled scale it shares its decomposition with the autoregression.
		models = append(models, p.scales(func() Model { return p.decomposed("theta", Theta{}) })...)
	} else {
		models = append(models, Theta{})
	}
	switch {
	case len(p.periods) == 0:
		models = append(models, dampedHolt, RecentLevel{})
	case len(p.clean) <= fewPoints:
		models = append(models, ets.Model{Error: ets.Additive, Trend: ets.None, Season: ets.Additive, Period: p.periods[0]})
	}
	return p.withEvents(models)
}

// withEvents lets models know the events, where there are any.
func (p *prepared) withEvents(models []Model) []Model {
	if p.regressors == nil {
		return models
	}
	aware := make([]Model, len(models))
	for i, m := range models {
		aware[i] = WithEvents{Model: m, Periods: p.periods, Regressors: p.regressors}
	}
	return aware
}

// Models are the names that a request may give, besides Auto.
func Models() []string {
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = f.name
	}
	return names
}

// treatmentOf is what becomes of the history before a requested model learns.
func treatmentOf(name string) treatment {
	for _, f := range families {
		if f.name == name && f.reference {
			return asItIs
		}
	}
	return repaired
}

// named are the models of a requested name.
func (p *prepared) named(name string) ([]Model, error) {
	at := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	if at < 0 {
		return nil, fmt.Errorf("%w: no model is called %q; there are %s, %s", ErrBadRequest, name, Auto, strings.Join(Models(), ", "))
	}
	models := families[at].make(p)
	if families[at].takesEvents {
		return models, nil
	}
	if len(models) == 0 {
		p.notice("no strong season was found in the history, so %s was replaced by a model without one", name)
		models = []Model{Naive{}, Drift{}, dampedHolt}
	}
	return p.withEvents(models), nil
}

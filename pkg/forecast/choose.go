package forecast

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Models are the names that a request may give, besides Auto.
func Models() []string {
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = f.name
	}
	return names
}

// family makes the models of one name for the strong seasons, ascending.
type family struct {
	name string
	make func(periods []int) []Model
}

var families = []family{
	{Level{}.Name(), func([]int) []Model { return []Model{Level{}} }},
	{Naive{}.Name(), func([]int) []Model { return []Model{Naive{}} }},
	{Drift{}.Name(), func([]int) []Model { return []Model{Drift{}} }},
	{SeasonalNaive{}.Name(), func(periods []int) (models []Model) {
		for _, period := range periods {
			models = append(models, SeasonalNaive{Period: period})
		}
		return models
	}},
	{HoltWinters{}.Name(), func([]int) []Model { return []Model{HoltWinters{Period: 1}} }},
	{HoltWinters{Period: 2}.Name(), func(periods []int) (models []Model) {
		for _, period := range periods {
			models = append(models, HoltWinters{Period: period})
		}
		return models
	}},
}

// choose tries the models asked for and returns the one with the least error
// over rolling origins, and the naive forecast to compare it with: seasonal
// where there is a season.
func (p *prepared) choose(r Request) (best, naive trial, err error) {
	models, err := p.candidates(r.Model)
	if err != nil {
		return best, naive, err
	}
	if best, err = p.best(models, r.Horizon); err != nil {
		return best, naive, err
	}
	references := families[slices.IndexFunc(families, isSeasonalNaive)].make(p.periods)
	if len(references) == 0 {
		references = []Model{Naive{}}
	}
	naive, err = p.best(references, r.Horizon)
	return best, naive, err
}

func isSeasonalNaive(f family) bool { return f.name == SeasonalNaive{}.Name() }

// best is the trial with the least error; the error says why none succeeded.
func (p *prepared) best(models []Model, horizon int) (best trial, err error) {
	var failures []error
	for _, model := range models {
		t, err := p.backtest(model, horizon)
		switch {
		case err != nil:
			failures = append(failures, err)
		case best.model == nil || t.mae < best.mae:
			best = t
		}
	}
	if best.model == nil {
		return best, errors.Join(failures...)
	}
	return best, nil
}

// candidates are the models to try for a requested name.
func (p *prepared) candidates(name string) ([]Model, error) {
	if name == "" || name == Auto {
		var all []Model
		for _, f := range families {
			all = append(all, f.make(p.periods)...)
		}
		return all, nil
	}
	at := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	if at < 0 {
		return nil, fmt.Errorf("%w: no model is called %q; there are %s, %s", ErrBadRequest, name, Auto, strings.Join(Models(), ", "))
	}
	if models := families[at].make(p.periods); len(models) > 0 {
		return models, nil
	}
	p.notice("no strong season was found in the history, so %s gave way to a model without one", name)
	return []Model{Naive{}, Drift{}, HoltWinters{Period: 1}}, nil
}

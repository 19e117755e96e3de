package forecast

import (
	"cmp"
	"errors"
	"slices"
)

// blendLoss is how much more error than the best single model, over the same
// origins, a blend may have before it gives way: the best of many models is best
// by luck, too, and a blend errs more evenly.
const blendLoss = 1.05

// choose tries the models asked for and returns the blend or the one with the
// least error over rolling origins, and the naive forecast to compare it with:
// seasonal where there is a season.
func (p *prepared) choose(r Request) (best, naive trial, err error) {
	if r.Model == "" || r.Model == Auto {
		best, err = p.chooseFreely(r.Horizon)
	} else {
		best, err = p.chooseNamed(r)
		if err != nil && !errors.Is(err, ErrBadRequest) {
			// One rung down: whatever this history can carry.
			p.notice("%s was replaced by the models that this history allows: %v", r.Model, err)
			best, err = p.chooseFreely(r.Horizon)
		}
	}
	if err != nil {
		return best, naive, err
	}
	references := perPeriod(func(period int) Model { return SeasonalNaive{Period: period} })(p)
	if len(references) == 0 {
		references = []Model{Naive{}}
	}
	trials, err := p.try(references, r.Horizon)
	if err != nil {
		return best, naive, err
	}
	return best, least(trials), nil
}

func (p *prepared) chooseNamed(r Request) (trial, error) {
	models, err := p.named(r.Model)
	if err != nil {
		return trial{}, err
	}
	trials, err := p.try(models, r.Horizon)
	if err != nil {
		return trial{}, err
	}
	return least(trials), nil
}

func (p *prepared) chooseFreely(horizon int) (trial, error) {
	trials, _ := p.try(p.withEvents(p.scales(p.ridge())), horizon)
	if len(trials) > 1 && len(p.periods) > 0 {
		p.settle(trials)
	}
	others, err := p.try(p.members(), horizon)
	if trials = append(trials, others...); len(trials) == 0 {
		return trial{}, err
	}
	trials = withoutStaleLevel(trials)
	single := least(trials)
	if len(trials) == 1 {
		return single, nil
	}
	blend, err := p.blend(trials, horizon)
	if err != nil || blend.mae > blendLoss*single.mae {
		return single, nil
	}
	return blend, nil
}

// withoutStaleLevel leaves the recent level out where it errs more than the latest
// value: the series then wanders, and its level is an old value.
func withoutStaleLevel(trials []trial) []trial {
	latest := slices.IndexFunc(trials, func(t trial) bool { return t.model.Name() == Naive{}.Name() })
	if latest < 0 {
		return trials
	}
	limit := trials[latest].mae
	return slices.DeleteFunc(trials, func(t trial) bool { return t.model.Name() == RecentLevel{}.Name() && t.mae >= limit })
}

// settle decides on which scale the other models are worth their time: the one
// on which the autoregression errs least.
func (p *prepared) settle(trials []trial) {
	if all := p.scales(p.ridge()); len(all) == len(trials) {
		p.settled = 1 + slices.IndexFunc(trials, func(t trial) bool { return t.mae == least(trials).mae })
	}
}

// try makes the trials of the models that succeed; the error says why none did.
func (p *prepared) try(models []Model, horizon int) ([]trial, error) {
	var trials []trial
	var failures []error
	for _, model := range models {
		if p.clock != nil {
			model = onWallClock{model, p.clock}
		}
		t, err := p.backtest(model, horizon)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		trials = append(trials, t)
	}
	if len(trials) == 0 {
		return nil, errors.Join(failures...)
	}
	return trials, nil
}

// least is the trial with the least error.
func least(trials []trial) trial {
	return slices.MinFunc(trials, func(a, b trial) int { return cmp.Compare(a.mae, b.mae) })
}

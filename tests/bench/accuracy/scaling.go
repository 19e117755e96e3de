package accuracy

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("scaling", "autoscaling replayed: minutes under capacity and replica-hours, reactive, with last week's maximum, and with the forecast (-series lab,nab -startup 3m -lead 10m)", runScaling)
}

type scalingFigures struct {
	Days     float64         `json:"days"` // evaluated, of all series
	Policies []policyFigures `json:"policies"`
	Series   []seriesFigures `json:"series"`
}

// policyFigures sum up all series at one share of use.
type policyFigures struct {
	Use          float64 `json:"use"` // of a replica's capacity that is aimed at
	Policy       string  `json:"policy"`
	MinutesUnder float64 `json:"minutes_under_capacity"`
	ReplicaHours float64 `json:"replica_hours"`
	MoreHours    float64 `json:"more_replica_hours_percent"` // than reactive
	// Reached counts the series with fewer minutes under capacity than reactive
	// and week ago at no more than a tenth more replica-hours, of those in which
	// either of them had any.
	Reached int `json:"series_reached"`
	Of      int `json:"of_series"`
}

type seriesFigures struct {
	Series       string  `json:"series"`
	Use          float64 `json:"use"`
	Policy       string  `json:"policy"`
	MinutesUnder float64 `json:"minutes_under_capacity"`
	ReplicaHours float64 `json:"replica_hours"`
	MoreHours    float64 `json:"more_replica_hours_percent"`
}

const (
	// scaledReplicas is how many replicas the mean load needs.
	scaledReplicas = 20
	week           = 7 * 24 * time.Hour
	// Metrics are rates of two minutes and half a minute old.
	metricWindow, metricDelay = 2 * time.Minute, 30 * time.Second
)

// scalingQuantiles are those of the forecast demand that are tried.
var scalingQuantiles = []float64{0.5, 0.8, 0.95}

// runScaling lets the autoscaler live through the last week of each series: on
// the load alone, with the load that followed a week ago (the greatest of half
// an hour, as Mimir's chart ships it), and with the forecast demand. Whoever
// scales predictively scales reactively, too: the autoscaler takes the greater.
func runScaling(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("scaling", flag.ContinueOnError)
	which := flags.String("series", "lab,nab", "which series: lab, nab or both")
	startUp := flags.Duration("startup", 3*time.Minute, "from the decision until a pod serves")
	lead := flags.Duration("lead", 10*time.Minute, "how far ahead demand is forecast")
	relearn := flags.Duration("relearn", 6*time.Hour, "how often the forecasting model is learned anew; the data source does each hour")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	loads, err := scaledLoads(*which, o.Data)
	if err != nil {
		return nil, err
	}
	predicted := make([][][]float64, len(loads))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, load := range loads {
		group.Go(func() error {
			begun := time.Now()
			predicted[i] = demandAhead(load, *lead, *relearn)
			fmt.Fprintf(os.Stderr, "forecast %s in %s\n", load.name, time.Since(begun).Round(time.Second))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var figures scalingFigures
	for i, load := range loads {
		figures.Days += min(week, load.series.Step*time.Duration(load.series.Len())-week).Hours() / 24
		for _, use := range []float64{0.7, 0.8, 0.9} {
			add := func(policy string, extra []float64) {
				one := seriesFigures{Series: load.name, Use: use, Policy: policy}
				one.MinutesUnder, one.ReplicaHours = replay(load.series, extra, use, *startUp)
				figures.Series = append(figures.Series, one)
			}
			add(reactive, nil)
			add(lastWeek, weekAgo(load.series))
			for j, quantile := range scalingQuantiles {
				add(fmt.Sprintf("forecast at %g", quantile), predicted[i][j])
			}
		}
	}
	figures.Policies = summed(figures.Series)
	return figures, nil
}

const (
	reactive = "reactive"
	lastWeek = "week ago"
)

// summed adds up the series by policy and use, and fills in how each compares
// with scaling reactively.
func summed(all []seriesFigures) (sums []policyFigures) {
	of := func(like seriesFigures, policy string) seriesFigures {
		return all[slices.IndexFunc(all, func(s seriesFigures) bool {
			return s.Series == like.Series && s.Use == like.Use && s.Policy == policy
		})]
	}
	hours := map[float64]float64{}
	for i, one := range all {
		base, naive := of(one, reactive), of(one, lastWeek)
		all[i].MoreHours = runner.Round(100 * (one.ReplicaHours/base.ReplicaHours - 1))
		at := slices.IndexFunc(sums, func(p policyFigures) bool { return p.Use == one.Use && p.Policy == one.Policy })
		if at < 0 {
			at = len(sums)
			sums = append(sums, policyFigures{Use: one.Use, Policy: one.Policy})
		}
		sum := &sums[at]
		sum.MinutesUnder += one.MinutesUnder
		sum.ReplicaHours = runner.Round(sum.ReplicaHours + one.ReplicaHours)
		if one.Policy == reactive {
			hours[one.Use] += one.ReplicaHours
		}
		if most := min(base.MinutesUnder, naive.MinutesUnder); most > 0 {
			sum.Of++
			sum.Reached += int(runner.OneIf(one.MinutesUnder < most && all[i].MoreHours <= 10))
		}
	}
	for i, one := range sums {
		sums[i].MoreHours = runner.Round(100 * (one.ReplicaHours/hours[one.Use] - 1))
	}
	return sums
}

// begins is the first point that is evaluated: a week before the end, and not
// before there is a week of history.
func begins(load series.Series) int {
	perWeek := int(week / load.Step)
	return max(load.Len()-perWeek, perWeek)
}

// demandAhead is, for each quantile and at each evaluated point, the greatest
// demand within the lead, and never less than the present: what
// foresight_predicted_demand tells, learned anew now and then from the two weeks
// before, every point observed in between; NaN where there is no forecast, as the
// autoscaler then goes by the load alone.
func demandAhead(of scaledLoad, lead, relearn time.Duration) [][]float64 {
	load := of.series
	ahead := make([][]float64, len(scalingQuantiles))
	for q := range ahead {
		ahead[q] = make([]float64, load.Len())
		for i := range ahead[q] {
			ahead[q][i] = math.NaN()
		}
	}
	var model *forecast.Learned
	for i := begins(load); i < load.Len(); i++ {
		if model == nil || load.Time(i).Truncate(relearn).After(load.Time(i-1).Truncate(relearn)) {
			learned, err := forecast.Learn(forecast.Request{
				History: load.Between(load.Time(i).Add(-2*week), load.Time(i)), Horizon: max(int(lead/load.Step), 1),
				Model: forecast.Auto, Probabilities: []float64{2*scalingQuantiles[1] - 1, 2*scalingQuantiles[2] - 1}, NonNegative: true,
			})
			if model = learned; err != nil {
				fmt.Fprintf(os.Stderr, "%s at %s: %v\n", of.name, load.Time(i), err)
				continue
			}
		}
		model.Observe(load.Values[i])
		found := model.Forecast()
		for q, line := range [][]float64{found.Mean, found.Intervals[0].Upper, found.Intervals[1].Upper} {
			ahead[q][i] = max(slices.Max(line), orZero(load.Values[i]))
		}
	}
	return ahead
}

// weekAgo is the greatest load of the half hour that followed a week ago.
func weekAgo(load series.Series) []float64 {
	found := make([]float64, load.Len())
	perWeek, span := int(week/load.Step), max(int(30*time.Minute/load.Step), 1)
	for i := range found {
		found[i] = math.NaN()
		for j := max(0, i-perWeek+1); j <= i-perWeek+span && i >= perWeek; j++ {
			if v := load.Values[j]; !math.IsNaN(v) {
				found[i] = max(v, orZero(found[i]))
			}
		}
	}
	return found
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// replay lets the autoscaler live through the evaluated part, seeing the load
// and an extra metric (nil for none). A replica carries its target over use.
func replay(load series.Series, extra []float64, use float64, startUp time.Duration) (minutesUnder, replicaHours float64) {
	whole := filled(load.Values)
	first := begins(load)
	mean := 0.0
	for _, v := range whole[:first] {
		mean += v / float64(first)
	}
	target := mean / scaledReplicas
	at := func(t time.Duration) float64 { // the load, in between the points of the grid
		x := max(0, min(float64(t)/float64(load.Step), float64(len(whole)-1)))
		i := min(int(x), len(whole)-2)
		return whole[i] + (x-float64(i))*(whole[i+1]-whole[i])
	}
	begin, end := time.Duration(first)*load.Step, time.Duration(len(whole)-1)*load.Step
	hpa := &autoscaler{target: target, startUp: startUp, fewest: 2, replicas: max(2, math.Ceil(at(begin)/target))}
	for now := begin; now < end; now += tick {
		seen, n := 0.0, 0.0
		for back := metricDelay; back < metricDelay+metricWindow; back += tick {
			seen += at(now - back)
			n++
		}
		metrics := []float64{seen / n}
		if extra != nil {
			metrics = append(metrics, extra[int((now-metricDelay)/load.Step)])
		}
		hpa.step(now, metrics...)
		if at(now) > hpa.serving(now)*target/use {
			minutesUnder += tick.Minutes()
		}
		replicaHours += hpa.replicas * tick.Hours()
	}
	return minutesUnder, runner.Round(replicaHours)
}

// filled is the values with straight lines over what is missing.
func filled(values []float64) []float64 {
	whole := slices.Clone(values)
	last := -1
	for i, v := range whole {
		if math.IsNaN(v) {
			continue
		}
		for j := last + 1; j < i; j++ {
			if last < 0 {
				whole[j] = v
			} else {
				whole[j] = whole[last] + (v-whole[last])*float64(j-last)/float64(i-last)
			}
		}
		last = i
	}
	for j := last + 1; j < len(whole) && last >= 0; j++ {
		whole[j] = whole[last]
	}
	return whole
}

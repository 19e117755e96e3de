package accuracy

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("forecast-sets", "-dir DIR [-only NAMES] [-model NAME] [-every N]: the forecasting questions of tests/bench/peers/sets.py, by data set: OWA, MSIS, coverage", runSets)
}

// setQuestion is one line of a set: forecast the values after the history.
type setQuestion struct {
	Set     string     `json:"set"`
	ID      string     `json:"id"`
	Step    int        `json:"step"`    // seconds
	Season  int        `json:"season"`  // points; 1 for none
	Horizon int        `json:"horizon"` // points
	Values  []*float64 `json:"values"`  // null where missing
	Actual  []float64  `json:"actual"`
}

type setFigures struct {
	Name       string  `json:"name"`
	Series     int     `json:"series"`
	Failed     int     `json:"failed"`
	OWA        float64 `json:"owa"`
	SMAPE      float64 `json:"smape"`
	MASE       float64 `json:"mase"`
	MSIS       float64 `json:"msis"`
	Coverage80 float64 `json:"coverage_80"`
	Coverage95 float64 `json:"coverage_95"`
	First80    float64 `json:"first_coverage_80"` // of the first step alone
	First95    float64 `json:"first_coverage_95"`
	Claimed    float64 `json:"claimed_error_ratio"` // claimed mean absolute error over the real one; geometric mean
	Millis     float64 `json:"ms_per_series"`
}

func runSets(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("forecast-sets", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder of .jsonl files that tests/bench/peers/sets.py writes")
	only := flags.String("only", "", "names of sets, with commas")
	model := flags.String("model", forecast.Auto, "forecasting model")
	every := flags.Int("every", 1, "take each so-many-th question of a set")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	if *dir == "" {
		return nil, errors.New("skipped: name a folder with -dir; tests/bench/peers/sets.py makes one")
	}
	files, err := filepath.Glob(filepath.Join(*dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	var rows []setFigures
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		if *only != "" && !slices.Contains(strings.Split(*only, ","), name) {
			continue
		}
		questions, err := readQuestions(file)
		if err != nil {
			return nil, err
		}
		row := evaluateSet(questions, *model, *every)
		row.Name = name
		rows = append(rows, row)
		fmt.Fprintf(os.Stderr, "%-22s n %3d failed %d  OWA %.4f  sMAPE %6.3f  MASE %6.3f  MSIS %7.2f  80: %.3f  95: %.3f  first 80: %.3f  95: %.3f  claimed %.2f  %.1f ms\n",
			name, row.Series, row.Failed, row.OWA, row.SMAPE, row.MASE, row.MSIS, row.Coverage80, row.Coverage95, row.First80, row.First95, row.Claimed, row.Millis)
	}
	return map[string]any{"sets": rows, "model": *model}, nil
}

func readQuestions(path string) ([]setQuestion, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var questions []setQuestion
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var q setQuestion
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		questions = append(questions, q)
	}
	return questions, lines.Err()
}

func (q setQuestion) history() []float64 {
	values := make([]float64, len(q.Values))
	for i, v := range q.Values {
		values[i] = math.NaN()
		if v != nil {
			values[i] = *v
		}
	}
	return values
}

type setAnswer struct {
	ours, ours80, naive accuracy
	first, first80      accuracy // of the first step
	claimed             float64  // logarithm of the claimed over the real error
	failed              error
}

func evaluateSet(questions []setQuestion, model string, every int) setFigures {
	var chosen []setQuestion
	for i := every / 2; i < len(questions); i += every {
		chosen = append(chosen, questions[i])
	}
	answers := make([]setAnswer, len(chosen))
	begun := runner.ProcessorTime()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, q := range chosen {
		group.Go(func() error {
			answers[i] = answerQuestion(q, model)
			return nil
		})
	}
	_ = group.Wait()
	row := setFigures{Millis: runner.Round((runner.ProcessorTime() - begun).Seconds() * 1000 / float64(max(len(chosen), 1)))}
	var ours, ours80, first, first80, naive accuracy
	claimed, claims := 0.0, 0
	for i, a := range answers {
		if a.failed != nil {
			row.Failed++
			fmt.Fprintln(os.Stderr, chosen[i].ID, a.failed)
			continue
		}
		ours.merge(a.ours)
		ours80.merge(a.ours80)
		first.merge(a.first)
		first80.merge(a.first80)
		naive.merge(a.naive)
		if !math.IsInf(a.claimed, 0) && !math.IsNaN(a.claimed) {
			claimed += a.claimed
			claims++
		}
	}
	row.Series = ours.windows
	row.OWA = runner.Round((ours.smape/naive.smape + ours.mase/naive.mase) / 2)
	row.SMAPE, row.MASE, row.MSIS = ours.mean(ours.smape), ours.mean(ours.mase), ours.mean(ours.msis)
	row.Coverage80, row.Coverage95 = ours80.coverage(), ours.coverage()
	row.First80, row.First95 = first80.coverage(), first.coverage()
	row.Claimed = runner.Round(math.Exp(claimed / float64(max(claims, 1))))
	return row
}

func answerQuestion(q setQuestion, model string) (a setAnswer) {
	history := q.history()
	request := forecast.Request{
		History: series.Series{Start: time.Unix(0, 0).UTC(), Step: time.Duration(q.Step) * time.Second, Values: history},
		Horizon: q.Horizon, Model: model, Probabilities: []float64{0.8, 0.95},
	}
	if q.Season > 1 {
		request.Seasons = []time.Duration{time.Duration(q.Season*q.Step) * time.Second, 7 * 24 * time.Hour}
	}
	r, err := forecast.Run(request)
	if err != nil {
		a.failed = err
		return a
	}
	filled := series.Filled(history, []int{q.Season})
	scale := seasonalScale(filled, q.Season)
	if scale == 0 {
		scale = 1
	}
	a.ours80.add(q.Actual, r.Mean, r.Intervals[0].Lower, r.Intervals[0].Upper, scale, 0.8)
	a.ours.add(q.Actual, r.Mean, r.Intervals[1].Lower, r.Intervals[1].Upper, scale, 0.95)
	a.first80.add(q.Actual[:1], r.Mean[:1], r.Intervals[0].Lower[:1], r.Intervals[0].Upper[:1], scale, 0.8)
	a.first.add(q.Actual[:1], r.Mean[:1], r.Intervals[1].Lower[:1], r.Intervals[1].Upper[:1], scale, 0.95)
	naive := naive2(filled, q.Season, q.Horizon)
	a.naive.add(q.Actual, naive, naive, naive, scale, 0.95)
	a.claimed = math.Log(r.Error / (a.ours.mase * scale))
	return a
}

// naive2 is the reference of the M competitions: the last value after a
// multiplicative seasonal adjustment, where the autocorrelation at the season is
// significant at 90 %.
func naive2(y []float64, season, horizon int) []float64 {
	index := slices.Repeat([]float64{1}, max(season, 1))
	if season > 1 && slices.Min(y) > 0 && seasonalAtNinety(y, season) {
		index = seasonalIndices(y, season)
	}
	mean := make([]float64, horizon)
	n := len(y)
	last := y[n-1] / index[(n-1)%len(index)]
	for h := range mean {
		mean[h] = last * index[(n+h)%len(index)]
	}
	return mean
}

func seasonalAtNinety(y []float64, season int) bool {
	if len(y) < 3*season {
		return false
	}
	mean := 0.0
	for _, v := range y {
		mean += v / float64(len(y))
	}
	correlation := func(lag int) float64 {
		var cross, square float64
		for i, v := range y {
			square += (v - mean) * (v - mean)
			if i >= lag {
				cross += (v - mean) * (y[i-lag] - mean)
			}
		}
		return cross / square
	}
	sum := 1.0
	for lag := 1; lag < season; lag++ {
		sum += 2 * correlation(lag) * correlation(lag)
	}
	return math.Abs(correlation(season)) > 1.645*math.Sqrt(sum/float64(len(y)))
}

func seasonalIndices(y []float64, season int) []float64 {
	level := series.MovingMean(y, season)
	sums, counts := make([]float64, season), make([]float64, season)
	for i, v := range y {
		sums[i%season] += v / level[i]
		counts[i%season]++
	}
	total := 0.0
	for i := range sums {
		sums[i] /= counts[i]
		total += sums[i] / float64(season)
	}
	for i := range sums {
		sums[i] /= total
	}
	return sums
}

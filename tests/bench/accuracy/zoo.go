package accuracy

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/zoo"
)

func init() {
	runner.Register("zoo", "-quick -shape NAME -v: simulated shapes of metrics, quiet and with incidents: false pages, recall, delay", runZoo)
}

// pen is a step, a history and how much is judged of each quiet shape.
type pen struct {
	step, history, judged time.Duration
}

const (
	zooDay  = 24 * time.Hour
	zooWeek = 7 * zooDay
)

var (
	pens = []pen{
		{5 * time.Minute, 14 * zooDay, 4 * zooWeek},
		{time.Minute, 14 * zooDay, 3 * zooDay},
		{time.Hour, 28 * zooDay, 4 * zooWeek},
		{15 * time.Second, 12 * time.Hour, 6 * time.Hour},
		{time.Minute, 2 * time.Hour, 6 * time.Hour},
		{5 * time.Minute, 5 * zooDay, zooWeek},
	}
	quickPens = []pen{
		{5 * time.Minute, 14 * zooDay, zooWeek},
		{time.Minute, 2 * time.Hour, 6 * time.Hour},
		{time.Hour, 28 * zooDay, 2 * zooWeek},
	}
)

type shapeFigures struct {
	Name         string  `json:"name"`
	FalsePerWeek float64 `json:"false_per_week"`
	Share75      float64 `json:"share_75_per_million"`
	Share90      float64 `json:"share_90_per_million"`
	Recall       float64 `json:"recall"`
	DelaySteps   float64 `json:"delay_steps"`

	weeks                    float64
	falsePages               int
	points, over75, over90   int
	incidents                int
	delays                   []float64
	missed, falseAt, refused []string
}

type zooFigures struct {
	FalsePerWeek float64        `json:"false_per_week"`
	Recall       float64        `json:"recall"`
	DelaySteps   float64        `json:"delay_steps"`
	Worst75      float64        `json:"worst_share_75_per_million"`
	Worst90      float64        `json:"worst_share_90_per_million"`
	Shapes       []shapeFigures `json:"shapes"`
}

func runZoo(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("zoo", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "fewer steps and histories, for a minute's look")
	only := flags.String("shape", "", "one shape")
	verbose := flags.Bool("v", false, "print what was missed and where pages were false")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	used := pens
	if *quick {
		used = quickPens
	}
	shapes := zoo.Shapes()
	if *only != "" {
		shapes = slices.DeleteFunc(shapes, func(s zoo.Shape) bool { return s.Name != *only })
	}
	visits, err := visitZoo(shapes, used, anomaly.DefaultConstants())
	if err != nil {
		return nil, err
	}
	figures := figuresOf(shapes, visits, anomaly.DefaultConstants())
	printZoo(figures, *verbose)
	return figures, nil
}

// visit is one metric of the zoo with what the detector says of it.
type visit struct {
	shape  int
	metric zoo.Metric
	result anomaly.Result
	what   string // for people
	failed bool   // too little history
}

// visitZoo judges the shapes at the steps and histories of the pens.
func visitZoo(shapes []zoo.Shape, used []pen, constants anomaly.Constants) ([]visit, error) {
	var visits []visit
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mutex sync.Mutex
	for i, shape := range shapes {
		for k, p := range used {
			for _, kind := range append([]zoo.Kind{zoo.None}, shape.Incidents...) {
				group.Go(func() error {
					v, err := visitShape(shape, kind, p, uint64(k), constants)
					v.shape = i
					mutex.Lock()
					defer mutex.Unlock()
					visits = append(visits, v)
					return err
				})
			}
		}
	}
	return visits, group.Wait()
}

// visitShape judges one metric.
func visitShape(shape zoo.Shape, kind zoo.Kind, p pen, seed uint64, constants anomaly.Constants) (visit, error) {
	judged := p.judged
	if kind != zoo.None {
		judged = min(judged, 2*zooDay)
		seed += 100
	}
	m := zoo.Draw(shape, kind, p.step, p.history, judged, seed)
	request := zooRequest(m)
	request.Constants = &constants
	r, err := anomaly.Detect(request)
	v := visit{metric: m, result: r, what: fmt.Sprintf("%s at %s after %s", kind, p.step, p.history), failed: err != nil}
	v.metric.Series = series.Series{}
	if err != nil && !errors.Is(err, forecast.ErrShortHistory) {
		return v, fmt.Errorf("%s at %s: %w", shape.Name, p.step, err)
	}
	return v, nil
}

// figuresOf counts over the visits, with the events that constants make.
func figuresOf(shapes []zoo.Shape, visits []visit, constants anomaly.Constants) (figures zooFigures) {
	all := make([]shapeFigures, len(shapes))
	for i, shape := range shapes {
		all[i].Name = shape.Name
	}
	for _, v := range visits {
		f, r := &all[v.shape], v.result
		if v.failed {
			f.refused = append(f.refused, v.what)
		} else {
			r.Events = constants.Events(r, anomaly.DefaultThreshold)
		}
		if v.metric.Incident.Kind == zoo.None {
			f.quiet(r, v.what)
		} else {
			f.incident(r, v.metric, v.what)
		}
	}
	var total shapeFigures
	for i := range all {
		f := &all[i]
		f.sum()
		total.weeks, total.falsePages = total.weeks+f.weeks, total.falsePages+f.falsePages
		total.incidents, total.delays = total.incidents+f.incidents, append(total.delays, f.delays...)
		figures.Worst75, figures.Worst90 = max(figures.Worst75, f.Share75), max(figures.Worst90, f.Share90)
	}
	total.sum()
	figures.FalsePerWeek, figures.Recall, figures.DelaySteps, figures.Shapes = total.FalsePerWeek, total.Recall, total.DelaySteps, all
	return figures
}

func zooRequest(m zoo.Metric) anomaly.Request {
	history := m.Series
	if m.Shape.Location != nil {
		history.Start = history.Start.In(m.Shape.Location)
	}
	return anomaly.Request{History: history, From: m.From}
}

func (f *shapeFigures) quiet(r anomaly.Result, what string) {
	f.weeks += (time.Duration(r.Actual.Len()) * r.Actual.Step).Hours() / zooWeek.Hours()
	f.points += r.Actual.Observed()
	f.falsePages += len(r.Events)
	for _, score := range r.Score {
		if score >= 75 {
			f.over75++
		}
		if score >= 90 {
			f.over90++
		}
	}
	for _, e := range r.Events {
		by := ""
		if len(e.Witnesses) > 0 {
			by = e.Witnesses[0].Name
		}
		f.falseAt = append(f.falseAt, fmt.Sprintf("%s %s–%s: %.0f, %.4g where %.4g was expected, %s",
			what, e.Start.Format("Mon 02 15:04"), e.End.Format("Mon 15:04"), e.Score, e.Actual, e.Expected, by))
	}
}

// incident is found where a page begins within it; what lasts for a point may be
// seen at the next.
func (f *shapeFigures) incident(r anomaly.Result, m zoo.Metric, what string) {
	f.incidents++
	step := r.Actual.Step
	for _, e := range r.Events {
		if !e.Start.Before(m.Incident.Start) && !e.Start.After(m.Incident.End.Add(step)) {
			f.delays = append(f.delays, float64(e.Start.Sub(m.Incident.Start)/step))
			return
		}
	}
	most := 0.0
	for i, score := range r.Score {
		if at := r.Actual.Time(i); !at.Before(m.Incident.Start) && !at.After(m.Incident.End) {
			most = max(most, score)
		}
	}
	f.missed = append(f.missed, fmt.Sprintf("%s, score %.0f", what, most))
}

func (f *shapeFigures) sum() {
	f.FalsePerWeek = runner.Round(float64(f.falsePages) / f.weeks)
	f.Share75 = runner.Round(1e6 * float64(f.over75) / float64(max(f.points, 1)))
	f.Share90 = runner.Round(1e6 * float64(f.over90) / float64(max(f.points, 1)))
	f.Recall = runner.Round(float64(len(f.delays)) / float64(max(f.incidents, 1)))
	if len(f.delays) > 0 {
		f.DelaySteps = runner.MedianOf(f.delays)
	}
}

// printZoo shows the shapes on standard error, the worst first.
func printZoo(figures zooFigures, verbose bool) {
	shapes := slices.Clone(figures.Shapes)
	slices.SortStableFunc(shapes, func(a, b shapeFigures) int {
		return cmp.Or(cmp.Compare(b.FalsePerWeek, a.FalsePerWeek), cmp.Compare(a.Recall, b.Recall))
	})
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "shape\tfalse a week\t≥ 75 per million\t≥ 90\trecall\tdelay in steps")
	for _, f := range shapes {
		fmt.Fprintf(w, "%s\t%.3f\t%.0f\t%.0f\t%.2f of %d\t%.0f\n", f.Name, f.FalsePerWeek, f.Share75, f.Share90, f.Recall, f.incidents, f.DelaySteps)
		if verbose {
			for _, list := range [][]string{f.missed, f.falseAt, f.refused} {
				for k, line := range list {
					if k == 12 {
						break
					}
					fmt.Fprintf(w, "    %s\n", line)
				}
			}
		}
	}
	w.Flush()
}

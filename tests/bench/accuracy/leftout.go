package accuracy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/tests/bench/datasets"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/zoo"
)

func init() {
	runner.Register("left-out", "-in DIR -every N -v: the detector's constants chosen on all data sets but one, the figures of the one (DIR as for labelled)", runLeftOut)
}

// candidates are the values of each constant that are tried, one constant at a
// time; the first are the defaults.
func candidates() (names []string, constants []anomaly.Constants) {
	add := func(name string, change func(*anomaly.Constants)) {
		c := anomaly.DefaultConstants()
		change(&c)
		names, constants = append(names, name), append(constants, c)
	}
	add("defaults", func(*anomaly.Constants) {})
	add("quiet for 12 h", func(c *anomaly.Constants) { c.Soon = c.Refractory })
	add("quiet twice as long", func(c *anomaly.Constants) { c.Quiet *= 2 })
	add("no agreement", func(c *anomaly.Constants) { c.Agreement = 0 })
	add("agreement of 0.75", func(c *anomaly.Constants) { c.Agreement = 0.75 })
	add("agreement of 0.5", func(c *anomaly.Constants) { c.Agreement = 0.5 })
	add("one-off every third day", func(c *anomaly.Constants) { c.OneOffPerDay = 1.0 / 3 })
	add("a gap of 20", func(c *anomaly.Constants) { c.WideGap = 20 })
	add("prior of 25 excesses", func(c *anomaly.Constants) { c.PriorExcesses = 25 })
	return names, constants
}

// evaluation is what one choice of constants says of all data.
type evaluation struct {
	constants anomaly.Constants
	nab       []judged
	labelled  []anomaly.Result
	visits    []visit
}

// leftOutSet is one data set, or one group of NAB's.
type leftOutSet struct {
	name string
	// files are groups of NAB's whose files it has: sets that share some are left
	// out together.
	files []string
	// worth is how good an evaluation is on it, about 0 to 1; higher is better.
	worth func(e evaluation) float64
}

type leftOutFigures struct {
	// Pages on labelled series: of the folder, or of the head-to-head where no
	// folder is named.
	F1          float64 `json:"page_f1"`
	Recall      float64 `json:"recall"`
	FalsePerDay float64 `json:"false_per_series_day"`
	NAB         float64 `json:"nab_standard"`
	Hits        int     `json:"cloudwatch_hits"`
	False       int     `json:"cloudwatch_false"`

	HeadToHead      float64           `json:"head_to_head_f1"`
	HeadToHeadFalse float64           `json:"head_to_head_false_per_series_day"`
	ZooFalse        float64           `json:"zoo_false_per_week"`
	ZooRecall       float64           `json:"zoo_recall"`
	InSample        *leftOutFigures   `json:"in_sample,omitempty"` // the defaults, on everything
	Chosen          map[string]string `json:"chosen,omitempty"`    // by the set left out
}

// bench holds the data, and what each choice of constants says of it.
type leftOutBench struct {
	files    []datasets.NabFile
	labelled []labelledSeries
	shapes   []zoo.Shape
	names    []string
	all      []evaluation
}

func runLeftOut(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("left-out", flag.ContinueOnError)
	in := flags.String("in", "", "folder of labelled sets, as tests/bench/datasets/labelled.py writes it")
	every := flags.Int("every", 3, "take every n-th labelled series of a set")
	verbose := flags.Bool("v", false, "print what each choice is worth on each set")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	b := &leftOutBench{shapes: zoo.Shapes()}
	var err error
	if b.files, err = datasets.ReadNAB(filepath.Join(o.Data, "nab")); err != nil {
		return nil, err
	}
	if *in != "" {
		if b.labelled, err = readLabelled(*in, *every); err != nil {
			return nil, err
		}
	}
	if err := b.evaluate(); err != nil {
		return nil, err
	}
	sets, err := b.sets()
	if err != nil {
		return nil, err
	}
	worth := make([][]float64, len(sets))
	for i, s := range sets {
		for _, e := range b.all {
			worth[i] = append(worth[i], s.worth(e))
		}
	}
	if *verbose {
		b.print(sets, worth)
	}
	chosen := map[string]int{}
	for _, s := range sets {
		chosen[s.name] = choose(sets, worth, s)
	}
	figures, err := b.figures(func(set string) int { return chosen[set] })
	if err != nil {
		return nil, err
	}
	inSample, err := b.figures(func(string) int { return 0 })
	figures.InSample, figures.Chosen = &inSample, map[string]string{}
	for set, k := range chosen {
		figures.Chosen[set] = b.names[k]
	}
	return figures, err
}

// evaluate judges all data with each choice of constants. What only groups the
// same scores into other events is not judged again.
func (b *leftOutBench) evaluate() error {
	var constants []anomaly.Constants
	b.names, constants = candidates()
	for _, c := range constants {
		e := evaluation{constants: c}
		if k := slices.IndexFunc(b.all, func(known evaluation) bool {
			same := c
			same.Refractory, same.Soon, same.Quiet, same.Rare = known.constants.Refractory, known.constants.Soon, known.constants.Quiet, known.constants.Rare
			return known.constants == same
		}); k >= 0 {
			e = b.all[k]
			e.constants = c
			b.all = append(b.all, e)
			continue
		}
		var err error
		if e.nab, err = judgeNABWith(b.files, datasets.NabFile.Probation, c); err != nil {
			return err
		}
		for i := range e.nab {
			e.nab[i].result.Judgements = nil
		}
		if e.labelled, err = judgeLabelled(b.labelled, anomaly.DefaultThreshold, c); err != nil {
			return err
		}
		if e.visits, err = visitZoo(b.shapes, quickPens, c); err != nil {
			return err
		}
		for i := range e.visits {
			e.visits[i].result.Judgements = nil
		}
		b.all = append(b.all, e)
	}
	return nil
}

// sets are all data sets, and what makes a choice good on each: page F1, less
// what is beyond the false pages that a person bears; NAB's score; hits less
// false alerts; recall in the zoo less false pages.
func (b *leftOutBench) sets() ([]leftOutSet, error) {
	var sets []leftOutSet
	for _, group := range b.groups() {
		if nabProfiles[0].scorer(b.filesOf(group)).windows == 0 {
			continue
		}
		sets = append(sets, leftOutSet{"nab " + group, []string{group}, func(e evaluation) float64 {
			score, _ := b.nabThreshold(e, []string{group})
			return score / 100
		}})
	}
	operations := []string{}
	for _, file := range b.files {
		is, err := isOperations(file)
		if err != nil {
			return nil, err
		}
		if group := filepath.Dir(file.Name); is && !slices.Contains(operations, group) {
			operations = append(operations, group)
		}
	}
	sets = append(sets,
		leftOutSet{"head-to-head", operations, func(e evaluation) float64 {
			h, err := b.headToHead(e)
			if err != nil {
				return 0
			}
			return worthOfPages(h.F1, h.FalsePerDay)
		}},
		leftOutSet{"cloudwatch", []string{filepath.Dir(cloudWatch[0])}, func(e evaluation) float64 {
			c := cloudWatchOf(e.nab, e.constants)
			return (float64(c.Hits) - 0.25*float64(c.False)) / float64(c.Events)
		}},
		leftOutSet{"zoo", nil, func(e evaluation) float64 {
			z := figuresOf(b.shapes, e.visits, e.constants)
			return z.Recall - z.FalsePerWeek
		}},
	)
	for _, name := range b.labelledSets() {
		sets = append(sets, leftOutSet{name, nil, func(e evaluation) float64 {
			p := b.pages(e, name)
			p.sum()
			return worthOfPages(p.F1, p.FalsePerDay)
		}})
	}
	return sets, nil
}

// bearable is the number of false pages a series-day that the goals allow.
const bearable = 0.08

func worthOfPages(f1, falsePerDay float64) float64 { return f1 - 2*max(falsePerDay-bearable, 0) }

// choose is the choice worth most on all sets that share nothing with the one
// left out.
func choose(sets []leftOutSet, worth [][]float64, out leftOutSet) int {
	sums := make([]float64, len(worth[0]))
	for i, s := range sets {
		shares := s.name == out.name || slices.ContainsFunc(s.files, func(f string) bool { return slices.Contains(out.files, f) })
		for k := range sums {
			if !shares {
				sums[k] += worth[i][k]
			}
		}
	}
	return slices.Index(sums, slices.Max(sums))
}

// figures are those of each set under the choice made without it.
func (b *leftOutBench) figures(choice func(set string) int) (f leftOutFigures, err error) {
	var total pageScore
	for _, name := range b.labelledSets() {
		p := b.pages(b.all[choice(name)], name)
		total.merge(p)
	}
	total.sum()
	h, err := b.headToHead(b.all[choice("head-to-head")])
	if err != nil {
		return f, err
	}
	f.HeadToHead, f.HeadToHeadFalse = h.F1, h.FalsePerDay
	f.F1, f.Recall, f.FalsePerDay = total.F1, total.Recall, total.FalsePerDay
	if len(b.labelled) == 0 {
		f.F1, f.Recall, f.FalsePerDay = h.F1, h.Recall, h.FalsePerDay
	}
	e := b.all[choice("cloudwatch")]
	c := cloudWatchOf(e.nab, e.constants)
	f.Hits, f.False = c.Hits, c.False
	e = b.all[choice("zoo")]
	z := figuresOf(b.shapes, e.visits, e.constants)
	f.ZooFalse, f.ZooRecall = z.FalsePerWeek, z.Recall
	f.NAB = runner.Round(b.nabLeftOut(choice))
	return f, nil
}

// nabLeftOut is NAB's standard score of all files, each group under constants
// and a threshold chosen without it.
func (b *leftOutBench) nabLeftOut(choice func(set string) int) float64 {
	rows := make([][]int, len(b.files))
	for _, group := range b.groups() {
		e := b.all[choice("nab "+group)]
		var others []string
		for _, other := range b.groups() {
			if other != group {
				others = append(others, other)
			}
		}
		_, at := b.nabThreshold(e, others)
		for i, file := range b.files {
			if filepath.Dir(file.Name) == group {
				rows[i] = e.nab[i].alerts(at, e.constants)
			}
		}
	}
	return nabProfiles[0].scorer(b.files).score(rows)
}

// nabThreshold is the best threshold for some groups, and its score.
func (b *leftOutBench) nabThreshold(e evaluation, groups []string) (score, threshold float64) {
	var files []datasets.NabFile
	var members []judged
	for i, file := range b.files {
		if slices.Contains(groups, filepath.Dir(file.Name)) {
			files, members = append(files, file), append(members, e.nab[i])
		}
	}
	return nabProfiles[0].scorer(files).best(func(threshold float64) [][]int {
		rows := make([][]int, len(members))
		for i, one := range members {
			rows[i] = one.alerts(threshold, e.constants)
		}
		return rows
	}, swept())
}

func (b *leftOutBench) headToHead(e evaluation) (pages, error) {
	var operations []judged
	for _, one := range e.nab {
		is, err := isOperations(one.NabFile)
		if err != nil {
			return pages{}, err
		}
		if is {
			operations = append(operations, one)
		}
	}
	return compete(operations, oursWith(anomaly.DefaultThreshold, e.constants))
}

func (b *leftOutBench) pages(e evaluation, set string) (p pageScore) {
	for i, s := range b.labelled {
		if s.set == set {
			r := e.labelled[i]
			r.Events = e.constants.Events(r, anomaly.DefaultThreshold)
			p.add(s, r)
		}
	}
	return p
}

func (b *leftOutBench) groups() (groups []string) {
	for _, file := range b.files {
		if group := filepath.Dir(file.Name); !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return groups
}

func (b *leftOutBench) filesOf(group string) (files []datasets.NabFile) {
	for _, file := range b.files {
		if filepath.Dir(file.Name) == group {
			files = append(files, file)
		}
	}
	return files
}

func (b *leftOutBench) labelledSets() (names []string) {
	for _, s := range b.labelled {
		if !slices.Contains(names, s.set) {
			names = append(names, s.set)
		}
	}
	return names
}

// print shows on standard error what each choice is worth on each set.
func (b *leftOutBench) print(sets []leftOutSet, worth [][]float64) {
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "set\t%s\n", strings.Join(b.names, "\t"))
	for i, s := range sets {
		fmt.Fprint(w, s.name)
		for _, v := range worth[i] {
			fmt.Fprintf(w, "\t%.3f", v)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

package accuracy

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("labelled", "-in DIR: labelled series of other people, DIR/SET/NAME.csv with timestamp, value, label: pages against labels", runLabelled)
}

const (
	// labelledLearned is the share of a series that only teaches.
	labelledLearned = 0.4
	// besideLabel is how far before or behind a labelled event a page still is
	// its own, in points.
	besideLabel = 3
)

// labelledSeries is a series with its labelled events, first and last point.
type labelledSeries struct {
	set, name string
	laid      series.Series
	events    [][2]int
}

// readLabelled reads a folder of sets; every is a sample of each.
func readLabelled(folder string, every int) ([]labelledSeries, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*", "*.csv"))
	if err != nil {
		return nil, err
	}
	var all []labelledSeries
	seen := map[string]int{}
	for _, path := range paths {
		set := filepath.Base(filepath.Dir(path))
		if seen[set]++; seen[set]%every != 0 {
			continue
		}
		s, err := readLabelledFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.set, s.name = set, strings.TrimSuffix(filepath.Base(path), ".csv")
		all = append(all, s)
	}
	return all, nil
}

func readLabelledFile(path string) (s labelledSeries, err error) {
	times, values, err := readSeries(path)
	if err != nil {
		return s, err
	}
	if s.laid, err = series.FromPoints(nil, times, values, usualStep(times)); err != nil {
		return s, err
	}
	labels, err := readColumn(path, 2)
	if err != nil {
		return s, err
	}
	last := -2
	for row, label := range labels {
		if label == 0 {
			continue
		}
		at := s.laid.Index(times[row])
		if at > last+1 {
			s.events = append(s.events, [2]int{at, at})
		}
		s.events[len(s.events)-1][1], last = at, at
	}
	return s, nil
}

// readColumn reads the numbers of a column below a header.
func readColumn(path string, column int) ([]float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	var numbers []float64
	for _, line := range lines[1:] {
		if len(line) <= column {
			return nil, fmt.Errorf("no column %d", column+1)
		}
		v, err := strconv.ParseFloat(line[column], 64)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, v)
	}
	return numbers, nil
}

// pageScore counts pages against labelled events.
type pageScore struct {
	F1          float64 `json:"page_f1"`
	Precision   float64 `json:"precision"`
	Recall      float64 `json:"recall"`
	FalsePerDay float64 `json:"false_per_series_day"`
	Series      int     `json:"series"`
	Events      int     `json:"events"`
	Pages       int     `json:"pages"`

	right int
	days  float64
}

// add counts the first page beside each event as right; every other page is
// false.
func (p *pageScore) add(s labelledSeries, r anomaly.Result) {
	first := s.laid.Len() - r.Actual.Len()
	p.Series++
	p.days += float64(r.Actual.Len()) * s.laid.Step.Hours() / 24
	pages := make([]int, len(r.Events))
	for i, e := range r.Events {
		pages[i] = first + r.Actual.Index(e.Start)
	}
	p.Pages += len(pages)
	used := make([]bool, len(pages))
	for _, event := range s.events {
		if event[0] < first {
			continue
		}
		p.Events++
		for i, page := range pages {
			if !used[i] && page >= event[0]-besideLabel && page <= event[1]+besideLabel {
				used[i] = true
				p.right++
				break
			}
		}
	}
}

// merge adds the counts of another.
func (p *pageScore) merge(q pageScore) {
	p.Series, p.Events, p.Pages = p.Series+q.Series, p.Events+q.Events, p.Pages+q.Pages
	p.right, p.days = p.right+q.right, p.days+q.days
}

func (p *pageScore) sum() {
	p.F1 = runner.Round(2 * float64(p.right) / float64(max(p.Pages+p.Events, 1)))
	p.Precision = runner.Round(float64(p.right) / float64(max(p.Pages, 1)))
	p.Recall = runner.Round(float64(p.right) / float64(max(p.Events, 1)))
	p.FalsePerDay = runner.Round(float64(p.Pages-p.right) / max(p.days, 1e-9))
}

func runLabelled(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("labelled", flag.ContinueOnError)
	in := flags.String("in", "", "folder of sets")
	every := flags.Int("every", 1, "take every n-th series of a set")
	threshold := flags.Float64("threshold", anomaly.DefaultThreshold, "score of an event")
	verbose := flags.Bool("v", false, "print each series")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	if *in == "" {
		return nil, errors.New("skipped: name a folder of labelled series, as in labelled -in DIR (see RESULTS.md)")
	}
	all, err := readLabelled(*in, *every)
	if err != nil {
		return nil, err
	}
	results, err := judgeLabelled(all, *threshold, anomaly.DefaultConstants())
	if err != nil {
		return nil, err
	}
	figures := map[string]*pageScore{}
	total := &pageScore{}
	for i, s := range all {
		if figures[s.set] == nil {
			figures[s.set] = &pageScore{}
		}
		figures[s.set].add(s, results[i])
		total.add(s, results[i])
		if *verbose {
			first := s.laid.Len() - results[i].Actual.Len()
			for _, event := range s.events {
				if event[0] < first || event[1] >= s.laid.Len() {
					continue
				}
				r, best := results[i], event[0]-first
				for k := event[0] - first; k <= event[1]-first; k++ {
					if r.Score[k] > r.Score[best] {
						best = k
					}
				}
				fmt.Printf("    %s %d points: score %.0f, %.4g where %.4g to %.4g was expected\n", s.laid.Time(event[0]).Format("Mon 02 15:04"), event[1]-event[0]+1, r.Score[best], r.Actual.Values[best], r.Lower[best], r.Upper[best])
			}
			one := pageScore{}
			one.add(s, results[i])
			one.sum()
			fmt.Printf("%-20s %-40s recall %.2f of %d, %d of %d pages false\n", s.set, s.name, one.Recall, one.Events, one.Pages-one.right, one.Pages)
		}
	}
	figures["all"] = total
	for _, f := range figures {
		f.sum()
	}
	return figures, nil
}

func judgeLabelled(all []labelledSeries, threshold float64, constants anomaly.Constants) ([]anomaly.Result, error) {
	results := make([]anomaly.Result, len(all))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range all {
		group.Go(func() error {
			from := s.laid.Time(int(labelledLearned * float64(s.laid.Len()))).Truncate(time.Hour)
			r, err := anomaly.Detect(anomaly.Request{History: s.laid, From: from, Threshold: threshold, Constants: &constants})
			if err != nil && !errors.Is(err, forecast.ErrShortHistory) {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			r.Judgements = nil
			results[i] = r
			return nil
		})
	}
	return results, group.Wait()
}

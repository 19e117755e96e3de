package accuracy

import (
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/wellknown"
	"github.com/foresight-observability/foresight/tests/bench/runner"
)

func init() {
	runner.Register("pressure", "seeded runs to saturation of each resource: lead, recall, false warnings", pressure)
}

const (
	// pressureLearn and pressureTest are minutes: what is learned, and what is judged.
	pressureLearn, pressureTest = 4 * 1440, 8 * 60
	// pressureLead is how early a warning must come to be of use.
	pressureLead = 5
)

type pressureFigures struct {
	Lead   float64 `json:"lead_minutes"` // median, of what was warned of
	Recall float64 `json:"recall"`       // of runs, warned of at least five minutes before
	// False is the share of series that are never used up in which there is a warning,
	// and FalsePerWeek how many warnings a week of them has.
	False        float64                 `json:"false"`
	FalsePerWeek float64                 `json:"false_per_week"`
	ByResource   map[string]pressurePart `json:"by_resource"`
	Runs         int                     `json:"runs"`
}

type pressurePart struct {
	Lead         float64 `json:"lead_minutes"`
	Recall       float64 `json:"recall"`
	FalsePerWeek float64 `json:"false_per_week"`
}

// pressureWorld is how the use of a resource goes about to its limit.
type pressureWorld struct {
	resource string
	base     float64 // usual share of the limit
	swing    float64 // by which it follows the day
	noise    float64 // of a minute, as a share of the use
	// length is how many minutes a run takes, from one to another.
	shortest, longest float64
	// course goes from 0 to 1 while x does.
	course func(x float64) float64
}

func linear(x float64) float64 { return x }

var pressureWorlds = []pressureWorld{
	{wellknown.MemoryResource, 0.5, 0.03, 0.01, 60, 300, linear},
	{wellknown.HeapResource, 0.4, 0.05, 0.03, 60, 240, linear},
	{wellknown.ProcessorResource, 0.4, 0.3, 0.05, 45, 180, linear},
	{wellknown.ThrottlingResource, 0.1, 0.3, 0.2, 45, 180, func(x float64) float64 { return x * x }},
	// What is collected grows without bound as the heap fills up.
	{wellknown.CollectionResource, 0.1, 0.2, 0.1, 60, 240, func(x float64) float64 { return x / (6 - 5*x) }},
	// By Little's law as what is called slows down.
	{wellknown.ThreadsResource, 0.25, 0.3, 0.1, 30, 120, linear},
	{wellknown.DescriptorsResource, 0.2, 0.05, 0.02, 60, 300, linear},
	{wellknown.DiskResource, 0.6, 0, 0.001, 120, 400, linear},
	{wellknown.InodesResource, 0.5, 0, 0.001, 120, 400, func(x float64) float64 { return math.Floor(20*x) / 20 }},
	{wellknown.QueueResource, 0.02, 0.3, 0.3, 30, 120, linear},
	{wellknown.PoolResource, 0.3, 0.3, 0.1, 30, 120, func(x float64) float64 { return x * x }},
	{wellknown.NetworkResource, 0.01, 0, 0.5, 30, 90, func(x float64) float64 { return x * x * x }},
}

// use is a resource's use minute by minute, as a share of its limit. With reached
// below 1 the run stops there, and stays.
func (w pressureWorld) use(random *rand.Rand, reached float64) (values []float64, crosses int) {
	length := w.shortest + (w.longest-w.shortest)*random.Float64()
	begins := pressureLearn + random.IntN(int(float64(pressureTest)-length))
	phase, drift := 2*math.Pi*random.Float64(), 0.0
	base := w.base * (0.7 + 0.6*random.Float64())
	crosses = -1
	for t := range pressureLearn + pressureTest {
		drift = 0.95*drift + math.Sqrt(1-0.95*0.95)*random.NormFloat64()
		usual := base * (1 + w.swing*math.Sin(2*math.Pi*float64(t)/1440+phase))
		v := usual * (1 + 0.7*w.noise*random.NormFloat64() + 0.7*w.noise*drift)
		if t >= begins {
			x := min(float64(t-begins)/length, 1)
			v += (reached*1.02 - usual) * w.course(x)
		}
		v = max(v, 0)
		if crosses < 0 && t >= pressureLearn && v >= 1 {
			crosses = t - pressureLearn
		}
		values = append(values, v)
	}
	return values, crosses
}

type pressureCount struct {
	leads              []float64
	runs, warnings, of int
	quiet, wrong       int
}

func (c *pressureCount) add(o pressureCount) {
	c.leads = append(c.leads, o.leads...)
	c.runs, c.warnings, c.of = c.runs+o.runs, c.warnings+o.warnings, c.of+o.of
	c.quiet, c.wrong = c.quiet+o.quiet, c.wrong+o.wrong
}

func (c pressureCount) part() pressurePart {
	return pressurePart{
		Lead: runner.Round(runner.MedianOf(c.leads)), Recall: runner.Round(float64(len(c.leads)) / float64(max(c.runs, 1))),
		FalsePerWeek: runner.Round(float64(c.warnings) / (float64(max(c.of, 1)) / (7 * 1440))),
	}
}

func pressure(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("pressure", flag.ContinueOnError)
	cases := flags.Int("cases", 20, "number of runs to saturation of each resource, and of series without one")
	seed := flags.Uint64("seed", 1, "seed")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	counts := make([][]pressureCount, len(pressureWorlds))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range pressureWorlds {
		counts[i] = make([]pressureCount, 2**cases)
		for k := range 2 * *cases {
			group.Go(func() (err error) {
				random := rand.New(rand.NewPCG(*seed*1_000_000+uint64(k), uint64(i)))
				reached := 1.0
				if k%2 == 1 { // half of these stay as they are, half grow to a level below
					reached = 0
					if k%4 == 1 {
						reached = w.base + (0.85-w.base)*random.Float64()
					}
				}
				counts[i][k], err = w.judged(random, reached)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	f := pressureFigures{ByResource: map[string]pressurePart{}, Runs: *cases * len(pressureWorlds)}
	var all pressureCount
	for i, w := range pressureWorlds {
		var one pressureCount
		for _, c := range counts[i] {
			one.add(c)
		}
		f.ByResource[w.resource] = one.part()
		all.add(one)
	}
	part := all.part()
	f.Lead, f.Recall, f.FalsePerWeek = part.Lead, part.Recall, part.FalsePerWeek
	f.False = runner.Round(float64(all.wrong) / float64(max(all.quiet, 1)))
	return f, nil
}

// judged counts the warnings of one series: reached is 0 for one that goes nowhere.
func (w pressureWorld) judged(random *rand.Rand, reached float64) (c pressureCount, err error) {
	going := w
	if reached == 0 {
		going.course = func(float64) float64 { return 0 }
	}
	values, crosses := going.use(random, reached)
	h := series.Series{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Step: time.Minute, Values: values}
	warned, err := warnByBreach(h, h.Time(pressureLearn), 1)
	if err != nil {
		return c, err
	}
	first := -1
	for t, on := range warned {
		// One that is followed by the limit within the horizon is right.
		right := crosses >= 0 && t <= crosses && crosses-t <= int(warnAhead/time.Minute) || crosses >= 0 && t > crosses
		if on && right && first < 0 {
			first = t
		}
		if on && (t == 0 || !warned[t-1]) && !right {
			c.warnings++
		}
	}
	c.of = len(warned)
	if crosses < 0 {
		c.quiet = 1
		if c.warnings > 0 {
			c.wrong = 1
		}
		return c, nil
	}
	c.runs = 1
	if first >= 0 && crosses-first >= pressureLead {
		c.leads = []float64{float64(crosses - first)}
	}
	return c, nil
}

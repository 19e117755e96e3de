package accuracy

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/bench/runner"
	"github.com/foresight-observability/foresight/tests/harness"
)

func init() {
	runner.Register("peers", "Prophet, statsforecast, augurs and statsmodels on the same M4 Hourly series in the same run; needs Python with pip", runPeers)
}

type forecasterFigures struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds_per_series"` // of processor time
	MASE    float64 `json:"mase"`
	SMAPE   float64 `json:"smape"`
	Series  int     `json:"series"`
	Failed  int     `json:"failed"`
	// Ratios to Foresight over the series that the peer answered: above one,
	// Foresight is faster, or errs less.
	Slower float64 `json:"times_slower,omitempty"`
	Error  float64 `json:"mase_ratio,omitempty"`
}

// peerQuestion and peerAnswer are the lines that forecast.py speaks.
type peerQuestion struct {
	ID      string    `json:"id"`
	Season  int       `json:"season"`
	Step    int       `json:"step_seconds"`
	Horizon int       `json:"horizon"`
	Values  []float64 `json:"values"`
}

type peerAnswer struct {
	Peer    string    `json:"peer"`
	ID      string    `json:"id"`
	Seconds float64   `json:"seconds"`
	Mean    []float64 `json:"mean"`
	Error   string    `json:"error"`
}

func runPeers(o runner.Options) (any, error) {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	every := flags.Int("every", 26, "take each so-many-th of the 414 series")
	only := flags.String("only", "", "names of peers, with commas; default: all, of which AutoARIMA takes most of an hour")
	if err := flags.Parse(o.Rest); err != nil {
		return nil, err
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	python, err := peersPython()
	if err != nil {
		return nil, fmt.Errorf("skipped: %w", err)
	}
	train, err := readM4(filepath.Join(o.Data, "m4", "Hourly-train.csv"))
	if err != nil {
		return nil, err
	}
	test, err := readM4(filepath.Join(o.Data, "m4", "Hourly-test.csv"))
	if err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(runtime.NumCPU())
	var answers []peerAnswer
	var questions bytes.Buffer
	rows := map[string]int{}
	for i := *every / 2; i < len(train); i += *every {
		id := fmt.Sprintf("H%d", i+1)
		rows[id] = i
		line, err := json.Marshal(peerQuestion{id, m4Season, int(time.Hour.Seconds()), m4Horizon, train[i]})
		if err != nil {
			return nil, err
		}
		questions.Write(append(line, '\n'))
		answer, err := ourAnswer(id, train[i])
		if err != nil {
			return nil, fmt.Errorf("series %s: %w", id, err)
		}
		answers = append(answers, answer)
	}
	theirs, err := ask(python, names, &questions)
	if err != nil {
		return nil, err
	}
	figures := comparePeers(append(answers, theirs...), func(a peerAnswer) accuracy {
		var errors accuracy
		i := rows[a.ID]
		errors.add(test[i], a.Mean, a.Mean, a.Mean, seasonalScale(train[i], m4Season), 0.95)
		return errors
	})
	return map[string]any{"forecasters": figures}, nil
}

// ourName stands first among the answers.
const ourName = "Foresight auto"

func ourAnswer(id string, history []float64) (peerAnswer, error) {
	begun := runner.ProcessorTime()
	r, err := forecast.Run(forecast.Request{
		History: series.Series{Start: time.Unix(0, 0).UTC(), Step: time.Hour, Values: history}, Horizon: m4Horizon, NonNegative: true,
	})
	return peerAnswer{Peer: ourName, ID: id, Seconds: (runner.ProcessorTime() - begun).Seconds(), Mean: r.Mean}, err
}

// comparePeers makes a row per peer, ours first.
func comparePeers(answers []peerAnswer, judge func(peerAnswer) accuracy) []forecasterFigures {
	type sums struct {
		figures           *forecasterFigures
		theirs, ours      accuracy
		seconds, oursTook float64
	}
	ours := map[string]peerAnswer{}
	byPeer := map[string]*sums{}
	var order []string
	for _, a := range answers {
		if a.Peer == ourName {
			ours[a.ID] = a
		}
		s := byPeer[a.Peer]
		if s == nil {
			s = &sums{figures: &forecasterFigures{Name: a.Peer}}
			byPeer[a.Peer] = s
			order = append(order, a.Peer)
		}
		if a.Error != "" {
			s.figures.Failed++
			continue
		}
		s.figures.Series++
		s.theirs.merge(judge(a))
		s.ours.merge(judge(ours[a.ID]))
		s.seconds += a.Seconds
		s.oursTook += ours[a.ID].Seconds
	}
	var rows []forecasterFigures
	for _, name := range order {
		s := byPeer[name]
		s.figures.Seconds = runner.Round(s.seconds / float64(max(s.figures.Series, 1)))
		s.figures.MASE, s.figures.SMAPE = s.theirs.mean(s.theirs.mase), s.theirs.mean(s.theirs.smape)
		if name != ourName && s.figures.Series > 0 {
			s.figures.Slower = runner.Round(s.seconds / s.oursTook)
			s.figures.Error = runner.Round(s.theirs.mase / s.ours.mase)
		}
		rows = append(rows, *s.figures)
	}
	return rows
}

// ask runs the peers over the questions.
func ask(python string, names []string, questions *bytes.Buffer) ([]peerAnswer, error) {
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	command := exec.Command(python, append([]string{filepath.Join(root, "tests", "bench", "peers", "forecast.py")}, names...)...)
	command.Stdin, command.Stderr = questions, os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("the peers' program failed: %w", err)
	}
	var answers []peerAnswer
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a peerAnswer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return nil, fmt.Errorf("the peers' program wrote %q: %w", lines.Text(), err)
		}
		answers = append(answers, a)
	}
	return answers, lines.Err()
}

// peersPython is an interpreter with the peers' libraries, installed once per
// list of requirements into the user's cache.
func peersPython() (string, error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	requirements := filepath.Join(root, "tests", "bench", "peers", "requirements.txt")
	wanted, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	base, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("the peers need Python 3 with pip")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "foresight", "peers", fmt.Sprintf("%x", sha256.Sum256(wanted))[:16])
	python := filepath.Join(home, "bin", "python")
	complete := filepath.Join(home, "complete")
	if _, err := os.Stat(complete); err == nil {
		return python, nil
	}
	fmt.Fprintln(os.Stderr, "installing the peers' libraries (once) …")
	for _, command := range [][]string{
		{base, "-m", "venv", "--clear", home},
		{python, "-m", "pip", "install", "--quiet", "--requirement", requirements},
	} {
		c := exec.Command(command[0], command[1:]...)
		c.Stderr = os.Stderr
		if err := c.Run(); err != nil {
			return "", fmt.Errorf("the peers' libraries could not be installed (%v): %w", command, err)
		}
	}
	return python, os.WriteFile(complete, nil, 0o600)
}

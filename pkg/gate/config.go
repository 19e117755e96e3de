package gate

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config is what the gate asks for, and how long it waits.
type Config struct {
	// URL is Grafana's, with its path where it has one; Token that of a service
	// account; DataSource the uid.
	URL, Token, DataSource string
	// Service and Version say what is judged; the others refine the verdict and
	// may be empty: see Foresight's route verdict.
	Service, Version, Baseline, Operation, Margin, Window string
	// Deadline is how long to wait for a verdict, Interval the pause between two
	// requests, Timeout how long one may take, and Tolerate for how long every
	// request may fail.
	Deadline, Interval, Timeout, Tolerate time.Duration
	// MinRequests is what the version must have served to pass.
	MinRequests float64
	// Marker posts a deploy marker first, of this Environment.
	Marker      bool
	Environment string
	// DryRun posts nothing and reports, with exit code 0.
	DryRun bool
	// JUnit and Summary are files to write; empty for none. StepSummary is what
	// GitHub shows of a step, to which the summary is appended.
	JUnit, Summary, StepSummary string
}

const usage = `foresight-gate waits for the verdict of Foresight on a version of a service.

  foresight-gate -url https://grafana.example.com -service cart -version 2.0.0

Exit codes: 0 pass, 1 fail, 2 inconclusive at the deadline, 3 error. The token of
a service account (Viewer; Editor with -marker) is read from FORESIGHT_TOKEN or
from -token-file. Each option can be set in the environment instead, as
FORESIGHT_MIN_REQUESTS for -min-requests.

`

// Parse reads options from the arguments and the environment.
func Parse(arguments []string, getenv func(string) string, output io.Writer) (Config, error) {
	var c Config
	var tokenFile string
	flags := flag.NewFlagSet("foresight-gate", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.Usage = func() {
		fmt.Fprint(output, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&c.URL, "url", "", "`address` of Grafana")
	flags.StringVar(&tokenFile, "token-file", "", "`file` with the token, instead of FORESIGHT_TOKEN")
	flags.StringVar(&c.DataSource, "datasource", "foresight", "`uid` of the Foresight data source")
	flags.StringVar(&c.Service, "service", "", "`name` of the service")
	flags.StringVar(&c.Version, "version", "", "the new `version`, as in service.version")
	flags.StringVar(&c.Baseline, "baseline", "", "the `version` to compare with; without it the one before")
	flags.StringVar(&c.Operation, "operation", "", "judge this `operation` only")
	flags.StringVar(&c.Margin, "margin", "", "acceptable rise in the `share` of errors, 0 to 1")
	flags.StringVar(&c.Window, "window", "", "how far back to look, a `duration` like 1h")
	flags.DurationVar(&c.Deadline, "deadline", 30*time.Minute, "how long to wait for a verdict")
	flags.DurationVar(&c.Interval, "interval", 30*time.Second, "pause between two requests")
	flags.DurationVar(&c.Timeout, "timeout", 30*time.Second, "how long one request may take")
	flags.DurationVar(&c.Tolerate, "tolerate", 5*time.Minute, "for how long Grafana may fail before this is an error")
	flags.Float64Var(&c.MinRequests, "min-requests", 0, "requests that the version must have served to pass")
	flags.BoolVar(&c.Marker, "marker", false, "post a deploy marker first")
	flags.StringVar(&c.Environment, "environment", "", "environment of the deploy marker")
	flags.BoolVar(&c.DryRun, "dry-run", false, "report only: post no marker, exit with 0 whatever the verdict")
	flags.StringVar(&c.JUnit, "junit", "", "`file` to write as JUnit XML")
	flags.StringVar(&c.Summary, "summary", "", "`file` to write as Markdown")

	if err := flags.Parse(arguments); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("%q is not an option: options begin with -", flags.Arg(0))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var problem error
	flags.VisitAll(func(f *flag.Flag) {
		name := "FORESIGHT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := getenv(name)
		if given[f.Name] || value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			problem = errors.Join(problem, fmt.Errorf("%s is %q: %w", name, value, err))
		}
	})
	if problem != nil {
		return c, problem
	}
	c.Token, c.StepSummary = strings.TrimSpace(getenv("FORESIGHT_TOKEN")), getenv("GITHUB_STEP_SUMMARY")
	if tokenFile != "" {
		text, err := os.ReadFile(tokenFile)
		if err != nil {
			return c, fmt.Errorf("the token cannot be read: %w", err)
		}
		c.Token = strings.TrimSpace(string(text))
	}
	return c, c.validate()
}

func (c Config) validate() error {
	address, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return errors.New("-url is missing: the address of Grafana, like https://grafana.example.com")
	case err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https":
		return fmt.Errorf("-url is %q: write an address like https://grafana.example.com", c.URL)
	case c.Token == "":
		return errors.New("the token is missing: set FORESIGHT_TOKEN or -token-file to that of a service account")
	case strings.ContainsAny(c.Token, "\r\n"):
		return errors.New("the token has more than one line")
	case c.DataSource == "":
		return errors.New("-datasource is missing: the uid of the Foresight data source")
	case c.Service == "":
		return errors.New("-service is missing: the name of the service")
	case c.Version == "":
		return errors.New("-version is missing: without it another version might be judged")
	case c.Version == c.Baseline:
		return fmt.Errorf("-version and -baseline are both %q", c.Version)
	case !(c.MinRequests >= 0):
		return errors.New("-min-requests must not be negative")
	case c.Deadline < 0, c.Tolerate < 0:
		return errors.New("-deadline and -tolerate must not be negative")
	case c.Interval <= 0, c.Timeout <= 0:
		return errors.New("-interval and -timeout must be above 0")
	}
	return nil
}

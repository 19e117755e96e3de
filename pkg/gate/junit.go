package gate

import (
	"encoding/xml"
	"fmt"
	"io"
)

// The elements of JUnit's XML that pipelines read.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Class   string `xml:"classname,attr"`
		Name    string `xml:"name,attr"`
		Time    string `xml:"time,attr"`
		Failure *what  `xml:"failure"`
		Error   *what  `xml:"error"`
		Skipped *what  `xml:"skipped"`
	}
	what struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
	}
)

// WriteJUnit writes the result as JUnit XML: one test for the verdict, and one
// for each signal. An inconclusive verdict is an error, because readers show a
// skipped test as fine; a dry run skips all that does not pass.
func WriteJUnit(w io.Writer, r Result) error {
	s := suite{Name: "foresight-gate", Time: fmt.Sprintf("%.3f", r.Waited.Seconds())}
	add := func(name, outcome, message, took string) {
		one := testcase{Class: "foresight." + clean(r.Config.Service), Name: clean(name), Time: took}
		w := &what{Message: clean(message), Type: clean(outcome)}
		switch {
		case outcome == Pass.String():
		case r.Config.DryRun:
			one.Skipped = &what{Message: "dry run: " + outcome + ": " + w.Message}
			s.Skipped++
		case outcome == Fail.String():
			one.Failure = w
			s.Failures++
		default:
			one.Error = w
			s.Errors++
		}
		s.Cases = append(s.Cases, one)
		s.Tests++
	}
	add("verdict on "+r.title(), r.Outcome.String(), r.Reason, s.Time)
	if r.Answer != nil {
		for _, signal := range r.Answer.Metrics {
			outcome := signal.Verdict
			// What is undecided of a version that passes holds nothing up.
			if outcome == Inconclusive.String() && r.Outcome == Pass {
				outcome = Pass.String()
			}
			add(signal.Name, outcome, fmt.Sprintf("baseline %s, candidate %s", signal.Baseline, signal.Candidate), "0")
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suites{Suites: []suite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

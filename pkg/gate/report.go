package gate

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// WriteTable writes the result for a terminal.
func WriteTable(w io.Writer, r Result) error {
	fmt.Fprintf(w, "%s: %s\n%s\n", strings.ToUpper(r.Outcome.String()), r.title(), clean(r.Reason))
	if r.Marker != "" {
		fmt.Fprintf(w, "Deploy marker: %s\n", clean(r.Marker))
	}
	if r.Config.DryRun {
		fmt.Fprintf(w, "Dry run: the exit code would be %d.\n", r.Outcome)
	}
	if rows := r.rows(); len(rows) > 0 {
		fmt.Fprintln(w)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, strings.ToUpper(strings.Join(columns[:], "\t")))
		for _, row := range rows {
			fmt.Fprintln(table, strings.Join(row[:], "\t"))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	for _, one := range r.remarks() {
		if _, err := fmt.Fprintf(w, "\nNote: %s", one); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

// WriteMarkdown writes the result as a summary in Markdown.
func WriteMarkdown(w io.Writer, r Result) error {
	var text strings.Builder
	fmt.Fprintf(&text, "### Foresight: %s, %s\n\n%s\n", r.Outcome, markdown(r.title()), markdown(r.Reason))
	if r.Marker != "" {
		fmt.Fprintf(&text, "\nDeploy marker: %s\n", markdown(r.Marker))
	}
	if r.Config.DryRun {
		fmt.Fprintf(&text, "\nDry run: the exit code would be %d.\n", r.Outcome)
	}
	if rows := r.rows(); len(rows) > 0 {
		fmt.Fprintf(&text, "\n| %s |\n|%s\n", strings.Join(columns[:], " | "), strings.Repeat("---|", len(columns)))
		for _, row := range rows {
			for i := range row {
				row[i] = markdown(row[i])
			}
			fmt.Fprintf(&text, "| %s |\n", strings.Join(row[:], " | "))
		}
	}
	for i, one := range r.remarks() {
		if i == 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "- %s\n", markdown(one))
	}
	text.WriteByte('\n')
	_, err := io.WriteString(w, text.String())
	return err
}

var columns = [5]string{"signal", "verdict", "baseline", "candidate", "evidence"}

// title names what was judged.
func (r Result) title() string {
	title := fmt.Sprintf("%s %s", r.Config.Service, r.Config.Version)
	if r.Answer != nil && r.Answer.Baseline != "" {
		title += " against " + r.Answer.Baseline
	}
	return clean(title)
}

// rows are the signals and resources of the last verdict.
func (r Result) rows() (rows [][len(columns)]string) {
	if r.Answer == nil {
		return nil
	}
	for _, s := range r.Answer.Metrics {
		name := s.Name
		if s.Critical {
			name += " (critical)"
		}
		rows = append(rows, [...]string{clean(name), clean(s.Verdict), s.Baseline.String(), s.Candidate.String(), fmt.Sprintf("%.3g of %.3g", s.Evidence, s.Threshold)})
	}
	for _, one := range r.Answer.Resources {
		verdict := "room"
		if one.Full {
			verdict = "full"
		}
		rows = append(rows, [...]string{clean(one.Name), verdict, share(one.Baseline), share(one.Candidate), "–"})
	}
	return rows
}

// remarks are what the verdict's evidence is to be read with.
func (r Result) remarks() (remarks []string) {
	if r.Answer == nil {
		return nil
	}
	if r.Outcome == Inconclusive && r.Answer.NeededRequests > 0 {
		remarks = append(remarks, fmt.Sprintf("about %.0f more requests would decide, %s at the present traffic.",
			r.Answer.NeededRequests, (time.Duration(min(r.Answer.NeededSeconds, 1e9))*time.Second).Round(time.Minute)))
	}
	for _, one := range r.Answer.Warnings {
		remarks = append(remarks, clean(one))
	}
	return remarks
}

// String is the share of bad requests.
func (t Tally) String() string {
	if t.Requests <= 0 {
		return "no requests"
	}
	return fmt.Sprintf("%.3g %% of %.0f", 100*t.Bad/t.Requests, t.Requests)
}

func share(used *float64) string {
	if used == nil {
		return "not known"
	}
	return fmt.Sprintf("%.0f %% in use", 100**used)
}

// clean keeps text of a server on one line: a line of its own could be a command
// to the pipeline that reads the log.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// markdown quotes what Markdown and HTML give a meaning.
func markdown(text string) string {
	var quoted strings.Builder
	for _, r := range clean(text) {
		switch {
		case r == '<':
			quoted.WriteString("&lt;")
			continue
		case r == '&':
			quoted.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_[]|#~!", r):
			quoted.WriteByte('\\')
		}
		quoted.WriteRune(r)
	}
	return quoted.String()
}

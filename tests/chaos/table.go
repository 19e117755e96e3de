package chaos

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Table writes rows as tables, one for each server: a question in each line, a
// fault in each column, and how long it took until all was as before.
func Table(rows []Row, questions []string) string {
	var b strings.Builder
	for _, server := range servers(rows) {
		var columns []Row
		for _, row := range rows {
			if row.Server == server {
				columns = append(columns, row)
			}
		}
		fmt.Fprintf(&b, "### %s\n\n| question |", server)
		for _, row := range columns {
			fmt.Fprintf(&b, " %s |", row.Fault)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
		for _, question := range questions {
			fmt.Fprintf(&b, "| %s |", question)
			for _, row := range columns {
				fmt.Fprintf(&b, " %s |", Signs[row.Cells[question].Outcome])
			}
			b.WriteString("\n")
		}
		b.WriteString("| **all right again after** |")
		for _, row := range columns {
			fmt.Fprintf(&b, " %s |", row.back(questions))
		}
		b.WriteString("\n\n")
	}
	return b.String()
}

func servers(rows []Row) (names []string) {
	for _, row := range rows {
		if !slices.Contains(names, row.Server) {
			names = append(names, row.Server)
		}
	}
	return names
}

// back is how long the slowest question took to be answered as before, in steps
// of five seconds. A stream waits for its next point in any case.
func (r Row) back(questions []string) string {
	var longest time.Duration
	for _, question := range questions {
		if cell := r.Cells[question]; cell.Recovered < 0 {
			return "never"
		} else if question != Live {
			longest = max(longest, cell.Recovered)
		}
	}
	if longest < time.Second {
		return "at once"
	}
	return fmt.Sprintf("%.0f s", 5*math.Ceil(longest.Seconds()/5))
}

// wrong are the cells that must not be, in words.
func wrong(rows []Row) (all []string) {
	for _, row := range rows {
		for question, cell := range row.Cells {
			if cell.Outcome == Wrong {
				all = append(all, fmt.Sprintf("%s, %s, %s: %s", row.Server, row.Fault, question, cell.Reason))
			} else if cell.Recovered < 0 {
				all = append(all, fmt.Sprintf("%s, %s, %s: no recovery", row.Server, row.Fault, question))
			}
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return all
}

// Page is tests/chaos/results/servers.md, with the faults of stores that were played.
func Page(between, inside []Row, questions []string) string {
	between = slices.DeleteFunc(slices.Clone(between), ofGrafana)
	return fmt.Sprintf(page, Timeout, times, meanings(between), Table(between, questions), Table(inside, questions), unplayed(between, Prometheus, Tempo))
}

// GrafanaPage is tests/chaos/results/grafana.md.
func GrafanaPage(between []Row, questions []string) string {
	rows := slices.DeleteFunc(slices.Clone(between), func(row Row) bool { return !ofGrafana(row) })
	return fmt.Sprintf(grafanaPage, meanings(rows), Table(rows, questions), unplayed(rows, Grafana))
}

func ofGrafana(row Row) bool { return row.Server == Grafana }

// meanings are the faults of some rows as the lines of a table.
func meanings(rows []Row) string {
	var lines strings.Builder
	for _, fault := range Faults {
		if slices.ContainsFunc(rows, func(row Row) bool { return row.Fault == fault.Name }) {
			fmt.Fprintf(&lines, "| %s | %s |\n", fault.Name, fault.Means)
		}
	}
	return lines.String()
}

// PartsPage is tests/chaos/results/parts.md.
func PartsPage(inside []Row, questions []string) string {
	return fmt.Sprintf(partsPage, Table(inside, questions))
}

// unplayed are the faults of servers that are not among the rows.
func unplayed(rows []Row, servers ...string) string {
	var missing []string
	for _, fault := range Faults {
		for _, server := range servers {
			played := slices.ContainsFunc(rows, func(row Row) bool { return row.Fault == fault.Name && row.Server == server })
			if !played && (fault.Of == "" || fault.Of == server) {
				missing = append(missing, fault.Name+" of "+server)
			}
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Not played by the run that wrote this page: " + strings.Join(missing, ", ") + ".\n\n"
}

const page = `# When servers fail

This page is written by ` + "`go tool mage chaos`" + ` (` + "`tests/chaos`" + `), which runs every cell of its tables: the plugin process, asked as Grafana and engines ask it, over a real Prometheus and Tempo with a canary of one service that has a slow statement. While a server fails in one way every question is put up to %[2]d times, each to a data source of its own with ` + "`limits.timeout: %[1]s`" + `. ` + "`go tool mage test`" + ` runs the faults that differ most.

| cell | what came, each time |
|---|---|
| · | not asked: the question has nothing to do with the server, as the column "refused" shows |
| ✓ | the answer, equal to the one without a fault |
| ✓n | the same, with a notice that names the server and what was not looked at |
| part | less than the whole answer, with a notice that names the server; what is unknown is null, "insufficient" or "inconclusive", nothing else is otherwise |
| error | an error that names the server and says what to do, within the deadline; hooks: HTTP 4xx, 5xx with a reason, which every engine takes for "no number" |
| waits | the live stream stays open, says nothing, and goes on by itself |

Checked in every cell: no number differs from the one without the fault, none is NaN, none is zero for want of data; no canary passes and nothing is "no change" for want of evidence; no answer comes later than the deadline of the question and one more of its parts; and when the fault is over the same data source gives the whole answer by itself. A server that failed five times in a row is left alone for 15 seconds, which is most of the time until all is right again. A store that has lost data does not tell, so no notice is asked for there, and a history that was fetched with the hole in it is remembered for up to ten minutes. Where the other server, which has no fault, does not answer in time because the machine has too much to do, the question is put again, up to three times.

## Faults between the plugin and a server

| fault | what is done |
|---|---|
%[3]s
%[4]s%[6]s## Faults of the processes themselves

Killed is SIGKILL, and then a start on the same data; paused is SIGSTOP, and then SIGCONT. What the loss of a part does where Mimir and Tempo run in parts is on [a page of its own](parts.md), and so is what comes where [Grafana itself](grafana.md) fails, which keeps what Foresight is told.

%[5]s## The plugin itself, and replicas

| fault | what comes |
|---|---|
| the plugin is killed in the middle of a query | an error at once; the next process gives the same answer |
| the plugin is killed in the middle of a live stream | the stream ends with an error, after which Grafana runs it again; the next process takes it up |
| two replicas whose clocks are minutes apart, so that they are asked over windows that end three minutes earlier or later, also in the future | every instant that both tell of has the same numbers |

The clocks of the processes themselves are those of one machine: what is shifted is what they are asked.
`

const grafanaPage = `# When Grafana fails

This page is written by ` + "`go tool mage chaos`" + `, or alone by ` + "`go test -tags integration ./tests/chaos -run TestChaos -timeout 60m -chaos full -only 'of Grafana'`" + `, like [When servers fail](servers.md), which says what the cells mean and what is checked in each. Here Grafana's API of annotations fails, in which Foresight keeps deploys, alerts, feedback, numbers and what playbooks propose; in the run it is a stand-in that holds them in memory.

What tells Foresight something (the rows from "deploy" to "playbook's proposal") is sent twice while Grafana fails and again afterwards, as senders do. Checked in each of these cells: HTTP 200 comes only when Grafana holds what was told; an error is HTTP 429 or 5xx, names Grafana and says to send again; and at the end Grafana holds every happening exactly once, also where it had kept what it did not answer for. What no cell shows: a request that Grafana carries out long after it was given up may stand twice in its lists until the same is told again; answers count it once. The routes that need no other server are played against every one of Grafana's faults by ` + "`go test ./tests/chaos`" + `, too (` + "`TestWhatIsToldIsKeptOnce`" + `).

| fault | what is done |
|---|---|
%s
%s%s`

const partsPage = `# When a part of Mimir or Tempo fails

This page is written by ` + "`go tool mage chaos`" + `, like [When servers fail](servers.md), which says what the cells mean and what is checked in each. The data source asks Mimir of ten processes (three ingesters, each of which holds all samples) and Tempo of six (two ingesters, each of which holds half of the newest traces). One process at a time is killed (SIGKILL, and then a start on the same data) or paused (SIGSTOP, and then SIGCONT). Messages call Mimir by the protocol that it is asked in, Prometheus.

%s`

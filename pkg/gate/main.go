package gate

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Main is the command: it reports to stdout and the files that are wanted, and
// returns the exit code.
func Main(ctx context.Context, arguments []string, getenv func(string) string, stdout, stderr io.Writer) int {
	c, err := Parse(arguments, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "foresight-gate:", err)
		return int(Error)
	}
	result := Run(ctx, c, stderr)
	code := result.Code()
	if err := report(result, stdout); err != nil {
		fmt.Fprintln(stderr, "foresight-gate:", err)
		// A failure stays one; what could not be reported does not pass.
		code = max(code, int(Error))
		if result.Outcome == Fail && !c.DryRun {
			code = int(Fail)
		}
	}
	return code
}

// report writes the result to everyone who wants it, also where one fails.
func report(r Result, stdout io.Writer) error {
	return errors.Join(
		WriteTable(stdout, r),
		toFile(r.Config.JUnit, os.O_TRUNC, r, WriteJUnit),
		toFile(r.Config.Summary, os.O_TRUNC, r, WriteMarkdown),
		toFile(r.Config.StepSummary, os.O_APPEND, r, WriteMarkdown),
	)
}

func toFile(path string, mode int, r Result, write func(io.Writer, Result) error) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(file, r), file.Close())
}

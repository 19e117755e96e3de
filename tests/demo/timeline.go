package main

import (
	"fmt"
	"io"
	"time"
)

// timeline prints what happens, with the seconds since the servers were up.
type timeline struct {
	out   io.Writer
	begun time.Time
}

func (t *timeline) say(format string, arguments ...any) {
	fmt.Fprintf(t.out, "%6.1fs  %s\n", time.Since(t.begun).Seconds(), fmt.Sprintf(format, arguments...))
}

func (t *timeline) detail(format string, arguments ...any) {
	fmt.Fprintf(t.out, "         %s\n", fmt.Sprintf(format, arguments...))
}

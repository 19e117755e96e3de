package forecast

import (
	"errors"
	"fmt"
)

// ErrShortHistory says that there is too little history to learn from.
var ErrShortHistory = errors.New("not enough data")

// ErrNoModel says that the models tried cannot describe the history.
var ErrNoModel = errors.New("no model fits")

// ErrBadRequest says that the request itself cannot be answered.
var ErrBadRequest = errors.New("bad forecast request")

func shortHistory(have, need int, what string) error {
	return fmt.Errorf("%w: %d points of history, %d needed for %s", ErrShortHistory, have, need, what)
}

// describe tells members of a blend apart: name and season.
func describe(m Model) string {
	if period := seasonOf(m); period > 1 {
		return fmt.Sprintf("%s(%d)", m.Name(), period)
	}
	return m.Name()
}

package model

import (
	"errors"
	"fmt"
)

// ErrShortHistory says that there is too little history to learn from.
var ErrShortHistory = errors.New("not enough data")

// ErrNoModel says that the models tried cannot describe the history.
var ErrNoModel = errors.New("no model fits")

// ShortHistory is the ErrShortHistory of something that needs so many points.
func ShortHistory(have, need int, what string) error {
	return fmt.Errorf("%w: %d points of history, %d needed for %s", ErrShortHistory, have, need, what)
}

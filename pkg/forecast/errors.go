package forecast

import (
	"errors"
	"fmt"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
)

// ErrShortHistory says that there is too little history to learn from.
var ErrShortHistory = model.ErrShortHistory

// ErrNoModel says that the models tried cannot describe the history.
var ErrNoModel = model.ErrNoModel

// ErrBadRequest says that the request itself cannot be answered.
var ErrBadRequest = errors.New("bad forecast request")

// describe tells members of a blend apart: name and season.
func describe(m Model) string {
	if period := model.Season(m); period > 1 {
		return fmt.Sprintf("%s(%d)", m.Name(), period)
	}
	return m.Name()
}

package frames

import (
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// rowsOf are the rows of a table, which has a column for each function of a row.
type rowsOf[Row any] []Row

func (r rowsOf[Row]) text(name, title string, value func(Row) string) *data.Field {
	return column(r, name, title, "", value)
}

// amount is null where it is no finite number.
func (r rowsOf[Row]) amount(name, title, unit string, value func(Row) float64) *data.Field {
	return column(r, name, title, unit, func(row Row) *float64 { return nullable(value(row)) })
}

// moment is null for the zero time.
func (r rowsOf[Row]) moment(name, title string, value func(Row) time.Time) *data.Field {
	return column(r, name, title, "", func(row Row) *time.Time { return nullableTime(value(row)) })
}

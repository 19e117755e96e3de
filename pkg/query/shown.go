package query

// The views of an answer per series or service; empty is the graph.
const (
	// Graph is a line for each.
	Graph View = "graph"
	// Table is a row for each: the answer of now, in words.
	Table View = "table"
)

// Value is the number that a rule gets of an answer.
type Value string

// The values; empty is the number.
const (
	// Number is the answer itself: a score, or a probability.
	Number Value = "number"
	// Firing is 1 while the query's own threshold is crossed, with its hysteresis,
	// and 0 otherwise, so that "is above 0" is the right condition.
	Firing Value = "firing"
)

func checkView(view View) error {
	return checkChoice("view", string(view), string(Graph), string(Table))
}

func checkValue(value Value) error {
	return checkChoice("value", string(value), string(Number), string(Firing))
}

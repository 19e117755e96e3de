// Package runner holds the registry of benchmarks, and what several of them
// measure with.
package runner

// Options are what every benchmark is told.
type Options struct {
	Data string   // folder of other people's data
	Rest []string // arguments after the common flags
}

// benchmark measures one thing and returns its figures: a struct or map that
// marshals to one JSON object.
type benchmark struct {
	About string
	Run   func(Options) (any, error)
}

// Benchmarks by name.
var Benchmarks = map[string]benchmark{}

// Register makes a benchmark known by name; each file of this folder registers
// its own.
func Register(name, about string, run func(Options) (any, error)) {
	Benchmarks[name] = benchmark{about, run}
}

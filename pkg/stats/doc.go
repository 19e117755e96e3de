// Package stats holds the evidence behind every verdict: rank and exact tests,
// intervals, control of false discoveries, quantiles. Every function is pure:
// same input, same output, and no input makes it panic.
package stats

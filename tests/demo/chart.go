package main

import (
	"fmt"
	"math"
	"strings"
)

// curve is what the chart draws: one value per column, NaN for nothing.
type curve struct {
	actual, expected, lower, upper []float64
}

// chart draws a curve with its band in characters: ░ the band, ─ the
// expectation, ● what was measured. The scale is the unit of the values.
func chart(c curve, width, height int, unit string) string {
	low, high := extent(c)
	if !(high > low) {
		return "  (nothing to draw)\n"
	}
	canvas := make([][]rune, height)
	for i := range canvas {
		canvas[i] = []rune(strings.Repeat(" ", width))
	}
	row := func(value float64) int {
		return int(math.Round((high - value) / (high - low) * float64(height-1)))
	}
	n := len(c.expected)
	for column := range width {
		i := column * n / width
		if top, bottom := at(c.upper, i), at(c.lower, i); !math.IsNaN(top) && !math.IsNaN(bottom) {
			for y := row(top); y <= row(bottom); y++ {
				canvas[y][column] = '░'
			}
		}
		plot(canvas, column, at(c.expected, i), row, '─')
		plot(canvas, column, at(c.actual, i), row, '●')
	}
	var out strings.Builder
	for i, line := range canvas {
		label := high - (high-low)*float64(i)/float64(height-1)
		fmt.Fprintf(&out, "  %8.1f %s │%s\n", label, unit, string(line))
	}
	return out.String()
}

func plot(canvas [][]rune, column int, value float64, row func(float64) int, mark rune) {
	if !math.IsNaN(value) {
		canvas[row(value)][column] = mark
	}
}

func at(values []float64, i int) float64 {
	if i < len(values) {
		return values[i]
	}
	return math.NaN()
}

func extent(c curve) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, values := range [][]float64{c.actual, c.expected, c.lower, c.upper} {
		for _, v := range values {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high
}

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
	c = curve{squeeze(c.actual, width), squeeze(c.expected, width), squeeze(c.lower, width), squeeze(c.upper, width)}
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
	for column := range width {
		if top, bottom := c.upper[column], c.lower[column]; !math.IsNaN(top) && !math.IsNaN(bottom) {
			for y := row(top); y <= row(bottom); y++ {
				canvas[y][column] = '░'
			}
		}
		plot(canvas, column, c.expected[column], row, '─')
		plot(canvas, column, c.actual[column], row, '●')
	}
	var out strings.Builder
	for i, line := range canvas {
		label := high - (high-low)*float64(i)/float64(height-1)
		fmt.Fprintf(&out, "  %8.1f %s │%s\n", label, unit, string(line))
	}
	return out.String()
}

// squeeze makes one value of each column's points: their mean.
func squeeze(values []float64, width int) []float64 {
	columns := make([]float64, width)
	for column := range columns {
		sum, n := 0.0, 0
		for _, v := range values[column*len(values)/width : (column+1)*len(values)/width] {
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		columns[column] = sum / float64(n) // 0/0 is NaN: nothing to draw
	}
	return columns
}

func plot(canvas [][]rune, column int, value float64, row func(float64) int, mark rune) {
	if !math.IsNaN(value) {
		canvas[row(value)][column] = mark
	}
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

package enrich

import (
	"bytes"
	"image/color"
	"image/png"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/foresight-observability/foresight/pkg/api/cause"
	"github.com/foresight-observability/foresight/pkg/internal/shorten"
)

// The size of a chart: small enough for a card of Microsoft Teams, which holds it.
const chartWidth, chartHeight, chartDPI = 5 * vg.Inch, 2 * vg.Inch, 72

// chartOf draws a course with its band as a PNG; nil where there are not two values
// to draw a line between.
func chartOf(c *cause.Course) ([]byte, error) {
	if c == nil {
		return nil, nil
	}
	p := plot.New()
	p.Title.Text = shorten.Bytes(oneLine(c.Name), 80)
	p.X.Tick.Marker = plot.TimeTicks{Format: "15:04"}
	at := func(i int) float64 { return float64(c.Start.Unix()) + float64(i)*c.Step.Seconds() }
	for _, run := range runs(len(c.Actual), func(i int) bool {
		return i < len(c.Lower) && i < len(c.Upper) && finite(c.Lower[i]) && finite(c.Upper[i])
	}) {
		var outline plotter.XYs
		for i := run[0]; i < run[1]; i++ {
			outline = append(outline, plotter.XY{X: at(i), Y: c.Upper[i]})
		}
		for i := run[1] - 1; i >= run[0]; i-- {
			outline = append(outline, plotter.XY{X: at(i), Y: c.Lower[i]})
		}
		band, err := plotter.NewPolygon(outline)
		if err != nil {
			return nil, err
		}
		band.Color, band.Width = color.Gray{220}, 0
		p.Add(band)
	}
	drawn := false
	for _, run := range runs(len(c.Actual), func(i int) bool { return finite(c.Actual[i]) }) {
		var points plotter.XYs
		for i := run[0]; i < run[1]; i++ {
			points = append(points, plotter.XY{X: at(i), Y: c.Actual[i]})
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = color.RGBA{200, 40, 60, 255}, vg.Points(1.5)
		p.Add(line)
		drawn = drawn || len(points) > 1
	}
	if !drawn {
		return nil, nil
	}
	canvas := vgimg.NewWith(vgimg.UseWH(chartWidth, chartHeight), vgimg.UseDPI(chartDPI))
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, canvas.Image()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// runs are the stretches, as first and the one after the last, for which something
// holds.
func runs(n int, holds func(int) bool) (found [][2]int) {
	for i := 0; i < n; i++ {
		if !holds(i) {
			continue
		}
		first := i
		for i < n && holds(i) {
			i++
		}
		found = append(found, [2]int{first, i})
	}
	return found
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

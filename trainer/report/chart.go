package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is one or more series over the same axes.
type Chart struct {
	Title, X, Y string
	Series      []Series
	// Ticks, if not nil, name places of the horizontal axis.
	Ticks plot.ConstantTicks
	// Low and High fix the vertical axis; both 0 lets the data choose.
	Low, High float64
	// Unit is a chart of 0 to 1 both ways, and square.
	Unit bool
}

// Series is a line of a chart: Y[i] at X[i].
type Series struct {
	Name string
	X, Y []float64
	// Faint draws the line thin and pale, behind its smoothed self.
	Faint bool
	// Guide draws the line dashed and grey: what to compare with.
	Guide bool
	// Points marks each point. Spread, if not nil, are the ends of a bar through it.
	Points bool
	Spread [][2]float64
	// Loose leaves the line out: the places have no order.
	Loose bool
}

// colours that are told apart by colour-blind people (Okabe and Ito 2008).
var colours = []color.RGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255}}

// drawable bounds what is drawn: beyond it the axis cannot be divided into ticks, and a
// run that diverged is to be seen up to the point where it did.
const drawable = 1e12

// Sizes of charts.
const (
	width  = 14 * vg.Centimeter
	height = 8 * vg.Centimeter
	side   = 9 * vg.Centimeter
	beside = 3 * vg.Centimeter // for the legend
)

// fifths are the ticks of 0 to 1.
var fifths = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.2, Label: "0.2"}, {Value: 0.4, Label: "0.4"}, {Value: 0.6, Label: "0.6"}, {Value: 0.8, Label: "0.8"}, {Value: 1, Label: "1"}}

// File is the chart's name in a report's folder, made of its title.
func (c Chart) File() string { return FileName(c.Title) + ".svg" }

// FileName is a text as it can stand in a file's name: other than letters a to z, digits
// and _ become -.
func FileName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
}

// Alt is the chart in words.
func (c Chart) Alt() string { return fmt.Sprintf("%s: %s over %s", c.Title, c.Y, c.X) }

// SVG draws the chart.
func (c Chart) SVG() ([]byte, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Title.Padding = vg.Points(6)
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.Padding, legend.ThumbnailWidth = true, true, vg.Points(3), vg.Points(16)
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	if c.Ticks != nil {
		p.X.Tick.Marker = c.Ticks
	}
	p.Add(plotter.NewGrid())
	n := 0
	for _, s := range c.Series {
		drawn, err := s.add(p, &legend, colours[n%len(colours)])
		if err != nil {
			return nil, fmt.Errorf("series %q: %w", s.Name, err)
		}
		if drawn && !s.Faint && !s.Guide {
			n++
		}
	}
	w, h := width, height
	if c.Low != 0 || c.High != 0 {
		p.Y.Min, p.Y.Max = c.Low, c.High
	}
	if c.Unit {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		p.X.Tick.Marker, p.Y.Tick.Marker = fifths, fifths
		w, h = side, side
	}
	// The legend stands beside the plot, where it hides nothing.
	canvas := vgsvg.New(w+beside, h)
	all := draw.New(canvas)
	p.Draw(draw.Crop(all, 0, -beside, 0, 0))
	legend.Draw(draw.Crop(all, w, -vg.Points(4), 0, -vg.Points(28)))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// add draws the series and reports whether it has anything to draw.
func (s Series) add(p *plot.Plot, legend *plot.Legend, col color.RGBA) (drawn bool, err error) {
	if len(s.X) != len(s.Y) || s.Spread != nil && len(s.Spread) != len(s.Y) {
		return false, fmt.Errorf("%d places for %d values", len(s.X), len(s.Y))
	}
	var points bars
	for i := range s.X {
		if math.Abs(s.Y[i]) < drawable { // what is not a number is a gap
			points.XYs = append(points.XYs, plotter.XY{X: s.X[i], Y: s.Y[i]})
			if s.Spread != nil {
				points.YErrors = append(points.YErrors, struct{ Low, High float64 }{s.Y[i] - s.Spread[i][0], s.Spread[i][1] - s.Y[i]})
			}
		}
	}
	if len(points.XYs) == 0 {
		return false, nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return false, err
	}
	line.Color, line.Width = col, vg.Points(1.6)
	switch {
	case s.Faint:
		line.Color, line.Width = color.RGBA{col.R/4 + 180, col.G/4 + 180, col.B/4 + 180, 255}, vg.Points(0.6)
	case s.Guide:
		line.Color, line.Width, line.Dashes = color.Gray{120}, vg.Points(0.8), []vg.Length{vg.Points(4), vg.Points(3)}
	}
	if !s.Loose {
		p.Add(line)
	}
	if s.Name != "" && !s.Faint {
		legend.Add(s.Name, line)
	}
	if s.Points {
		return true, points.mark(p, col)
	}
	return true, nil
}

// bars are points with a bar through each.
type bars struct {
	plotter.XYs
	plotter.YErrors
}

func (b bars) mark(p *plot.Plot, col color.RGBA) error {
	dots, err := plotter.NewScatter(b.XYs)
	if err != nil {
		return err
	}
	dots.Color, dots.Shape, dots.Radius = col, draw.CircleGlyph{}, vg.Points(2.5)
	p.Add(dots)
	if b.YErrors == nil {
		return nil
	}
	spread, err := plotter.NewYErrorBars(b)
	if err != nil {
		return err
	}
	spread.Color, spread.Width = col, vg.Points(0.8)
	p.Add(spread)
	return nil
}

// Smooth is a running mean with the weight of about n values, for noisy curves.
func Smooth(y []float64, n int) []float64 {
	out := make([]float64, len(y))
	k := 2 / (float64(n) + 1)
	for i, v := range y {
		if i == 0 {
			out[i] = v
			continue
		}
		out[i] = out[i-1] + (v-out[i-1])*max(k, 1/float64(i+1))
	}
	return out
}

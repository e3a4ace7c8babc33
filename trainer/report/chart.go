package report

import (
	"bytes"
	"fmt"
	"image/color"
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
	// Loose draws no lines from point to point: the places have no order.
	Loose bool
	// Low and High fix the vertical axis; both 0 lets the data choose.
	Low, High float64
	// Unit is a chart of 0 to 1 both ways, and square.
	Unit bool
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
		drawn, err := c.add(p, &legend, s, colours[n%len(colours)])
		if err != nil {
			return nil, fmt.Errorf("series %q: %w", s.Name, err)
		}
		if drawn && !s.Faint && !s.Guide {
			n++
		}
	}
	w, h := width, height
	c.cut(p)
	if c.Low != 0 || c.High != 0 {
		p.Y.Min, p.Y.Max = c.Low, c.High
	}
	if c.Unit {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		p.X.Tick.Marker, p.Y.Tick.Marker = fifths, fifths
		w, h = side, side
	}
	// The legend stands beside the plot, where it hides nothing.
	beside := legend.ThumbnailWidth + vg.Points(14)
	for _, s := range c.Series {
		beside = max(beside, legend.ThumbnailWidth+vg.Points(14)+legend.TextStyle.Width(s.Name))
	}
	canvas := vgsvg.New(w+beside, h)
	all := draw.New(canvas)
	p.Draw(draw.Crop(all, 0, -beside, 0, 0))
	legend.Draw(draw.Crop(all, w+vg.Points(4), 0, 0, -vg.Points(28)))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// cut keeps the spikes of faint series from pressing the others flat: the axis ends at
// twice the highest value of those.
func (c Chart) cut(p *plot.Plot) {
	faint, top := false, 0.0
	for _, s := range c.Series {
		faint = faint || s.Faint
		for _, y := range s.Y {
			if !s.Faint && y < drawable {
				top = max(top, y)
			}
		}
	}
	if faint && top > 0 {
		p.Y.Min, p.Y.Max = min(0, p.Y.Min), min(p.Y.Max, 2*top)
	}
}

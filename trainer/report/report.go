// Package report draws what happened as one HTML page: curves, tables and facts, with
// everything inside the file, so that it can be mailed.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

//go:embed page.html
var page string

// Page is a report.
type Page struct {
	Title  string
	Facts  []Fact
	Curves []Curve
	Tables []Table
}

// Fact is a line of the page's head.
type Fact struct{ Name, Value string }

// Table has a head and rows of the same length.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// Curve is one chart of one or more series over the same axis.
type Curve struct {
	Title, X, Y string
	Series      []Series
	// Low and High fix the vertical axis; both 0 lets the data choose.
	Low, High float64
}

// Series is a line of a chart: Y[i] at X[i].
type Series struct {
	Name string
	X, Y []float64
	// Faint draws the line thin and pale, behind its smoothed self.
	Faint bool
}

// colours that are told apart by colour-blind people (Okabe and Ito 2008).
var colours = []color.RGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255}}

// Write draws the page.
func (p Page) Write(w io.Writer) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	view := struct {
		Page
		Charts []template.HTML
	}{Page: p}
	for _, c := range p.Curves {
		svg, err := c.SVG()
		if err != nil {
			return fmt.Errorf("report: %s: %w", c.Title, err)
		}
		view.Charts = append(view.Charts, template.HTML(svg))
	}
	if err := t.Execute(w, view); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// drawable bounds what is drawn: beyond it the axis cannot be divided into ticks, and a
// run that diverged is to be seen up to the point where it did.
const drawable = 1e12

// Size of a chart.
const (
	width  = 16 * vg.Centimeter
	height = 8 * vg.Centimeter
)

// SVG draws one chart.
func (c Curve) SVG() ([]byte, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	n := 0
	for _, s := range c.Series {
		if len(s.X) != len(s.Y) {
			return nil, fmt.Errorf("series %q: %d places for %d values", s.Name, len(s.X), len(s.Y))
		}
		var points plotter.XYs
		for i := range s.X {
			if math.Abs(s.Y[i]) < drawable { // what is not a number is a gap
				points = append(points, plotter.XY{X: s.X[i], Y: s.Y[i]})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("series %q: %w", s.Name, err)
		}
		line.Color, line.Width = colours[n%len(colours)], vg.Points(1.6)
		if s.Faint {
			pale := colours[n%len(colours)]
			line.Color, line.Width = color.RGBA{pale.R/4 + 180, pale.G/4 + 180, pale.B/4 + 180, 255}, vg.Points(0.6)
		} else {
			p.Legend.Add(s.Name, line)
			n++
		}
		p.Add(line)
	}
	if c.Low != 0 || c.High != 0 {
		p.Y.Min, p.Y.Max = c.Low, c.High
	}
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	// The XML declaration has no place inside a page.
	svg := b.Bytes()
	if i := bytes.Index(svg, []byte("<svg")); i > 0 {
		svg = svg[i:]
	}
	return svg, nil
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

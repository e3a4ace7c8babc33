package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

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
	p.Add(line)
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

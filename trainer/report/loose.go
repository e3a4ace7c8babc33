package report

import (
	"image/color"

	"gonum.org/v1/plot"
)

// add draws a series; where the chart is loose, each point as one of its own.
func (c Chart) add(p *plot.Plot, legend *plot.Legend, s Series, col color.RGBA) (drawn bool, err error) {
	if !c.Loose || len(s.X) != len(s.Y) || s.Spread != nil && len(s.Spread) != len(s.Y) {
		return s.add(p, legend, col)
	}
	for i := range s.X {
		one := s
		one.X, one.Y = s.X[i:i+1], s.Y[i:i+1]
		if s.Spread != nil {
			one.Spread = s.Spread[i : i+1]
		}
		if drawn { // it is in the legend
			one.Name = ""
		}
		did, err := one.add(p, legend, col)
		if err != nil {
			return drawn, err
		}
		drawn = drawn || did
	}
	return drawn, nil
}

package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"perceive/trainer/report"
)

func TestPage(t *testing.T) {
	p := report.Page{Title: "Run <1>", Facts: []report.Fact{{Name: "steps", Value: "10"}},
		Curves: []report.Curve{{Title: "loss", X: "step", Y: "nats", Series: []report.Series{
			{Name: "all", X: []float64{1, 2, 3}, Y: []float64{3, math.NaN(), 1}},
			{Name: "none", X: []float64{1}, Y: []float64{math.NaN()}},
		}}},
		Tables: []report.Table{{Title: "labels", Head: []string{"label", "AUC"}, Rows: [][]string{{"car", "0.9"}}}}}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Run &lt;1&gt;", "<dt>steps</dt><dd>10</dd>", "<svg", "<td>car</td>"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// The chart is well-formed and draws a line for the series that has values.
func TestSVG(t *testing.T) {
	c := report.Curve{Title: "loss", Series: []report.Series{{Name: "all", X: []float64{1, 2}, Y: []float64{3, 1}}}}
	svg, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(svg, []byte("#0072B2")) {
		t.Error("no line in the first colour")
	}
	c.Series[0].X = nil
	if _, err := c.SVG(); err == nil || !strings.Contains(err.Error(), `"all"`) {
		t.Errorf("unequal lengths: %v", err)
	}
}

func TestSmooth(t *testing.T) {
	// k = 2/(3+1) = ½, but the first means are plain ones: 4, (4+0)/2, then halves.
	if got, want := report.Smooth([]float64{4, 0, 2, 6}, 3), []float64{4, 2, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

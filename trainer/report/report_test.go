package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"perceive/trainer/report"
)

func TestPage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	p := report.Page{Title: "Run <1>", Facts: []report.Fact{{Name: "steps", Value: "10"}}, Sections: []report.Section{
		{Title: "Training", Charts: []report.Chart{{Title: "Loss & rate", X: "step", Y: "nats", Series: []report.Series{
			{Name: "all", X: []float64{1, 2, 3}, Y: []float64{3, math.NaN(), 1}},
			{Name: "none", X: []float64{1}, Y: []float64{math.NaN()}},
		}}}},
		{Title: "Labels", Tables: []report.Table{{Head: []string{"label", "AUC"}, Rows: [][]string{{"car", "0.9"}}}},
			Pictures: []report.Picture{{File: "car.jpg", Alt: "mistakes of car", Data: []byte("jpeg")}}},
	}}
	for range 2 { // over an old one, too
		if err := p.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, report.Index))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Run &lt;1&gt;", "<dt>steps</dt><dd>10</dd>", `<img src="loss---rate.svg"`, "<td>car</td>", `src="car.jpg"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// Every file that the page names is there.
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(dir, string(m[1]))); err != nil {
			t.Errorf("the page names %s: %v", m[1], err)
		}
	}
}

// The chart is well-formed and draws a line for the series that has values.
func TestSVG(t *testing.T) {
	c := report.Chart{Title: "loss", Series: []report.Series{{Name: "all", X: []float64{1, 2}, Y: []float64{3, 1}, Points: true, Spread: [][2]float64{{2, 4}, {0, 1}}}}}
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

// Every tile is where it belongs: its colour comes back out of the JPEG.
func TestSheet(t *testing.T) {
	const w, h = 64, 48
	tile := func(b, g, r byte) report.Tile {
		return report.Tile{BGR: bytes.Repeat([]byte{b, g, r}, w*h), Caption: [2]string{"p 0.9", strings.Repeat("a long name ", 20)}}
	}
	s := report.Sheet{Width: w, Height: h, Groups: []report.Group{
		{Title: "on", Tiles: []report.Tile{tile(255, 0, 0), tile(0, 255, 0), tile(0, 0, 255), tile(90, 90, 90), tile(0, 0, 0)}},
		{Title: "off", Empty: "none"},
	}}
	s.Groups[0].Tiles[4].Mark = image.Rect(-5, -5, 20, 20)
	s.Groups[0].Tiles[2].Truth = []image.Rectangle{image.Rect(30, 20, 34, 28), image.Rect(-9, -9, -1, -1)}
	data, err := s.JPEG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		x, y    int
		r, g, b uint32
	}{{8 + 32, 42 + 24, 0, 0, 255}, {80 + 32, 42 + 24, 0, 255, 0}, {152 + 8, 42 + 24, 255, 0, 0}, {8 + 40, 134 + 40, 0, 0, 0}, {3, 3, 255, 255, 255}} {
		r, g, b, _ := img.At(tc.x, tc.y).RGBA()
		for i, d := range []int{int(r>>8) - int(tc.r), int(g>>8) - int(tc.g), int(b>>8) - int(tc.b)} {
			if d < -12 || d > 12 { // JPEG's own error
				t.Errorf("at %d, %d: channel %d is off by %d", tc.x, tc.y, i, d)
			}
		}
	}
	s.Groups[0].Tiles[2].Truth = nil
	if bare, err := s.JPEG(); err != nil || bytes.Equal(bare, data) {
		t.Errorf("where the thing is is not drawn: %v", err)
	}
	s.Groups[0].Tiles[0].BGR = nil
	if _, err := s.JPEG(); err == nil {
		t.Error("a tile without pixels")
	}
}

func TestSmooth(t *testing.T) {
	// k = 2/(3+1) = ½, but the first means are plain ones: 4, (4+0)/2, then halves.
	if got, want := report.Smooth([]float64{4, 0, 2, 6}, 3), []float64{4, 2, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A loose chart has no lines from point to point, and one entry of each series in its
// legend.
func TestLoose(t *testing.T) {
	c := report.Chart{Title: "labels", Loose: true, Ticks: plot.ConstantTicks{{Value: 0, Label: "car"}, {Value: 1, Label: "person"}},
		Series: []report.Series{{Name: "alone", X: []float64{0, 1}, Y: []float64{0.3, 0.9}, Points: true, Spread: [][2]float64{{0.2, 0.4}, {0.8, 1}}}}}
	loose, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	c.Loose = false
	tied, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(loose, tied) {
		t.Error("the points are tied")
	}
	for text, want := range map[string]int{">alone<": 1, ">car<": 1, ">person<": 1} {
		if n := bytes.Count(loose, []byte(text)); n != want {
			t.Errorf("%s is there %d times, want %d", text, n, want)
		}
	}
	c.Loose, c.Series[0].Spread = true, c.Series[0].Spread[:1]
	if _, err := c.SVG(); err == nil {
		t.Error("two points with one bar")
	}
}

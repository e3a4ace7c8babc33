package dataset

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"

	"perceive/camera/opencv"
)

// Sheet is a contact sheet: what the network sees of some pictures, and what it is told
// about them.
type Sheet struct {
	Width, Height int
	BGR           []byte
}

// Write puts the sheet into a file, PNG or JPEG as its name says.
func (s Sheet) Write(path string) error { return opencv.EncodeFile(path, s.Width, s.Height, s.BGR) }

// Layout of a sheet, in pixels.
const (
	sheetColumns, sheetRows = 3, 4
	tileWide                = 600 // a tile is at least nearly so wide
	letter                  = 11  // height of capitals
	lineHigh                = 20
	captionLines            = 2
	gap                     = 8
)

// palette has a colour for each label, the same one again after eight.
var palette = []color.RGBA{{255, 90, 90, 255}, {90, 200, 255, 255}, {255, 220, 60, 255}, {120, 240, 120, 255},
	{255, 130, 240, 255}, {255, 165, 70, 255}, {150, 150, 255, 255}, {230, 230, 230, 255}}

func labelColour(l int) color.RGBA { return palette[l%len(palette)] }

// Preview draws the batch of a step as a Loader would make it, on as many sheets as it
// takes. On every picture: the boxes that count as seen (outlined), the boxes that do not
// (dashed corners), a dot in each cell that is taught as positive, and beside it what
// is taught of the whole picture: + there, - not there, ? not taught.
func Preview(ctx context.Context, cache *Cache, cfg LoaderConfig, step int) ([]Sheet, error) {
	l, err := newLoader(cache, cfg)
	if err != nil {
		return nil, err
	}
	wk := &worker{}
	wk.rng = rand.New(&wk.pcg)
	defer wk.render.Close()
	b := newBatch(l.cfg, len(cache.Set.Labels))
	b.Step = step
	const each = sheetColumns * sheetRows
	var sheets []Sheet
	for from := 0; from < cfg.Batch; from += each {
		s := newSheet(cfg, min(each, cfg.Batch-from))
		for i := from; i < min(from+each, cfg.Batch); i++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := l.fill(wk, b, i); err != nil {
				return nil, err
			}
			if err := s.tile(i-from, cfg, cache.Set, b, i, &wk.layout); err != nil {
				return nil, fmt.Errorf("dataset: preview: %w", err)
			}
		}
		sheets = append(sheets, s)
	}
	return sheets, nil
}

// enlarge is how many times a picture is enlarged, so that a tile is legible.
func enlarge(cfg LoaderConfig) int { return max(1, (tileWide+cfg.Width/2)/cfg.Width) }

func tileSize(cfg LoaderConfig) (w, h int) {
	return cfg.Width*enlarge(cfg) + gap, cfg.Height*enlarge(cfg) + captionLines*lineHigh + gap
}

func newSheet(cfg LoaderConfig, pictures int) Sheet {
	w, h := tileSize(cfg)
	s := Sheet{Width: gap + w*min(sheetColumns, pictures), Height: gap + h*((pictures+sheetColumns-1)/sheetColumns)}
	s.BGR = make([]byte, 3*s.Width*s.Height)
	for i := range s.BGR {
		s.BGR[i] = 28
	}
	return s
}

// tile draws picture i of a batch at place n.
func (s Sheet) tile(n int, cfg LoaderConfig, set *Set, b *Batch, i int, lay *layout) error {
	w, h := tileSize(cfg)
	x0, y0, k := gap+n%sheetColumns*w, gap+n/sheetColumns*h, enlarge(cfg)
	pix := b.Frames[3*cfg.Width*cfg.Height*i:]
	for y := range cfg.Height * k {
		to := s.BGR[3*((y0+y)*s.Width+x0):]
		from := pix[3*cfg.Width*(y/k):]
		for x := range cfg.Width * k {
			copy(to[3*x:3*x+3], from[3*(x/k):])
		}
	}
	c, err := opencv.NewCanvas(s.Width, s.Height, s.BGR)
	if err != nil {
		return err
	}
	defer c.Close()
	for vi := range lay.views {
		v := &lay.views[vi]
		for _, box := range v.it.Boxes {
			if shown, seen := lay.shows(v, box); !shown.empty() {
				outline(c, shown.pixels(x0, y0, k), labelColour(box.Label), seen)
			}
		}
	}
	teach := b.teach(i, len(set.Labels))
	gw, cells := cfg.Width/Stride, len(teach.Map)/len(set.Labels)
	for j, v := range teach.Map {
		if v == 1 && teach.MapWeight[j] > 0 {
			l, cell := j/cells, j%cells
			x, y := x0+k*Stride*(cell%gw)+k*Stride/2+2*(l%4)-3, y0+k*Stride*(cell/gw)+k*Stride/2
			c.FilledRect(image.Rect(x-2, y-2, x+3, y+3), color.RGBA{A: 255})
			c.FilledRect(image.Rect(x-1, y-1, x+2, y+2), labelColour(l))
		}
	}
	var names []string
	for _, v := range lay.views {
		names = append(names, v.it.Source+": "+v.it.Name)
	}
	y := y0 + cfg.Height*k + lineHigh - 4
	caption(c, x0, y, cfg.Width*k, set.Labels, teach)
	c.Text(x0, y+lineHigh, letter-1, shorten(strings.Join(names, " | "), cfg.Width*k), color.RGBA{170, 170, 170, 255})
	return nil
}

// pixels are where a rectangle of the input lies on a sheet.
func (r rect) pixels(x0, y0, k int) image.Rectangle {
	f := float64(k)
	return image.Rect(x0+int(r.x0*f), y0+int(r.y0*f), x0+int(r.x1*f+0.5), y0+int(r.y1*f+0.5))
}

// outline draws a box; of one that does not count only the corners.
func outline(c *opencv.Canvas, r image.Rectangle, col color.RGBA, seen bool) {
	if seen {
		c.Rect(r, col, 2)
		return
	}
	dx, dy := max(2, r.Dx()/5), max(2, r.Dy()/5)
	for _, x := range [2][2]int{{r.Min.X, r.Min.X + dx}, {r.Max.X - dx, r.Max.X}} {
		c.FilledRect(image.Rect(x[0], r.Min.Y, x[1], r.Min.Y+2), col)
		c.FilledRect(image.Rect(x[0], r.Max.Y-2, x[1], r.Max.Y), col)
	}
	for _, y := range [2][2]int{{r.Min.Y, r.Min.Y + dy}, {r.Max.Y - dy, r.Max.Y}} {
		c.FilledRect(image.Rect(r.Min.X, y[0], r.Min.X+2, y[1]), col)
		c.FilledRect(image.Rect(r.Max.X-2, y[0], r.Max.X, y[1]), col)
	}
}

// caption writes what is taught of the whole picture: every label where there is room,
// else what is there, and how much more is known.
func caption(c *opencv.Canvas, x, y, room int, labels []string, t Teach) {
	sign := func(l int) string {
		switch {
		case t.PresenceMask[l] == 0:
			return "?"
		case t.Presence[l] == 1:
			return "+"
		}
		return "-"
	}
	var count [3]int
	for l := range labels {
		count[int(t.PresenceMask[l]+t.Presence[l]*t.PresenceMask[l])]++
	}
	rest := fmt.Sprintf("%d+ %d- %d?", count[2], count[1], count[0])
	all := len(labels) <= 6
	for l, name := range labels {
		if !all && sign(l) != "+" {
			continue
		}
		text := sign(l) + name
		wide := opencv.TextWidth(letter, text) + 14
		if !all && wide > room-opencv.TextWidth(letter, rest)-14 || wide > room+14 {
			break
		}
		col := labelColour(l)
		if sign(l) != "+" {
			col = color.RGBA{col.R/3*2 + 10, col.G/3*2 + 10, col.B/3*2 + 10, 255}
		}
		c.Text(x, y, letter, text, col)
		x, room = x+wide, room-wide
	}
	if !all {
		c.Text(x, y, letter, rest, color.RGBA{230, 230, 230, 255})
	}
}

// shorten cuts a text to a width.
func shorten(text string, room int) string {
	for len(text) > 4 && opencv.TextWidth(letter-1, text) > room {
		text = text[:len(text)-4] + "..."
	}
	return text
}

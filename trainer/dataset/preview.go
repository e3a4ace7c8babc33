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
	gw, cells := cfg.Width/Stride, (cfg.Width/Stride)*(cfg.Height/Stride)
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

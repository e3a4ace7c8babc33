package dataset

import (
	"fmt"
	"image"
	"image/color"

	"perceive/camera/opencv"
)

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
		case t.PresenceMask[l] <= 0:
			return "?"
		case t.PresenceMask[l] < 1: // a detector's word
			return fmt.Sprintf("~%.1f", t.Presence[l])
		case t.Presence[l] == 1:
			return "+"
		}
		return "-"
	}
	count := map[string]int{}
	for l := range labels {
		count[sign(l)[:1]]++
	}
	rest := fmt.Sprintf("%d+ %d- %d?", count["+"], count["-"], count["?"]+count["~"])
	all := len(labels) <= 6
	for l, name := range labels {
		if !all && sign(l) != "+" {
			continue
		}
		text := sign(l) + " " + name
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

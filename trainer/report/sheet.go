package report

import (
	"fmt"
	"image"
	"image/color"

	"perceive/camera/opencv"
)

// Sheet is a contact sheet: groups of pictures of one size, with two lines below each.
type Sheet struct {
	Width, Height int // of a picture, pixels
	Groups        []Group
}

// Group is a heading with its pictures. Empty says what to write when there are none.
type Group struct {
	Title, Empty string
	Tiles        []Tile
}

// Tile is a picture, BGR, and its caption. Mark, if not empty, is outlined, and so is Truth,
// thinner and in another colour.
type Tile struct {
	BGR     []byte
	Caption [2]string
	Mark    image.Rectangle
	Truth   []image.Rectangle
}

// Measures of a sheet in pixels.
const (
	columns = 4
	gap     = 8
	heading = 34
	caption = 36
	letter  = 9  // height of capitals
	quality = 78 // of the JPEG, 0 to 100: what is small can still be seen
)

var (
	paper = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{34, 34, 34, 255}
	mark  = color.RGBA{255, 210, 0, 255}
	truth = color.RGBA{0, 230, 118, 255}
	dark  = color.RGBA{0, 0, 0, 255}
)

// size is the sheet's.
func (s Sheet) size() (w, h int) {
	h = gap
	for _, g := range s.Groups {
		rows := (len(g.Tiles) + columns - 1) / columns
		h += heading + rows*(s.Height+caption+gap)
	}
	return gap + columns*(s.Width+gap), h
}

// JPEG draws the sheet.
func (s Sheet) JPEG() ([]byte, error) {
	w, h := s.size()
	pix := make([]byte, 3*w*h)
	c, err := opencv.NewCanvas(w, h, pix)
	if err != nil {
		return nil, fmt.Errorf("report: sheet: %w", err)
	}
	defer c.Close()
	c.FilledRect(image.Rect(0, 0, w, h), paper)
	y := gap
	for _, g := range s.Groups {
		title := g.Title
		if len(g.Tiles) == 0 {
			title += ": " + g.Empty
		}
		c.Text(gap, y+heading-12, letter+3, title, ink)
		y += heading
		for i, t := range g.Tiles {
			if len(t.BGR) != 3*s.Width*s.Height {
				return nil, fmt.Errorf("report: sheet: %q: %d bytes for %d×%d pixels", t.Caption[0], len(t.BGR), s.Width, s.Height)
			}
			if i > 0 && i%columns == 0 {
				y += s.Height + caption + gap
			}
			s.tile(c, pix, w, gap+i%columns*(s.Width+gap), y, t)
		}
		if len(g.Tiles) > 0 {
			y += s.Height + caption + gap
		}
	}
	data, err := opencv.EncodeJPEG(w, h, pix, quality)
	if err != nil {
		return nil, fmt.Errorf("report: sheet: %w", err)
	}
	return data, nil
}

// tile draws one picture with its upper left corner at x, y of a sheet that is w wide.
func (s Sheet) tile(c *opencv.Canvas, pix []byte, w, x, y int, t Tile) {
	for row := range s.Height {
		copy(pix[3*((y+row)*w+x):], t.BGR[3*row*s.Width:][:3*s.Width])
	}
	for _, r := range t.Truth {
		if r = r.Intersect(image.Rect(0, 0, s.Width, s.Height)); !r.Empty() {
			c.Rect(r.Add(image.Pt(x, y)), truth, 1)
		}
	}
	if m := t.Mark.Intersect(image.Rect(0, 0, s.Width, s.Height)); !m.Empty() {
		c.Rect(m.Inset(-1).Intersect(image.Rect(0, 0, s.Width, s.Height)).Add(image.Pt(x, y)), dark, 4)
		c.Rect(m.Add(image.Pt(x, y)), mark, 2)
	}
	for i, line := range t.Caption {
		c.Text(x, y+s.Height+letter+5+i*(letter+7), letter, fit(line, s.Width), ink)
	}
}

// fit cuts a line from the left, so that the end of a file's name stays.
func fit(line string, w int) string {
	if opencv.TextWidth(letter, line) <= w {
		return line
	}
	for i := range line {
		if cut := "..." + line[i:]; opencv.TextWidth(letter, cut) <= w {
			return cut
		}
	}
	return ""
}

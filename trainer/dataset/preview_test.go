package dataset

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"perceive/camera/opencv"
)

// A preview has the loader's own pixels, boxes and all labels of a batch on its sheets.
func TestPreview(t *testing.T) {
	s := &Set{Labels: ab, Items: []Item{painted("x", 64, 32, 90, Positive, Unknown)}}
	s.Items[0].Boxes = []Box{{0, 16, 8, 32, 16}}
	c, err := OpenCache(t.Context(), s, 64, CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := LoaderConfig{Width: 64, Height: 32, Batch: 14}
	sheets, err := Preview(t.Context(), c, cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(sheets) != 2 {
		t.Fatalf("%d sheets for 14 pictures, want 2", len(sheets))
	}
	k := enlarge(cfg)
	w, h := tileSize(cfg)
	if got := sheets[0]; got.Width != gap+sheetColumns*w || got.Height != gap+sheetRows*h || sheets[1].Height != gap+h {
		t.Errorf("%d×%d, then %d high", got.Width, got.Height, sheets[1].Height)
	}
	at := func(x, y int) [3]byte { // of the first picture, in input pixels
		i := 3 * ((gap+y*k+k/2)*sheets[0].Width + gap + x*k + k/2)
		return [3]byte(sheets[0].BGR[i:])
	}
	colour := labelColour(0)
	bgr := [3]byte{colour.B, colour.G, colour.R}
	if at(2, 2) != [3]byte{90, 90, 90} {
		t.Errorf("the picture's grey is %v", at(2, 2))
	}
	corner := 3 * ((gap+8*k)*sheets[0].Width + gap + 16*k)
	if got := [3]byte(sheets[0].BGR[corner:]); got != bgr {
		t.Errorf("the box's corner is %v, want %v", got, bgr)
	}
	if bytes.Count(sheets[0].BGR, bgr[:]) < 4*(32+16)*k {
		t.Error("the box or the label's name is missing")
	}
	path := filepath.Join(t.TempDir(), "x.png")
	if err := sheets[1].Write(path); err != nil {
		t.Fatal(err)
	}
	if gotW, gotH, _, err := opencv.DecodeFile(path); err != nil || gotW != sheets[1].Width || gotH != sheets[1].Height {
		t.Errorf("read back as %d×%d, %v", gotW, gotH, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

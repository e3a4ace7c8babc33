package models

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

// NewGolden records the probabilities that a file gave for a picture of w×h
// blue-green-red pixels.
func NewGolden(name string, w, h int, bgr []byte, probabilities []float32, tolerance float32) (Golden, error) {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	if len(bgr) != 3*w*h {
		return Golden{}, fmt.Errorf("models: golden %q: %d bytes for %d×%d pixels", name, len(bgr), w, h)
	}
	for i := range w * h {
		copy(img.Pix[4*i:], []byte{bgr[3*i+2], bgr[3*i+1], bgr[3*i], 255})
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, img); err != nil {
		return Golden{}, fmt.Errorf("models: golden %q: %w", name, err)
	}
	return Golden{Name: name, PNG: b.Bytes(), Probabilities: append([]float32(nil), probabilities...), Tolerance: tolerance}, nil
}

// Pixels is the picture, which must be w×h, as blue-green-red bytes.
func (g Golden) Pixels(w, h int) ([]byte, error) {
	cfg, err := png.DecodeConfig(bytes.NewReader(g.PNG))
	if err == nil && (cfg.Width != w || cfg.Height != h) {
		err = fmt.Errorf("it is %d×%d, want %d×%d", cfg.Width, cfg.Height, w, h)
	}
	if err != nil {
		return nil, fmt.Errorf("models: golden %q: %w", g.Name, err)
	}
	img, err := png.Decode(bytes.NewReader(g.PNG))
	if err != nil {
		return nil, fmt.Errorf("models: golden %q: %w", g.Name, err)
	}
	out := make([]byte, 0, 3*w*h)
	for y := range h {
		for x := range w {
			r, gr, b, _ := img.At(x, y).RGBA()
			out = append(out, byte(b>>8), byte(gr>>8), byte(r>>8))
		}
	}
	return out, nil
}

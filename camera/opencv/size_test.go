//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// The size is that of what DecodeFile gives, and what it refuses is refused in its words.
// Only a PNG that is cut short is found out by its pixels alone.
func TestSizeFileIsThatOfDecodeFile(t *testing.T) {
	img := flat(image.NewNRGBA(image.Rect(0, 0, 48, 32)), teal)
	jpg, pngs := jpegOf(t, img), pngOf(t, img)
	for _, tc := range []struct {
		name   string
		data   []byte
		header bool // the header says it
	}{
		{"jpeg", jpg, true},
		{"jpeg grey", jpegOf(t, image.NewGray(image.Rect(0, 0, 48, 32))), true},
		{"jpeg cmyk", inkJPEG(24, 16, [4]byte{25, 188, 250, 204}, adobeCMYK), true},
		{"jpeg cmyk without a marker", inkJPEG(24, 16, [4]byte{25, 188, 250, 204}, noAdobe), false},
		{"jpeg upright", withOrientation(jpg, 1), false},
		{"jpeg turned", withOrientation(jpg, 6), false},
		{"jpeg cut short", jpg[:len(jpg)-2], false},
		{"png", pngs, true},
		{"png 16-bit grey", pngOf(t, image.NewGray16(image.Rect(0, 0, 5, 7))), true},
		{"png header cut short", pngs[:20], false},
		{"bmp", encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, img) }), false},
		{"tiff", encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) }), false},
		{"text", []byte("no picture"), false},
		{"empty", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "picture")
			if err := os.WriteFile(path, tc.data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, ok := headerSize(tc.data); ok != tc.header {
				t.Errorf("from the header: %v", ok)
			}
			w, h, err := SizeFile(path)
			wantW, wantH, _, wantErr := DecodeFile(path)
			if w != wantW || h != wantH || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Errorf("%d×%d, %v; DecodeFile: %d×%d, %v", w, h, err, wantW, wantH, wantErr)
			}
		})
	}
}

func BenchmarkSizeFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "photo.jpg")
	photo := noise(1280, 720, 1280*3)
	if err := EncodeFile(path, 1280, 720, photo.Pix); err != nil {
		b.Fatal(err)
	}
	b.Run("header", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := SizeFile(path); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, _, _, err := DecodeFile(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

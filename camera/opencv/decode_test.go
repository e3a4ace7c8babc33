//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"perceive/camera"
)

// teal is drawn in all colour test pictures; BGR.
var (
	teal    = color.NRGBA{R: 20, G: 150, B: 200, A: 255}
	tealBGR = [3]byte{200, 150, 20}
)

// flat draws one colour on img and returns it.
func flat[T interface {
	image.Image
	Set(x, y int, c color.Color)
}](img T, c color.Color) T {
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.Set(x, y, c)
		}
	}
	return img
}

func encoded(t testing.TB, with func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := with(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func jpegOf(t testing.TB, img image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 95}) })
}

func TestDecodeConverts(t *testing.T) {
	r := image.Rect(0, 0, 24, 16)
	grey := [3]byte{90, 90, 90}
	for _, tc := range []struct {
		name string
		data []byte
		want [3]byte
		tol  int
	}{
		{"png rgb", pngOf(t, flat(image.NewNRGBA(r), teal)), tealBGR, 0},
		{"png 16-bit rgb", pngOf(t, flat(image.NewNRGBA64(r), color.NRGBA64{R: 20<<8 + 9, G: 150<<8 + 250, B: 200 << 8, A: 0xffff})), tealBGR, 0},
		{"png 16-bit grey", pngOf(t, flat(image.NewGray16(r), color.Gray16{Y: 90<<8 + 200})), grey, 0},
		{"png grey", pngOf(t, flat(image.NewGray(r), color.Gray{Y: 90})), grey, 0},
		{"png palette", pngOf(t, flat(image.NewPaletted(r, color.Palette{color.Black, teal}), teal)), tealBGR, 0},
		{"png half transparent", pngOf(t, flat(image.NewNRGBA(r), color.NRGBA{R: 20, G: 150, B: 200, A: 128})), tealBGR, 0},
		{"jpeg", jpegOf(t, flat(image.NewNRGBA(r), teal)), tealBGR, 2},
		{"jpeg grey", jpegOf(t, flat(image.NewGray(r), color.Gray{Y: 90})), grey, 1},
		{"bmp", encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, flat(image.NewNRGBA(r), teal)) }), tealBGR, 0},
		{"tiff", encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, flat(image.NewNRGBA(r), teal), nil) }), tealBGR, 0},
		{"tiff 16-bit", encoded(t, func(b *bytes.Buffer) error {
			return tiff.Encode(b, flat(image.NewNRGBA64(r), color.NRGBA64{R: 20 << 8, G: 150 << 8, B: 200 << 8, A: 0xffff}), nil)
		}), tealBGR, 1},
		// Adobe stores inks inverted, 255 is no ink: red = c·k/255, and so on.
		{"jpeg cmyk", inkJPEG(24, 16, [4]byte{25, 188, 250, 204}, adobeCMYK), [3]byte{200, 150, 20}, 2},
		{"jpeg ycck", inkJPEG(24, 16, ycc(255-25, 255-188, 255-250, 204), adobeYCCK), [3]byte{200, 150, 20}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, h, bgr, err := Decode(tc.data)
			if err != nil {
				t.Fatal(err)
			}
			if w != 24 || h != 16 || len(bgr) != 24*16*3 {
				t.Fatalf("%d×%d, %d bytes", w, h, len(bgr))
			}
			for i, v := range bgr {
				if d := int(v) - int(tc.want[i%3]); d > tc.tol || d < -tc.tol {
					t.Fatalf("byte %d = %d, want %v ± %d", i, v, tc.want, tc.tol)
				}
			}
		})
	}
}

// Go's own decoder is the second opinion on what the inks mean.
func TestDecodeInksAsGoDoes(t *testing.T) {
	for _, tc := range []struct {
		name string
		data []byte
	}{
		{"cmyk", inkJPEG(16, 16, [4]byte{25, 188, 250, 204}, adobeCMYK)},
		{"cmyk, much black", inkJPEG(16, 16, [4]byte{200, 100, 50, 30}, adobeCMYK)},
		{"ycck", inkJPEG(16, 16, ycc(130, 67, 40, 204), adobeYCCK)},
	} {
		img, err := jpeg.Decode(bytes.NewReader(tc.data))
		if err != nil {
			t.Fatalf("%s: Go: %v", tc.name, err)
		}
		_, _, bgr, err := Decode(tc.data)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		r, g, b, _ := img.At(3, 3).RGBA()
		for i, want := range []uint32{b >> 8, g >> 8, r >> 8} {
			if d := int(bgr[i]) - int(want); d < -2 || d > 2 {
				t.Errorf("%s: BGR %v, Go says %v", tc.name, bgr[:3], []uint32{b >> 8, g >> 8, r >> 8})
				break
			}
		}
	}
}

// An EXIF orientation of 6 says: turn by 90° clockwise to look at it.
func TestDecodeTurnsUpright(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 48, 32))
	flat(img, color.White)
	flat(img.SubImage(image.Rect(0, 0, 16, 16)).(*image.NRGBA), color.Black)
	w, h, bgr, err := Decode(withOrientation(jpegOf(t, img), 6))
	if err != nil {
		t.Fatal(err)
	}
	if w != 32 || h != 48 {
		t.Fatalf("%d×%d, want 32×48", w, h)
	}
	if left, right := bgr[3*(4*w+4)], bgr[3*(4*w+28)]; left < 250 || right > 5 {
		t.Errorf("the black corner should be top right: left %d, right %d", left, right)
	}
}

func TestDecodeRefuses(t *testing.T) {
	photo := noise(200, 100, 600)
	img := image.NewNRGBA(image.Rect(0, 0, 200, 100))
	for i := range 200 * 100 {
		copy(img.Pix[4*i:], []byte{photo.Pix[3*i], photo.Pix[3*i+1], photo.Pix[3*i+2], 255})
	}
	jpg, pngs := jpegOf(t, img), pngOf(t, img)
	bmps := encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, img) })
	tiffs := encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate}) })
	for _, tc := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, ErrEmpty},
		{"text", []byte("this is not a picture\n"), ErrNotPicture},
		{"half a jpeg", jpg[:len(jpg)/2], camera.ErrTruncated},
		{"jpeg without its last bytes", jpg[:len(jpg)-2], camera.ErrTruncated},
		{"jpeg header only", jpg[:400], camera.ErrTruncated},
		{"jpeg start and end", []byte{0xff, 0xd8, 0xff, 0xd9}, camera.ErrTruncated},
		{"jpeg of a damaged size", resized(jpg, 32000, 32000), camera.ErrTruncated},
		{"half a png", pngs[:len(pngs)/2], camera.ErrTruncated},
		{"half a bmp", bmps[:len(bmps)/2], camera.ErrTruncated},
		{"half a tiff", tiffs[:len(tiffs)/2], camera.ErrTruncated},
		{"cmyk jpeg without Adobe's marker", inkJPEG(24, 16, [4]byte{25, 188, 250, 204}, noAdobe), ErrUnsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, h, _, err := Decode(tc.data)
			if !errors.Is(err, tc.want) {
				t.Errorf("Decode = %d×%d, %v; want an error that is %q", w, h, err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// resized is a JPEG whose header claims another size.
func resized(jpg []byte, w, h uint16) []byte {
	out := bytes.Clone(jpg)
	at := bytes.Index(out, []byte{0xff, jpegSOF0}) + 5
	binary.BigEndian.PutUint16(out[at:], h)
	binary.BigEndian.PutUint16(out[at+2:], w)
	return out
}

// The largest size that some bytes can hold is far above what pictures need, even one
// without anything in it.
func TestLeastBytesSparesPlainPictures(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {8, 8}, {17, 3}, {64, 48}, {4000, 3000}} {
		img := image.NewYCbCr(image.Rect(0, 0, size.X, size.Y), image.YCbCrSubsampleRatio420)
		for _, data := range [][]byte{jpegOf(t, img), jpegOf(t, greyImage(size.X, size.Y, 0)), inkJPEG(size.X, size.Y, [4]byte{}, adobeCMYK)} {
			if w, h, _, err := Decode(data); err != nil || image.Pt(w, h) != size {
				t.Errorf("%v in %d bytes: %d×%d, %v", size, len(data), w, h, err)
			}
		}
	}
}

func TestDecodeFileNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.jpg")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path string
		want error
	}{
		{filepath.Join(dir, "missing.png"), fs.ErrNotExist},
		{empty, ErrEmpty},
	} {
		_, _, _, err := DecodeFile(tc.path)
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.path) {
			t.Errorf("DecodeFile(%s) = %v; want it to be %q and to name the file", tc.path, err, tc.want)
		}
	}
	if _, _, _, err := DecodeFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("DecodeFile of a folder = %v", err)
	}
}

func BenchmarkDecodeJPEG(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 1280, 720))
	for i := range img.Pix {
		img.Pix[i] = byte(i / 97)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len()))
	for b.Loop() {
		if _, _, _, err := Decode(buf.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckJPEG is what looking for the end costs beside decoding.
func BenchmarkCheckJPEG(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 1280, 720))
	for i := range img.Pix {
		img.Pix[i] = byte(i / 97)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len()))
	for b.Loop() {
		if err := checkJPEG(buf.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

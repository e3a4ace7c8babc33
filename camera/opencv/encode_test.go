//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// apart is the root of the mean squared difference of two pictures, in steps of 255.
func apart(a, b []byte) float64 {
	sum := 0.
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a)))
}

// What is encoded is decoded again: PNG to the byte, JPEG to what its quality is worth.
func TestEncodeRoundTrip(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 2}, {17, 31}, {320, 192}} {
		w, h := size[0], size[1]
		pix := ramp(w, h).Pix
		data, err := EncodePNG(w, h, pix)
		if err != nil {
			t.Fatal(err)
		}
		if gw, gh, got, err := Decode(data); err != nil || gw != w || gh != h || !bytes.Equal(got, pix) {
			t.Errorf("PNG of %d×%d: %d×%d, %v, equal %v", w, h, gw, gh, err, bytes.Equal(got, pix))
		}
		data, err = EncodeJPEG(w, h, pix, 95)
		if err != nil {
			t.Fatal(err)
		}
		gw, gh, got, err := Decode(data)
		if err != nil || gw != w || gh != h {
			t.Errorf("JPEG of %d×%d: %d×%d, %v", w, h, gw, gh, err)
			continue
		}
		// Colour has half the resolution: two pixels with a hard step differ by more.
		if d := apart(got, pix); w > 16 && d > 4 {
			t.Errorf("JPEG of %d×%d is %.1f apart", w, h, d)
		}
	}
}

func TestEncodeJPEGQuality(t *testing.T) {
	img := noise(64, 64, 3*64)
	var lengths []int
	for _, q := range []int{-5, 1, 50, 92, 100, 1000} { // what is out of range is the nearest in it
		data, err := EncodeJPEG(64, 64, img.Pix, q)
		if err != nil {
			t.Fatal(err)
		}
		lengths = append(lengths, len(data))
	}
	if l := lengths; l[0] != l[1] || l[1] >= l[2] || l[2] >= l[3] || l[3] >= l[4] || l[4] != l[5] {
		t.Errorf("lengths %v of qualities -5, 1, 50, 92, 100, 1000", l)
	}
}

func TestEncodeFile(t *testing.T) {
	dir := t.TempDir()
	pix := ramp(64, 48).Pix
	for _, tc := range []struct{ name, magic string }{
		{"a.jpg", "\xff\xd8\xff"}, {"a.JPEG", "\xff\xd8\xff"}, {"a.png", "\x89PNG"}, {"a.PNG", "\x89PNG"},
	} {
		path := save(t, dir, tc.name, []byte("old"))
		if err := EncodeFile(path, 64, 48, pix); err != nil {
			t.Fatal(err)
		}
		w, h, got, err := DecodeFile(path)
		if err != nil || w != 64 || h != 48 || apart(got, pix) > 4 {
			t.Errorf("%s: %d×%d, %v", tc.name, w, h, err)
		}
		if text, _ := os.ReadFile(path); !strings.HasPrefix(string(text), tc.magic) {
			t.Errorf("%s begins with %q", tc.name, text[:4])
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 4 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEncodeRefuses(t *testing.T) {
	dir := t.TempDir()
	pix := ramp(64, 48).Pix
	taken := filepath.Join(dir, "taken.png")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		w, h       int
		want       error
		says       string
	}{
		{"extension", filepath.Join(dir, "a.gif"), 64, 48, nil, ".jpg, .jpeg or .png"},
		{"no extension", filepath.Join(dir, "a"), 64, 48, nil, ".jpg, .jpeg or .png"},
		{"size", filepath.Join(dir, "a.png"), 64, 49, nil, "64×49"},
		{"no size", filepath.Join(dir, "a.jpg"), 0, 0, nil, "0×0"},
		{"missing folder", filepath.Join(dir, "none", "a.png"), 64, 48, fs.ErrNotExist, "no such file"},
		{"a folder", taken, 64, 48, nil, "taken.png"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := EncodeFile(tc.path, tc.w, tc.h, pix)
			if err == nil {
				t.Fatal("no error")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("%v: want it to be %q", err, tc.want)
			}
			if s := err.Error(); !strings.HasPrefix(s, "opencv: ") || !strings.Contains(s, tc.says) || !strings.Contains(s, tc.path) || strings.Contains(s, "\n") {
				t.Errorf("error is %q: want one line with %q and the file", s, tc.says)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	for _, quality := range []int{1, 100} {
		if data, err := EncodeJPEG(64, 48, pix[1:], quality); err == nil {
			t.Errorf("too few pixels: %d bytes", len(data))
		}
	}
	// One that JPEG cannot say.
	if data, err := EncodeJPEG(70000, 1, make([]byte, 3*70000), 90); err == nil {
		t.Errorf("70000 pixels wide: %d bytes", len(data))
	}
}

func TestEncodeFileKeepsOldWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	path := save(t, dir, "a.png", []byte("old"))
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	asNobody(t, func() {
		if err := EncodeFile(path, 8, 8, make([]byte, 8*8*3)); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v; want permission denied and the file's name", err)
		}
	})
	keepsOld(t, path)
}

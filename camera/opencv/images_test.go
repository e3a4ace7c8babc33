//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"perceive/camera"
	"perceive/camera/cameratest"
)

// save writes a file into dir and returns its path.
func save(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// greyImage is a w×h picture of one grey; it survives JPEG to within a step or two.
func greyImage(w, h int, y byte) image.Image {
	return flat(image.NewGray(image.Rect(0, 0, w, h)), color.Gray{Y: y})
}

// folder is a drive as people keep it: numbers without leading zeros, two formats,
// other files beside the pictures, one picture damaged, one empty, one of another size.
func folder(t *testing.T) (dir string, want cameratest.Want) {
	t.Helper()
	const damaged, empty, other = 3, 6, 8
	dir = t.TempDir()
	for i := range 12 {
		w, h := 64, 48
		if i == other {
			w, h = 40, 90
		}
		img, name := greyImage(w, h, byte(10*i)), "frame"+string(rune('0'+i))
		if i > 9 {
			name = "frame1" + string(rune('0'+i-10))
		}
		switch {
		case i == damaged:
			data := jpegOf(t, img)
			save(t, dir, name+".jpg", data[:len(data)/2])
		case i == empty:
			save(t, dir, name+".png", nil)
		case i%2 == 0:
			save(t, dir, name+".png", pngOf(t, img))
		default:
			save(t, dir, name+".JPG", jpegOf(t, img))
		}
	}
	save(t, dir, "frame5.txt", []byte("not a frame"))
	save(t, dir, ".hidden", nil)
	if err := os.Mkdir(filepath.Join(dir, "frame4b.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, cameratest.Want{
		Info:   camera.Info{URI: dir, Kind: "images", FPS: 5, Frames: 12},
		Frames: 12,
		Bad:    []uint64{damaged, empty},
		Size: func(seq uint64) (w, h int) {
			if seq == other {
				return 40, 90
			}
			return 64, 48
		},
		// The grey is the number of the file: what comes second was not frame10.
		Check: func(t *testing.T, f *camera.Frame) {
			if got, want := int(f.Pix[len(f.Pix)/2]), 10*int(f.Seq); got < want-2 || got > want+2 {
				t.Errorf("frame %d: grey %d, want %d", f.Seq, got, want)
			}
			if ms := f.Time.Milliseconds(); ms != 200*int64(f.Seq) {
				t.Errorf("frame %d is at %d ms, want 200 a frame", f.Seq, ms)
			}
		},
	}
}

func TestImagesSource(t *testing.T) {
	dir, want := folder(t)
	for _, tc := range []struct{ name, pattern string }{
		{"folder", dir},
		{"glob", filepath.Join(dir, "frame*.[pjJ]*")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := want
			want.Info.URI = tc.pattern
			cameratest.TestSource(t, func(t *testing.T) camera.Source {
				src, err := Options{FPS: 5, Buffers: 3}.OpenImages(tc.pattern)
				if err != nil {
					t.Fatal(err)
				}
				return src
			}, want)
		})
	}
}

// frames reads a source to its end and lists the sizes that came and the errors.
func frames(t *testing.T, src camera.Source) (sizes []image.Point, bad []*camera.FrameError) {
	t.Helper()
	defer src.Close()
	for {
		f, err := src.Next(context.Background())
		var fe *camera.FrameError
		switch {
		case errors.As(err, &fe):
			bad = append(bad, fe)
		case errors.Is(err, io.EOF):
			return sizes, bad
		case err != nil:
			t.Fatal(err)
		default:
			sizes = append(sizes, image.Pt(f.Width, f.Height))
			f.Release()
		}
	}
}

// A file that cannot be read costs its own frame, and the error says which and why.
func TestImagesNameTheBadFile(t *testing.T) {
	dir := t.TempDir()
	data := pngOf(t, greyImage(64, 48, 100))
	gone := filepath.Join(dir, "4 gone.png")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), gone); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "5 pipe.jpg") // would be waited for for ever
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	film := save(t, dir, "6 film.jpg", nil)
	if err := os.Truncate(film, 3<<30); err != nil { // a hole, it takes no room
		t.Fatal(err)
	}
	want := []struct {
		path string
		err  error
	}{
		{save(t, dir, "0 empty.png", nil), ErrEmpty},
		{save(t, dir, "1 text.png", []byte("hello hello hello hello\n")), ErrNotPicture},
		{save(t, dir, "2 half.png", data[:len(data)/2]), camera.ErrTruncated},
		{save(t, dir, "3 ink.jpg", inkJPEG(24, 16, [4]byte{25, 188, 250, 204}, noAdobe)), ErrUnsupported},
		{gone, fs.ErrNotExist},
		{pipe, errNotRegular},
		{film, ErrUnsupported},
	}
	save(t, dir, "7 good.png", data)
	src, err := OpenImages(dir)
	if err != nil {
		t.Fatal(err)
	}
	sizes, bad := frames(t, src)
	if len(sizes) != 1 || len(bad) != len(want) {
		t.Fatalf("%d frames, errors %v", len(sizes), bad)
	}
	for i, fe := range bad {
		if fe.Seq != uint64(i) || fe.Name != want[i].path || !errors.Is(fe, want[i].err) {
			t.Errorf("%v: want frame %d, %s, %q", fe, i, want[i].path, want[i].err)
		}
	}
}

// A single picture is a source of one frame, whatever its name ends in.
func TestImagesSingle(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.png", "noextension", "with [brackets].png"} {
		src, err := OpenImages(save(t, dir, name, pngOf(t, greyImage(33, 17, 50))))
		if err != nil {
			t.Fatal(err)
		}
		if n := src.Info().Frames; n != 1 {
			t.Errorf("%s: Info.Frames = %d", name, n)
		}
		sizes, bad := frames(t, src)
		if len(sizes) != 1 || sizes[0] != image.Pt(33, 17) || bad != nil {
			t.Errorf("%s: frames of %v, errors %v", name, sizes, bad)
		}
	}
}

func TestOpenImagesRefuses(t *testing.T) {
	dir := t.TempDir()
	bare := filepath.Join(dir, "bare")
	if err := os.Mkdir(bare, 0o700); err != nil {
		t.Fatal(err)
	}
	save(t, bare, "notes.txt", []byte("no picture"))
	picture := save(t, dir, "a.png", pngOf(t, greyImage(8, 8, 0)))
	for _, tc := range []struct {
		name, pattern string
		o             Options
		want          error
		says          string
	}{
		{"missing", filepath.Join(dir, "none.png"), Options{}, fs.ErrNotExist, "no such file"},
		{"missing folder", filepath.Join(dir, "none") + "/", Options{}, fs.ErrNotExist, "no such file"},
		{"empty name", "", Options{}, fs.ErrNotExist, "no such file"},
		{"folder without pictures", bare, Options{}, nil, "no pictures in this folder"},
		{"glob without matches", filepath.Join(dir, "b*.png"), Options{}, nil, "no file matches"},
		{"glob that matches a folder only", filepath.Join(dir, "b*e"), Options{}, nil, "no file matches"},
		{"broken glob", filepath.Join(dir, "[a.png"), Options{}, filepath.ErrBadPattern, "pattern"},
		{"negative rate", picture, Options{FPS: -1}, nil, "fps=-1"},
		{"negative buffers", picture, Options{Buffers: -1}, nil, "buffers=-1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, err := tc.o.OpenImages(tc.pattern)
			if err == nil {
				src.Close()
				t.Fatal("no error")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("%v: want it to be %q", err, tc.want)
			}
			if s := err.Error(); !strings.Contains(s, tc.says) || !strings.Contains(s, tc.pattern) || strings.Contains(s, "\n") {
				t.Errorf("error is %q: want one line with %q and the name", s, tc.says)
			}
		})
	}
}

// A folder that may not be looked into, and a picture that may not be read.
func TestImagesWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // what testing makes is the owner's alone
		t.Fatal(err)
	}
	shut := filepath.Join(dir, "shut")
	if err := os.Mkdir(shut, 0o000); err != nil {
		t.Fatal(err)
	}
	picture := save(t, dir, "a.png", pngOf(t, greyImage(8, 8, 0)))
	if err := os.Chmod(picture, 0); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if _, err := OpenImages(shut); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), shut) {
			t.Errorf("folder: %v", err)
		}
		src, err := OpenImages(picture)
		if err != nil {
			t.Error(err)
			return
		}
		defer src.Close()
		if _, err := src.Next(context.Background()); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), picture) {
			t.Errorf("picture: %v", err)
		}
	})
}

//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"perceive/camera"
	"perceive/camera/cameratest"
)

// jpegStream is a recording whose every frame is a JPEG, as cheap cameras make
// them: sizes can change, and it has no times and no index.
func jpegStream(t *testing.T, n int, size func(i int) (w, h int)) string {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		w, h := size(i)
		img := image.NewGray(image.Rect(0, 0, w, h))
		flat(img, color.Gray{Y: byte(10 * i)})
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "stream.mjpeg")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A picture in the middle of another size: the frames that follow change too.
func TestVideoChangesSize(t *testing.T) {
	size := func(i int) (w, h int) {
		if i >= 8 && i < 12 {
			return 96, 160
		}
		return 64, 48
	}
	path := jpegStream(t, 20, size)
	cameratest.TestSource(t, func(t *testing.T) camera.Source {
		src, err := OpenVideo(path)
		if err != nil {
			t.Fatal(err)
		}
		return src
	}, cameratest.Want{
		Info:   camera.Info{Kind: "video", Width: 64, Height: 48},
		Frames: 20,
		Size:   func(seq uint64) (w, h int) { return size(int(seq)) },
		Check: func(t *testing.T, f *camera.Frame) {
			if got, want := int(f.Pix[len(f.Pix)/2]), 10*int(f.Seq); got < want-3 || got > want+3 {
				t.Errorf("frame %d: grey %d, want %d", f.Seq, got, want)
			}
		},
	})
}

// A stream that is spoilt: each picture keeps its own number, what cannot be read is
// named, and nothing behind it is lost.
func TestMJPEGDamage(t *testing.T) {
	path := jpegStream(t, 6, func(int) (int, int) { return 64, 48 })
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	starts := []int{}
	for i := range whole[:len(whole)-2] {
		if bytes.HasPrefix(whole[i:], []byte{0xff, 0xd8, 0xff}) {
			starts = append(starts, i)
		}
	}
	if len(starts) != 6 {
		t.Fatalf("%d pictures", len(starts))
	}
	for _, tc := range []struct {
		name string
		text []byte
		good []uint64
		bad  []uint64
		end  error
	}{
		{"whole", whole, []uint64{0, 1, 2, 3, 4, 5}, nil, io.EOF},
		{"cut in the last picture", whole[:len(whole)-10], []uint64{0, 1, 2, 3, 4}, nil, camera.ErrTruncated},
		{"bytes between pictures", append(append(append([]byte{}, whole[:starts[2]]...), "some other bytes"...), whole[starts[2]:]...),
			[]uint64{0, 1, 3, 4, 5, 6}, []uint64{2}, io.EOF},
		{"a header without its length", func() []byte {
			out := append([]byte{}, whole...)
			out[starts[3]+4], out[starts[3]+5] = 0, 0
			return out
		}(), []uint64{0, 1, 2, 4, 5}, []uint64{3}, io.EOF},
		{"bytes behind the last", append(append([]byte{}, whole...), 0, 0, 0, 0), []uint64{0, 1, 2, 3, 4, 5}, []uint64{6}, io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(path, tc.text, 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := OpenVideo(path)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			var good, bad []uint64
			for {
				f, err := src.Next(context.Background())
				var fe *camera.FrameError
				if errors.As(err, &fe) {
					bad = append(bad, fe.Seq)
					continue
				}
				if err != nil {
					if !errors.Is(err, tc.end) {
						t.Errorf("the end is %v, want %v", err, tc.end)
					}
					break
				}
				good = append(good, f.Seq)
				f.Release()
			}
			if !slices.Equal(good, tc.good) || !slices.Equal(bad, tc.bad) {
				t.Errorf("good %v, bad %v; want %v, %v", good, bad, tc.good, tc.bad)
			}
		})
	}
}

// Whatever the bytes, a stream ends, and its frames have numbers without gaps.
func FuzzMJPEG(f *testing.F) {
	var b bytes.Buffer
	for range 2 {
		jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x.mjpeg")
		if err := os.WriteFile(path, append([]byte{0xff, 0xd8, 0xff}, text...), 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := OpenVideo(path)
		if err != nil {
			return
		}
		defer src.Close()
		for seq := uint64(0); ; seq++ {
			fr, err := src.Next(context.Background())
			var fe *camera.FrameError
			switch {
			case err == nil && fr.Seq == seq:
				fr.Release()
			case errors.As(err, &fe) && fe.Seq == seq:
			case err == nil || errors.As(err, &fe):
				t.Fatalf("frame %d: %+v %v", seq, fr, err)
			default:
				return
			}
		}
	})
}

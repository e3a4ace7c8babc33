//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"gocv.io/x/gocv"

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

// starts are where the pictures of a stream begin that has nothing between them.
func starts(stream []byte) (at []int) {
	for i := range stream {
		if isJPEG(stream[i:]) {
			at = append(at, i)
		}
	}
	return at
}

// outcome reads a source to its end: the numbers of good and bad frames.
func outcome(t *testing.T, src camera.Source) (good, bad []uint64, end error) {
	t.Helper()
	defer src.Close()
	for {
		f, err := src.Next(t.Context())
		var fe *camera.FrameError
		switch {
		case errors.As(err, &fe):
			bad = append(bad, fe.Seq)
		case err != nil:
			return good, bad, err
		default:
			good = append(good, f.Seq)
			f.Release()
		}
	}
}

// A stream that is spoilt: each picture keeps its own number, what cannot be read is
// named, and nothing behind it is lost.
func TestMJPEGDamage(t *testing.T) {
	path := jpegStream(t, 6, func(int) (int, int) { return 64, 48 })
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := starts(whole)
	if len(start) != 6 {
		t.Fatalf("%d pictures", len(start))
	}
	// with puts text over the stream at a place; an empty text before to takes bytes away.
	with := func(from, to int, text string) []byte {
		return slices.Concat(whole[:from], []byte(text), whole[to:])
	}
	third, last := start[3], start[5]
	pixels := third + bytes.Index(whole[third:], []byte{0xff, jpegSOS}) + 20
	all := []uint64{0, 1, 2, 3, 4, 5}
	allButThird := []uint64{0, 1, 2, 4, 5}
	for _, tc := range []struct {
		name string
		text []byte
		good []uint64
		bad  []uint64
		end  error
	}{
		{"whole", whole, all, nil, io.EOF},
		{"one picture", whole[:start[1]], all[:1], nil, io.EOF},
		{"last picture without its end", whole[:len(whole)-2], all[:5], nil, camera.ErrTruncated},
		{"last picture without pixels", whole[:last+300], all[:5], nil, camera.ErrTruncated},
		{"last picture of three bytes", whole[:last+3], all[:5], nil, camera.ErrTruncated},
		{"less than a start behind the last", append(slices.Clone(whole), 0xff, jpegSOI), all, nil, io.EOF},
		{"zeros behind the last", append(slices.Clone(whole), make([]byte, 1000)...), all, nil, io.EOF},
		{"a server's headers between pictures", with(third, third, "\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1234\r\n\r\n"), all, nil, io.EOF},
		{"end marker twice", with(third, third, "\xff\xd9"), all, nil, io.EOF},
		{"a length of nothing", with(third+4, third+6, "\x00\x00"), allButThird, []uint64{3}, io.EOF},
		{"a length past the next picture", with(third+4, third+6, "\xff\xf0"), allButThird, []uint64{3}, io.EOF},
		{"no start", with(third, third+2, "??"), allButThird, []uint64{3}, io.EOF},
		{"no end", with(start[4]-2, start[4], ""), allButThird, []uint64{3}, io.EOF},
		{"pixels missing", with(pixels, start[4], ""), allButThird, []uint64{3}, io.EOF},
		{"half of the header missing", with(third+200, start[4], ""), allButThird, []uint64{3}, io.EOF},
		{"a segment among the pixels", with(pixels, pixels+4, "\xff\xe5\x10\x00"), allButThird, []uint64{3}, io.EOF},
		{"a frame header among the pixels", with(pixels, pixels+4, "\xff\xc0\x00\x02"), allButThird, []uint64{3}, io.EOF},
		{"nothing is good", with(3, len(whole), string(whole[start[1]-2:start[1]])), nil, []uint64{0}, errNoPicture},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(path, tc.text, 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := OpenVideo(path)
			if err != nil {
				t.Fatal(err)
			}
			good, bad, end := outcome(t, src)
			if !slices.Equal(good, tc.good) || !slices.Equal(bad, tc.bad) {
				t.Errorf("good %v, bad %v; want %v, %v", good, bad, tc.good, tc.bad)
			}
			if !errors.Is(end, tc.end) || end != io.EOF && !strings.Contains(end.Error(), path) {
				t.Errorf("the end is %v, want %v", end, tc.end)
			}
		})
	}
}

// Damage anywhere costs the pictures that it touches and no other.
func TestMJPEGDamageStaysLocal(t *testing.T) {
	const n, runs = 12, 300
	var whole []byte
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, 64, 48))
		copy(img.Pix, noise(64+i, 48, 3*(64+i)).Pix)
		whole = append(whole, jpegOf(t, img)...)
	}
	start := append(starts(whole), len(whole))
	rng := rand.New(rand.NewPCG(7, 7))
	for range runs {
		at, length := 3+rng.IntN(len(whole)-60), 1+rng.IntN(50)
		spoilt := slices.Clone(whole)
		for i := range length {
			spoilt[at+i] = byte(rng.Uint32())
		}
		s := newSplitter(bytes.NewReader(spoilt))
		came := map[string]bool{}
		for {
			pic, err := s.next()
			if err != nil && !errors.Is(err, errDamaged) {
				break
			}
			came[string(pic)] = err == nil
		}
		for i := range n {
			if touched := at < start[i+1] && at+length > start[i]; !touched && !came[string(whole[start[i]:start[i+1]])] {
				t.Errorf("%d bytes at %d spoilt picture %d, which is at %d to %d", length, at, i, start[i], start[i+1])
			}
		}
	}
}

// What a JPEG may hold beside pixels that follow one header is no end of it.
func TestSplitterKeepsPicturesWhole(t *testing.T) {
	img := noise(96, 64, 3*96)
	var v views
	defer v.done()
	m, err := v.bgr(img.Pix, 96, 64, 3*96)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]byte
	for _, params := range [][]int{
		{gocv.IMWriteJpegQuality, 90},
		{gocv.IMWriteJpegProgressive, 1}, // ten scans with tables between them
		{gocv.IMWriteJpegRstInterval, 2},
	} {
		buf, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, *m, params)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, slices.Clone(buf.GetBytes()))
		buf.Close()
	}
	// A small picture in the header of a larger one.
	thumb := jpegOf(t, greyImage(16, 16, 9))
	app := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(thumb)))
	want = append(want, slices.Concat(want[0][:2], app, thumb, want[0][2:]))
	want = append(want, inkJPEG(24, 16, [4]byte{25, 188, 250, 204}, adobeCMYK))
	want = append(want, slices.Concat(want[0][:2], []byte{0xff, 0xff, 0xff}, want[0][2:])) // filled up

	stream := slices.Concat(want...)
	for name, in := range map[string]io.Reader{
		"at once":      bytes.NewReader(stream),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"end with it":  iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		s := newSplitter(in)
		s.buf = make([]byte, 64) // it has to grow and to move
		for i, w := range want {
			if pic, err := s.next(); err != nil || !bytes.Equal(pic, w) {
				t.Errorf("%s: picture %d: %d bytes, %v; want %d", name, i, len(pic), err, len(w))
			}
		}
		if pic, err := s.next(); err != io.EOF {
			t.Errorf("%s: behind the last: %d bytes, %v", name, len(pic), err)
		}
	}
}

// Neither a hole in a file nor a picture without an end takes more memory than a picture
// may, and a disk that fails is not called a recording that was cut short.
func TestSplitterEnds(t *testing.T) {
	pic := jpegOf(t, greyImage(16, 16, 9))
	failure := errors.New("input/output error")
	nothing := func(n int64) io.Reader { return io.LimitReader(zeros{}, n) }
	for _, tc := range []struct {
		name string
		in   io.Reader
		n    int
		end  error
	}{
		{"hole", io.MultiReader(bytes.NewReader(pic), nothing(2*maxPicture), bytes.NewReader(pic)), 2, io.EOF},
		{"no end", io.MultiReader(bytes.NewReader(pic), bytes.NewReader(pic[:len(pic)-2]), nothing(2*maxPicture)), 1, errTooLong},
		{"failure", io.MultiReader(bytes.NewReader(pic), bytes.NewReader(pic[:90]), iotest.ErrReader(failure)), 1, failure},
		{"failure between pictures", io.MultiReader(bytes.NewReader(pic), iotest.ErrReader(failure)), 1, failure},
	} {
		s := newSplitter(tc.in)
		n := 0
		for {
			got, err := s.next()
			if err != nil {
				if !errors.Is(err, tc.end) || n != tc.n {
					t.Errorf("%s: %v after %d pictures; want %v after %d", tc.name, err, n, tc.end, tc.n)
				}
				break
			}
			if !bytes.Equal(got, pic) {
				t.Errorf("%s: picture %d differs", tc.name, n)
			}
			n++
		}
		if len(s.buf) > maxPicture {
			t.Errorf("%s: %d bytes of memory", tc.name, len(s.buf))
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestMJPEGRate(t *testing.T) {
	path := jpegStream(t, 3, func(int) (int, int) { return 64, 48 })
	src, err := Options{FPS: 10}.OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i := range 3 {
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Duration(i) * 100 * time.Millisecond; f.Time != want {
			t.Errorf("frame %d is at %v, want %v", i, f.Time, want)
		}
		f.Release()
	}
}

func TestMJPEGAllocatesNothing(t *testing.T) {
	src, err := OpenVideo(jpegStream(t, 200, func(int) (int, int) { return 64, 48 }))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		f, err := src.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}

// BenchmarkSplitter is what finding the pictures costs beside decoding them.
func BenchmarkSplitter(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 1280, 720))
	for i := range img.Pix {
		img.Pix[i] = byte(i / 97)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		b.Fatal(err)
	}
	stream := bytes.Repeat(buf.Bytes(), 20)
	b.SetBytes(int64(buf.Len()))
	s := newSplitter(bytes.NewReader(nil))
	for b.Loop() {
		if _, err := s.next(); err != nil {
			s = newSplitter(bytes.NewReader(stream))
		}
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

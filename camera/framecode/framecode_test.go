package framecode_test

import (
	"math/rand/v2"
	"testing"

	"perceive/camera"
	"perceive/camera/framecode"
	"perceive/camera/opencv"
)

func picture(w, h int, r *rand.Rand) *camera.Frame {
	f := camera.NewFrame(w, h, nil)
	for i := range f.Pix {
		f.Pix[i] = byte(r.Uint32())
	}
	return f
}

func TestCodeSurvivesJPEGAndSize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{240, 135}, {320, 240}, {640, 360}, {1280, 720}, {1920, 1080}} {
		for range 20 {
			f := picture(size[0], size[1], r)
			n := r.Uint32()
			framecode.Write(f, n)
			if got, ok := framecode.Read(f); !ok || got != n {
				t.Fatalf("%v: %d, %v; want %d", size, got, ok, n)
			}
			jpeg, err := opencv.EncodeJPEG(f.Width, f.Height, f.Pix, 50)
			if err != nil {
				t.Fatal(err)
			}
			w, h, pix, err := opencv.Decode(jpeg)
			if err != nil {
				t.Fatal(err)
			}
			back := &camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: pix}
			if got, ok := framecode.Read(back); !ok || got != n {
				t.Fatalf("%v after JPEG: %d, %v; want %d", size, got, ok, n)
			}
		}
	}
}

// A picture without a code has none, and a damaged one is not read wrongly.
func TestNoCode(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	wrong := 0
	for range 300 {
		if _, ok := framecode.Read(picture(320, 240, r)); ok {
			t.Fatal("noise has a code")
		}
		f := picture(320, 240, r)
		n := r.Uint32()
		framecode.Write(f, n)
		for range 6000 { // damage
			f.Pix[int(r.Uint32())%(40*f.Stride)] ^= 0x80
		}
		if got, ok := framecode.Read(f); ok && got != n {
			wrong++
		}
	}
	if wrong > 3 { // of 300; the checksum lets one in 256 pass
		t.Errorf("%d damaged codes are read wrongly", wrong)
	}
	black := camera.NewFrame(320, 240, nil)
	if _, ok := framecode.Read(black); ok {
		t.Error("black has a code")
	}
	small := camera.NewFrame(100, 100, nil)
	framecode.Write(small, 1)
	if _, ok := framecode.Read(small); ok {
		t.Error("a picture that is too small has a code")
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	f := camera.NewFrame(640, 360, nil)
	framecode.Write(f, 7)
	if n := testing.AllocsPerRun(100, func() { framecode.Read(f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRead(b *testing.B) {
	f := camera.NewFrame(1280, 720, nil)
	framecode.Write(f, 7)
	for b.Loop() {
		framecode.Read(f)
	}
}

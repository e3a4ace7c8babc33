package scene

import (
	"context"
	"hash/crc64"
	"testing"

	"perceive/camera"
	"perceive/camera/cameratest"
)

func TestSource(t *testing.T) {
	c := Config{Seed: 3, Width: 160, Height: 96, Seconds: 1.2}
	open := func(t *testing.T) camera.Source {
		s, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	cameratest.TestSource(t, open, cameratest.Want{
		Info:   camera.Info{URI: "scene://?seed=3&seconds=1.2&width=160&height=96&fps=10", Kind: "scene", Width: 160, Height: 96, FPS: 10, Frames: 12},
		Frames: 12,
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []Config{{Width: 10}, {Height: -1}, {FPS: -1}, {Seconds: 1e9}} {
		if s, err := Open(c); err == nil || s != nil {
			t.Errorf("Open(%+v) = %v, %v", c, s, err)
		}
	}
}

// A second Release of a loan must not put the frame into the pool twice.
func TestReleaseTwice(t *testing.T) {
	s, err := Open(Config{Width: 64, Height: 64})
	if err != nil {
		t.Fatal(err)
	}
	f := mustNext(t, s)
	f.Release()
	f.Release()
	seen := map[*camera.Frame]bool{}
	for range buffers {
		f := mustNext(t, s)
		if seen[f] {
			t.Fatal("one frame is lent twice at a time")
		}
		seen[f] = true
	}
}

func mustNext(t testing.TB, s camera.Source) *camera.Frame {
	t.Helper()
	f, err := s.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The pixels are a promise: who opens a seed again gets the same pictures. Other
// seeds and other times give others.
func TestDeterministic(t *testing.T) {
	sum := func(seed uint64, skip int) uint64 {
		s, err := Open(Config{Seed: seed, Width: 320, Height: 180})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range skip {
			mustNext(t, s).Release()
		}
		f := mustNext(t, s)
		defer f.Release()
		return crc64.Checksum(f.Pix, crc64.MakeTable(crc64.ECMA))
	}
	a := sum(1, 5)
	if b := sum(1, 5); a != b {
		t.Errorf("frame 5 of seed 1 is %x and %x", a, b)
	}
	if a == sum(2, 5) || a == sum(1, 6) {
		t.Error("another seed or another frame has the same pixels")
	}
}

// A frame does not depend on which frames were drawn before it.
func TestFramesAreIndependent(t *testing.T) {
	c := Config{Seed: 4, Width: 320, Height: 180}.withDefaults()
	w := newDrive(c)
	used, fresh := newPainter(c.Width, c.Height), newPainter(c.Width, c.Height)
	a, b := make([]byte, 3*c.Width*c.Height), make([]byte, 3*c.Width*c.Height)
	for seq := range uint64(20) {
		used.render(a, w, c.time(seq), seq)
	}
	fresh.render(b, w, c.time(19), 19)
	if string(a) != string(b) {
		t.Error("frame 19 alone differs from frame 19 after 19 others")
	}
}

func BenchmarkFrame(b *testing.B) {
	c := Config{Seed: 1}.withDefaults()
	w, p := newDrive(c), newPainter(c.Width, c.Height)
	pix := make([]byte, 3*c.Width*c.Height)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		seq := uint64(i % c.frames())
		p.render(pix, w, c.time(seq), seq)
	}
}

func BenchmarkStill(b *testing.B) {
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		Still(i%200, 320, 192)
	}
}

func BenchmarkTruthAt(b *testing.B) {
	c := Config{Seed: 1}
	for i := 0; b.Loop(); i++ {
		c.TruthAt(uint64(i % 100))
	}
}

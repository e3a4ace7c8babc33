//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"perceive/camera"
)

// create starts a video beside whose name other text stands already.
func create(t *testing.T, name string, w, h int) (out *Writer, path string) {
	t.Helper()
	path = save(t, t.TempDir(), name, []byte("old"))
	out, err := CreateVideo(path, w, h, 25)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out, path
}

// keepsOld checks that a video that failed left the name and the folder as they were.
func keepsOld(t *testing.T, path string) {
	t.Helper()
	if text, err := os.ReadFile(path); err != nil || string(text) != "old" {
		t.Errorf("%s holds %d bytes, %v; want what it held before", path, len(text), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.part*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// watch reads a video and checks how many frames of which size it has, and that they
// are in order.
func watch(t *testing.T, path string, n int, size image.Point) {
	t.Helper()
	src, err := OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i := range n {
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatalf("frame %d of %d: %v", i, n, err)
		}
		if got := image.Pt(f.Width, f.Height); got != size {
			t.Fatalf("frame %d is %v, want %v", i, got, size)
		}
		if size.X >= 64 {
			checkNumber(t, f)
		}
		f.Release()
	}
	if _, err := src.Next(t.Context()); err == nil {
		t.Errorf("more than %d frames", n)
	}
}

// H.264 has even sizes: what is odd loses its last row or column, and nothing moves.
func TestWriterSizes(t *testing.T) {
	for _, size := range []image.Point{{192, 108}, {193, 109}, {193, 108}, {192, 109}, {31, 17}, {16, 16}, {3, 3}, {2, 2}} {
		for _, ext := range []string{".mp4", ".mkv", ".MOV"} {
			t.Run(fmt.Sprint(size.X, "x", size.Y, ext), func(t *testing.T) {
				out, path := create(t, "drive"+ext, size.X, size.Y)
				pix := make([]byte, 3*size.X*size.Y)
				for i := range 5 {
					if size.X >= 64 {
						pix = numbered(size.X, size.Y, i)
					}
					if err := out.Write(pix); err != nil {
						t.Fatal(err)
					}
				}
				if text, err := os.ReadFile(path); err != nil || string(text) != "old" {
					t.Errorf("the name was taken before the video was whole: %v", err)
				}
				if err := out.Close(); err != nil {
					t.Fatal(err)
				}
				watch(t, path, 5, image.Pt(size.X&^1, size.Y&^1))
			})
		}
	}
}

// A frame of another size stands in the middle of black; one with gaps between its rows
// looks like one without.
func TestWriteFrame(t *testing.T) {
	out, path := create(t, "drive.mp4", 192, 108)
	wide := &camera.Frame{Width: 192, Height: 108, Stride: 3*192 + 40, Pix: make([]byte, 108*(3*192+40))}
	pix := numbered(192, 108, 1)
	for y := range 108 {
		copy(wide.Pix[y*wide.Stride:], pix[3*192*y:][:3*192])
		fill(wide.Pix[y*wide.Stride+3*192:][:40], 255)
	}
	square := camera.NewFrame(54, 54, nil)
	fill(square.Pix, 200)
	for _, f := range []*camera.Frame{
		{Width: 192, Height: 108, Stride: 3 * 192, Pix: numbered(192, 108, 0)}, wide, square, square,
	} {
		if err := out.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.WriteFrame(&camera.Frame{Width: 10, Height: 10, Stride: 30}); err == nil {
		t.Error("a frame without pixels: no error")
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i := range 4 {
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			checkNumber(t, f)
		} else {
			// 54×54 doubled is 108×108 from column 42 on.
			for _, p := range []struct{ x, want int }{{5, 0}, {36, 0}, {48, 200}, {96, 200}, {144, 200}, {156, 0}, {186, 0}} {
				if got := int(f.Pix[f.Stride*54+3*p.x]); got < p.want-8 || got > p.want+8 {
					t.Errorf("frame %d: column %d is %d, want %d", i, p.x, got, p.want)
				}
			}
		}
		f.Release()
	}
}

func TestCreateVideoRefuses(t *testing.T) {
	dir := t.TempDir()
	file := save(t, dir, "file", []byte("old"))
	sub := filepath.Join(dir, "folder.mp4")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(dir, "device.mp4")
	if err := os.Symlink("/dev/null", device); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		w, h       int
		fps        float64
		want       error
		says       string
	}{
		{"extension", filepath.Join(dir, "a.avi"), 64, 48, 25, nil, "must end in one of .mp4 .mov .mkv"},
		{"no extension", filepath.Join(dir, "a"), 64, 48, 25, nil, "must end in"},
		{"folder is missing", filepath.Join(dir, "none", "a.mp4"), 64, 48, 25, fs.ErrNotExist, "no such file"},
		{"folder is a file", filepath.Join(file, "a.mp4"), 64, 48, 25, syscall.ENOTDIR, "not a directory"},
		{"is a folder", sub, 64, 48, 25, nil, "not a regular file"},
		{"is a device", device, 64, 48, 25, nil, "not a regular file"},
		{"too small", filepath.Join(dir, "a.mp4"), 1, 48, 25, nil, "1×48 pixels"},
		{"too large", filepath.Join(dir, "a.mp4"), 64, 20000, 25, nil, "64×20000 pixels"},
		{"no rate", filepath.Join(dir, "a.mp4"), 64, 48, 0, nil, "at 0 frames"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := CreateVideo(tc.path, tc.w, tc.h, tc.fps)
			if err == nil {
				out.Close()
				t.Fatal("no error")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("%v: want it to be %q", err, tc.want)
			}
			if s := err.Error(); !strings.Contains(s, tc.says) || !strings.Contains(s, tc.path) || strings.Contains(s, "\n") {
				t.Errorf("error is %q: want one line with %q and the file", s, tc.says)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestCreateVideoWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	path := save(t, dir, "drive.mp4", []byte("old"))
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	asNobody(t, func() {
		if _, err := CreateVideo(path, 64, 48, 25); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v; want permission denied and the file's name", err)
		}
	})
	keepsOld(t, path)
}

// The ways in which a video comes to nothing: the name keeps what it had.
func TestWriterFails(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, out *Writer)
		says  string
	}{
		{"no frame", func(*testing.T, *Writer) {}, "no frame was written"},
		{"first frame of a wrong size", func(t *testing.T, out *Writer) {
			if err := out.Write(make([]byte, 10)); err == nil || !strings.Contains(err.Error(), "10 bytes, want 64×48") {
				t.Errorf("Write: %v", err)
			}
		}, "no frame was written"},
		{"removed by somebody", func(t *testing.T, out *Writer) {
			if err := errors.Join(out.Write(numbered(64, 48, 0)), os.Remove(out.part)); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, path := create(t, "drive.mp4", 64, 48)
			tc.spoil(t, out)
			err := out.Close()
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("Close: %v; want %q and the file", err, tc.says)
			}
			if err := out.Close(); err != nil {
				t.Errorf("Close again: %v", err)
			}
			if err := out.Write(numbered(64, 48, 0)); err == nil {
				t.Error("Write after Close: no error")
			}
			keepsOld(t, path)
		})
	}
}

// The disk runs full: the video ends there, says so each time, and what was written plays.
func TestWriterDiskFull(t *testing.T) {
	out, path := create(t, "drive.mp4", 192, 108)
	asked := 0
	out.free = func(dir string) (uint64, error) {
		if dir != filepath.Dir(path) {
			t.Errorf("asked for the space of %s", dir)
		}
		if asked++; asked > 3 {
			return reserve - 1, nil
		}
		return reserve, nil
	}
	n := 0
	var err error
	for ; n < 1000 && err == nil; n++ {
		err = out.Write(numbered(192, 108, n))
	}
	n-- // the one that failed
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), fmt.Sprint("frame ", n)) {
		t.Errorf("Write: %v; want ENOSPC, the file and frame %d", err, n)
	}
	if n != 3*checkEvery {
		t.Errorf("%d frames before the end, want %d", n, 3*checkEvery)
	}
	out.free = freeSpace // room again, but the frame is missing
	if again := out.Write(numbered(192, 108, n)); !errors.Is(again, err) {
		t.Errorf("Write again: %v", again)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	watch(t, path, n, image.Pt(192, 108))
}

// Full from the start: nothing is begun.
func TestCreateVideoDiskFull(t *testing.T) {
	path := save(t, t.TempDir(), "drive.mp4", []byte("old"))
	if _, err := createVideo(path, 64, 48, 25, func(string) (uint64, error) { return 5 << 20, nil }); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "5 MiB are free") {
		t.Errorf("%v; want ENOSPC and how much is free", err)
	}
	keepsOld(t, path)
}

// Where free space cannot be asked for and the disk takes no more, FFmpeg's errors get
// lost in OpenCV: Close finds out. A limit on the size of files stands for the disk; it
// holds for a whole process, so the test goes on in one of its own.
func TestWriterDiskTakesNoMore(t *testing.T) {
	if os.Getenv("PERCEIVE_TEST_LIMITS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriterDiskTakesNoMore$")
		cmd.Env = append(os.Environ(), "PERCEIVE_TEST_LIMITS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	for _, ext := range []string{".mp4", ".mov", ".mkv"} {
		whole, err := writeLimited(t, ext, 1<<20)
		if err != nil || whole < 5000 {
			t.Fatalf("%s without a limit: %d bytes, %v", ext, whole, err)
		}
		limits := []int64{0, 1, 15, 20, 40, 100, 500, 4096, whole - 600, whole - 16, whole - 1}
		for i := range int64(10) {
			limits = append(limits, whole*i/10)
		}
		for _, limit := range limits {
			if n, err := writeLimited(t, ext, limit); err == nil || !errors.Is(err, camera.ErrTruncated) && !errors.Is(err, syscall.EFBIG) {
				t.Errorf("%s: disk full after %d of %d bytes: a file of %d, error %v", ext, limit, whole, n, err)
			}
		}
	}
}

// writeLimited writes a video while no file may grow past limit, and returns its size.
func writeLimited(t *testing.T, ext string, limit int64) (size int64, err error) {
	t.Helper()
	path := save(t, t.TempDir(), "drive"+ext, []byte("old"))
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(limit), Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_FSIZE, &before)
	out, err := createVideo(path, 192, 108, 25, func(string) (uint64, error) { return 0, syscall.ENOSYS })
	for i := 0; err == nil && i < 20; i++ {
		err = out.Write(noise(192, 108, 3*192).Pix)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		keepsOld(t, path)
		return 0, err
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size(), nil
}

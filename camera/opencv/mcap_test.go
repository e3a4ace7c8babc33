//go:build gocv_specific_modules && gocv_videoio

package opencv_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/cameratest"
	"perceive/camera/opencv"
	"perceive/internal/mcap"
)

// drive writes an MCAP recording of n pictures of 32×24 of each camera, at 10 a second, a chunk for
// each five. The grey level of a picture is its number times 20. bad says what is in the place of
// a picture.
func drive(t testing.TB, n int, bad map[int]string, cameras ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := mcap.NewWriter(&b, "test", mcap.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	results, _ := w.AddChannel(mcap.Channel{Topic: "/perceive/front/results", Encoding: "json", Schema: mcap.Schema{Name: "perceive.Result", Encoding: "jsonschema"}})
	var channels []int
	for _, c := range cameras {
		id, err := w.AddChannel(mcap.Channel{Topic: "/perceive/" + c + "/image", Encoding: "json", Schema: mcap.Schema{Name: "foxglove.CompressedImage", Encoding: "jsonschema", Data: []byte("{}")}})
		if err != nil {
			t.Fatal(err)
		}
		channels = append(channels, id)
	}
	for i := range n {
		at := time.Unix(1700000000, int64(i)*1e8)
		w.Add(results, &mcap.Message{Logged: at, Published: at, Data: []byte(`{}`)})
		for _, c := range channels {
			jpeg, err := opencv.EncodeJPEG(32, 24, bytes.Repeat([]byte{byte(20 * i)}, 3*32*24), 90)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(`{"timestamp":{"sec":1,"nsec":0},"frame_id":"x","format":"jpeg","data":"%s"}`, base64.StdEncoding.EncodeToString(jpeg))
			if other, ok := bad[i]; ok {
				text = other
			}
			w.Add(c, &mcap.Message{Sequence: uint32(3 * i), Logged: at.Add(time.Millisecond), Published: at, Data: []byte(text)})
		}
		if i%5 == 4 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func save(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drive.mcap")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkGrey(t *testing.T, f *camera.Frame) {
	t.Helper()
	if want := int(20 * f.Seq); int(f.Pix[0]) < want-3 || int(f.Pix[0]) > want+3 {
		t.Errorf("frame %d is %d, want %d", f.Seq, f.Pix[0], want)
	}
	if want := time.Duration(f.Seq) * 100 * time.Millisecond; f.Time != want || f.Stamp != want || f.Clock != camera.ContainerClock {
		t.Errorf("frame %d at %v, stamp %v of %q", f.Seq, f.Time, f.Stamp, f.Clock)
	}
}

func TestMCAP(t *testing.T) {
	damaged := map[int]string{4: `{"data":"/9j/AAAA"}`, 5: `{"data":3}`, 6: `{}`}
	path := save(t, drive(t, 12, damaged, "front"))
	cameratest.TestSource(t, func(t *testing.T) camera.Source {
		src, err := opencv.Open(path, opencv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}, cameratest.Want{Info: camera.Info{URI: path, Kind: "mcap", Width: 32, Height: 24, FPS: 10, Frames: 12}, Frames: 12, Bad: []uint64{4, 5, 6}, Check: checkGrey})
}

func TestMCAPCameras(t *testing.T) {
	path := save(t, drive(t, 6, nil, "front", "rear"))
	for uri, says := range map[string]string{
		path:                           `["front" "rear"]`,
		path + "?camera=left":          `and not "left"`,
		path + "?cam=left":             "camera=NAME",
		path + "?camera=front&fps=1":   "camera=NAME",
		save(t, drive(t, 6, nil)):      "outputs.mcap.pictures",
		path[:len(path)-5] + "-x.mcap": "no such file",
	} {
		if _, err := opencv.Open(uri, opencv.Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", uri, err, says)
		}
	}
	cameratest.TestSource(t, func(t *testing.T) camera.Source {
		src, err := opencv.Open(path+"?camera=rear", opencv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}, cameratest.Want{Info: camera.Info{URI: path + "?camera=rear", Kind: "mcap", Width: 32, Height: 24}, Frames: 6, Check: checkGrey})
}

// all reads a source to its end.
func all(t *testing.T, path string) (n int, note string, end error) {
	t.Helper()
	src, err := opencv.Open(path, opencv.Options{})
	if err != nil {
		return 0, "", err
	}
	defer src.Close()
	for {
		f, err := src.Next(t.Context())
		if bad := (*camera.FrameError)(nil); err != nil && !errors.As(err, &bad) {
			return n, src.Info().Note, err
		}
		if n++; f != nil {
			f.Release()
		}
	}
}

// What a crash left ends where its last chunk does, with a note; damage is an error that names the
// file and the byte.
func TestMCAPCutAndDamaged(t *testing.T) {
	whole := drive(t, 12, nil, "front")
	n, note, err := all(t, save(t, whole[:len(whole)*6/10]))
	if err != io.EOF || n == 0 || n >= 12 || n%5 != 0 || !strings.Contains(note, "at byte") {
		t.Errorf("cut: %d frames, note %q, %v", n, note, err)
	}
	spoilt := bytes.Clone(whole)
	for i := len(spoilt) / 2; i < len(spoilt)/2+20; i++ {
		spoilt[i] ^= 0x55
	}
	path := save(t, spoilt)
	n, note, err = all(t, path)
	if err == nil || err == io.EOF || n >= 12 || note != "" || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "byte ") {
		t.Errorf("damaged: %d frames, note %q, %v", n, note, err)
	}
	for _, text := range []string{"", "\x89MCAP0\r\n", "RIFF    AVI "} {
		if n, _, err := all(t, save(t, []byte(text))); err == nil || err == io.EOF || n > 0 {
			t.Errorf("%q: %d frames, %v", text, n, err)
		}
	}
}

// A wall clock that was set back does not turn time back.
func TestMCAPTimeGrows(t *testing.T) {
	var b bytes.Buffer
	w, _ := mcap.NewWriter(&b, "test", mcap.None)
	id, _ := w.AddChannel(mcap.Channel{Topic: "/theirs", Encoding: "json", Schema: mcap.Schema{Name: "foxglove.CompressedImage"}})
	jpeg, err := opencv.EncodeJPEG(16, 16, make([]byte, 3*16*16), 90)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []int64{100, 101, 50, 51, 103} {
		at := time.Unix(s, 0)
		w.Add(id, &mcap.Message{Logged: at, Published: at, Data: []byte(`{"data":"` + base64.StdEncoding.EncodeToString(jpeg) + `"}`)})
	}
	w.Close()
	src, err := opencv.Open(save(t, b.Bytes())+"?camera=%2Ftheirs", opencv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i, want := range []time.Duration{0, 1000, 1001, 1002, 3000} {
		f, err := src.Next(t.Context())
		if err != nil || f.Time != want*time.Millisecond {
			t.Fatalf("frame %d: %v, %v", i, f, err)
		}
		f.Release()
	}
}

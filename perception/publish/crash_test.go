package publish_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"perceive/camera"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/publish"
	"perceive/perception/record"
)

// crashDir names the environment variable that makes the test binary a recorder to be killed.
const crashDir = "PERCEIVE_TEST_CRASH"

// crash records without end. When it has recorded for a while it prints how many results must be
// on the disk by then.
func crash() {
	dir := publish.FileOptions{Dir: os.Getenv(crashDir)}
	files, err := publish.NewFiles(dir, head, publish.Options{})
	if err != nil {
		panic(err)
	}
	rec, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: dir, Compression: mcap.Zstd}, head, publish.Options{PictureRate: 5})
	if err != nil {
		panic(err)
	}
	f := camera.NewFrame(64, 48, nil)
	begin, early, said := time.Now(), 0, false
	for i := 0; ; i++ {
		files.Emit(context.Background(), ok(i), nil)
		rec.Emit(context.Background(), ok(i), f)
		time.Sleep(2 * time.Millisecond)
		switch run := time.Since(begin); {
		case run < 500*time.Millisecond:
			early = i + 1
		case run > 2500*time.Millisecond && !said: // a second is promised
			fmt.Println(early)
			said = true
		}
	}
}

func isCut(err error) bool { return errors.Is(err, mcap.ErrTruncated) }

// messages reads an MCAP file of one source without a name, and checks each message.
func messages(t testing.TB, path string) (results, images int, err error) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, text, err)
	var h perception.Header
	all, stop := mcap.Read(bytes.NewReader(text))
	for c, m := range all {
		switch c.Topic {
		case "/perceive/header":
			if err := json.Unmarshal(m.Data, &h); err != nil {
				t.Error(err)
			}
		case "/perceive/results", "/perceive/front/results":
			if _, err := record.Parse(&h, m.Data); err != nil {
				t.Error(err)
			}
			results++
		case "/perceive/image", "/perceive/front/image":
			picture(t, m.Data)
			images++
		case "/perceive/events":
		default:
			t.Errorf("topic %s", c.Topic)
		}
	}
	return results, images, stop()
}

// picture is the decoded picture of a foxglove.CompressedImage.
func picture(t testing.TB, data []byte) image.Image {
	t.Helper()
	var m struct {
		Timestamp struct{ Sec, Nsec int64 }
		FrameID   string `json:"frame_id"`
		Format    string
		Data      string
	}
	if err := json.Unmarshal(data, &m); err != nil || m.Format != "jpeg" || m.Timestamp.Sec == 0 {
		t.Fatalf("%.200s: %v", data, err)
	}
	file, err := base64.StdEncoding.DecodeString(m.Data)
	must(t, file, err)
	img, err := jpeg.Decode(bytes.NewReader(file))
	return must(t, img, err)
}

// A recording holds the header, results, events and pictures, in files of their length.
func TestMCAPRecordings(t *testing.T) {
	dir := t.TempDir()
	q, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: publish.FileOptions{Dir: dir, MaxBytes: 1, MaxFiles: 3}, Compression: mcap.None},
		head, publish.Options{Name: "mcap", PictureRate: 10, Lines: 10})
	must(t, q, err)
	f := camera.NewFrame(64, 48, nil)
	f.Stride, f.Pix = 200, make([]byte, 200*48)
	for y := range 48 {
		for x := range 64 {
			f.Pix[y*200+3*x+2] = 255 // red
		}
	}
	for i := range 3 {
		r := ok(i)
		r.Source = "front"
		q.Emit(t.Context(), r, f)
		path := filepath.Join(dir, fmt.Sprintf("perceive-%06d.mcap", i+1))
		eventually(t, "it is on the disk", func() bool { info, err := os.Stat(path); return err == nil && info.Size() > 1000 })
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if names := list(t, dir); len(names) != 3 {
		t.Error(names)
	}
	for i := range 3 {
		path := filepath.Join(dir, fmt.Sprintf("perceive-%06d.mcap", i+1))
		if results, images, err := messages(t, path); results != 1 || images != 1 || err != nil {
			t.Errorf("%s: %d results, %d pictures, %v", path, results, images, err)
		}
	}
	all, stop := mcap.Read(bytes.NewReader([]byte(read(t, dir, "perceive-000002.mcap"))))
	for c, m := range all {
		if c.Topic == "/perceive/front/image" {
			img := picture(t, m.Data)
			r, g, b, _ := img.At(60, 40).RGBA()
			if img.Bounds() != image.Rect(0, 0, 64, 48) || r < 0xf000 || g > 0x1000 || b > 0x1000 {
				t.Errorf("%v, %x %x %x", img.Bounds(), r, g, b)
			}
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A full disk costs a recording what the queue cannot hold, and no file.
func TestMCAPSurvivesAFullDisk(t *testing.T) {
	d := &disk{files: map[string][]byte{}, room: 4000}
	q, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: publish.FileOptions{Dir: "/x", Disk: d}}, head, publish.Options{Name: "mcap"})
	must(t, q, err)
	n := 0
	for ; q.Stats().Error == ""; n++ {
		q.Emit(t.Context(), ok(n), nil)
		time.Sleep(10 * time.Millisecond)
	}
	d.set(1 << 20)
	eventually(t, "it goes on", func() bool { return q.Stats().Error == "" })
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if results, _, err := messages(t, d.save(t)[0]); results != n || err != nil {
		t.Errorf("%d of %d results, %v", results, n, err)
	}
}

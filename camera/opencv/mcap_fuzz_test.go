//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"testing"
	"time"

	"perceive/internal/mcap"
)

// Whatever a file holds, what the scan counts is what is read, and neither fails but with words.
func FuzzScanMCAP(f *testing.F) {
	for _, data := range []string{`{"data":"/9j/2Q=="}`, `{"data":null}`, `[`} {
		var b bytes.Buffer
		w, err := mcap.NewWriter(&b, "fuzz", mcap.None)
		if err != nil {
			f.Fatal(err)
		}
		for _, topic := range []string{"/perceive/front/image", "/perceive/image", "/other"} {
			id, _ := w.AddChannel(mcap.Channel{Topic: topic, Encoding: "json", Schema: mcap.Schema{Name: pictureSchema}})
			w.Add(id, &mcap.Message{Published: time.Unix(5, 0), Data: []byte(data)})
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		cameras, end := scan(bytes.NewReader(file))
		if end != nil && end.Error() == "" {
			t.Error("an error without words")
		}
		for name, has := range cameras {
			next, stop, _ := pictures(bytes.NewReader(file), name)
			n := 0
			for {
				m, ok := next()
				if !ok {
					break
				}
				n++
				if data, err := pictureOf(m.Data); err == nil && len(data) > len(m.Data) {
					t.Error("a picture that is longer than its message")
				}
			}
			if stop(); n < has.frames || n > has.frames && end == nil {
				t.Errorf("%q: %d counted, %d read, %v", name, has.frames, n, end)
			}
		}
	})
}

func FuzzCutMCAP(f *testing.F) {
	f.Add("a/drive.mcap?camera=front%2Fleft")
	f.Add("drive.MCAP?camera=")
	f.Fuzz(func(t *testing.T, uri string) {
		path, name, ok, err := CutMCAP(uri)
		if !ok && (path != uri || name != "" || err != nil) {
			t.Errorf("%q is no recording, and became %q, %q, %v", uri, path, name, err)
		}
	})
}

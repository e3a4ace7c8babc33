package dataset

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"perceive/camera"
)

// Attributes that are texts are kept, others are passed over, and neither changes the
// fingerprint.
func TestAttributes(t *testing.T) {
	dir := t.TempDir()
	read := func(attrs string) *Set {
		t.Helper()
		path := filepath.Join(dir, "labels.jsonl")
		if err := os.WriteFile(path, []byte(`{"path":"x.jpg","labels":{"a":1,"b":0}`+attrs+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := openFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	bare := read("")
	for text, want := range map[string]map[string]string{
		``: nil,
		`,"attrs":{"timeofday":"night","weather":"rainy"}`:   {"timeofday": "night", "weather": "rainy"},
		`,"attrs":{"timeofday":"night","speed":30,"x":null}`: {"timeofday": "night"},
		`,"attrs":["night"]`: nil,
		`,"attrs":7`:         nil,
	} {
		set := read(text)
		if got := set.Items[0].Attrs; !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		if set.Fingerprint() != bare.Fingerprint() {
			t.Errorf("%s: the fingerprint changes", text)
		}
	}
}

// Inputs are fitted as the model wants them, and the file's own size is known.
func TestInputsFit(t *testing.T) {
	set := &Set{Labels: ab, Items: []Item{painted("wide", 40, 20, 200, Positive, Negative)}}
	for _, tc := range []struct {
		fit        *Fit
		first, low byte // the first and last pixel
	}{
		{nil, PadGrey, PadGrey},
		{&Fit{camera.Letterbox, PadGrey}, PadGrey, PadGrey},
		{&Fit{camera.Letterbox, 7}, 7, 7},
		{&Fit{camera.Corner, 7}, 200, 7},
		{&Fit{camera.Stretch, 0}, 200, 200},
	} {
		c, err := OpenInputs(t.Context(), set, 16, 16, CacheOptions{Fit: tc.fit})
		if err != nil {
			t.Fatal(err)
		}
		in := make([]byte, 3*16*16)
		if err := c.Input(in, 0); err != nil {
			t.Fatal(err)
		}
		if in[0] != tc.first || in[len(in)-1] != tc.low {
			t.Errorf("%+v: first pixel %d, last %d, want %d, %d", tc.fit, in[0], in[len(in)-1], tc.first, tc.low)
		}
		if w, h := c.FileSize(0); w != 40 || h != 20 {
			t.Errorf("file of %d×%d", w, h)
		}
		c.Close()
	}
}

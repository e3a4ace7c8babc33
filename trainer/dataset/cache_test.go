package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"perceive/camera/opencv"
)

// pictureSet is n picture files of different greys in a folder, the last of them damaged.
func pictureSet(t *testing.T, n int) *Set {
	t.Helper()
	dir := t.TempDir()
	s := &Set{Labels: ab}
	for i := range n {
		path := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		if err := opencv.EncodeFile(path, 40+i, 20, bytes.Repeat([]byte{byte(20 * i)}, 3*20*(40+i))); err != nil {
			t.Fatal(err)
		}
		s.Items = append(s.Items, Item{Path: path, Name: filepath.Base(path), Labels: []State{Positive, Negative}})
	}
	if err := os.WriteFile(s.Items[n-1].Path, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func openTest(t *testing.T, set *Set, dir string) *Cache {
	t.Helper()
	c, err := OpenCache(t.Context(), set, 32, CacheOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// The second start decodes nothing, and has the same pictures.
func TestCacheFileIsReused(t *testing.T) {
	set, dir := pictureSet(t, 6), filepath.Join(t.TempDir(), "not", "there yet")
	first := openTest(t, set, dir)
	memory := openTest(t, set, "")
	if first.Reused || !strings.Contains(first.Reason, "first time") || first.File == "" || memory.File != "" {
		t.Errorf("first: reused %v, %q, %q", first.Reused, first.Reason, first.File)
	}
	second := openTest(t, set, dir)
	if !second.Reused {
		t.Fatalf("not reused: %s", second.Reason)
	}
	if len(second.Bad) != 1 || second.Bad[0].Error() != first.Bad[0].Error() || !slices.Equal(second.Usable(), memory.Usable()) || second.Bytes != memory.Bytes {
		t.Errorf("bad %v, usable %v, %d bytes", second.Bad, second.Usable(), second.Bytes)
	}
	for i := range memory.pix {
		a, b := memory.pix[i], second.pix[i]
		if a.w != b.w || a.h != b.h || a.fw != b.fw || a.scale != b.scale || !bytes.Equal(a.bgr, b.bgr) {
			t.Errorf("picture %d differs", i)
		}
	}
	// The labels are no part of it, nor is the order of starts.
	other := *set
	other.Items = slices.Clone(set.Items)
	other.Items[0].Labels = []State{Unknown, Positive}
	if !openTest(t, &other, dir).Reused {
		t.Error("another label decodes anew")
	}
	inputs, err := OpenInputs(t.Context(), set, 32, 16, CacheOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer inputs.Close()
	if inputs.Reused || inputs.File == first.File {
		t.Error("another size has the same file")
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if half, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 2 || len(half) != 0 {
		t.Errorf("files left: %v, %v", left, half)
	}
	if err := errors.Join(second.Close(), second.Close()); err != nil {
		t.Error(err)
	}
}

// Whatever became of the file or the pictures, the cache says why it starts anew, and has
// the right pixels.
func TestCacheFileIsNotTrusted(t *testing.T) {
	change := func(f func(data []byte) []byte) func(t *testing.T, c *Cache) {
		return func(t *testing.T, c *Cache) {
			data, err := os.ReadFile(c.File)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(c.File, f(bytes.Clone(data)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, c *Cache)
		says  string
	}{
		{"cut short", change(func(d []byte) []byte { return d[:len(d)/2] }), "cut short"},
		{"the last byte missing", change(func(d []byte) []byte { return d[:len(d)-1] }), "cut short"},
		{"empty", change(func(d []byte) []byte { return nil }), "cut short: 0 bytes"},
		{"a bit of a pixel", change(func(d []byte) []byte { d[len(cacheMagic)+100] ^= 1; return d }), "damaged in "},
		{"a bit of the index", change(func(d []byte) []byte { d[len(d)-120] ^= 1; return d }), "index is damaged"},
		{"a bit of the trailer", change(func(d []byte) []byte { d[len(d)-int(trailerSize)] ^= 1; return d }), "damaged"},
		{"another file", change(func(d []byte) []byte { return bytes.Repeat([]byte("x"), len(d)) }), "another format"},
		{"a picture that was replaced", func(t *testing.T, c *Cache) {
			if err := opencv.EncodeFile(c.Set.Items[2].Path, 10, 10, make([]byte, 300)); err != nil {
				t.Fatal(err)
			}
		}, "2.png has changed"},
		{"a picture that was touched", func(t *testing.T, c *Cache) {
			if err := os.Chtimes(c.Set.Items[2].Path, time.Now(), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}, "2.png has changed"},
		{"a picture that is gone", func(t *testing.T, c *Cache) { os.Remove(c.Set.Items[2].Path) }, "2.png has changed"},
		{"a picture that was mended", func(t *testing.T, c *Cache) {
			if err := opencv.EncodeFile(c.Set.Items[4].Path, 10, 10, make([]byte, 300)); err != nil {
				t.Fatal(err)
			}
		}, "4.png has changed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, dir := pictureSet(t, 5), t.TempDir()
			c := openTest(t, set, dir)
			c.Close()
			tc.spoil(t, c)
			again, memory := openTest(t, set, dir), openTest(t, set, "")
			if again.Reused || !strings.Contains(again.Reason, tc.says) {
				t.Errorf("reused %v, reason %q does not say %q", again.Reused, again.Reason, tc.says)
			}
			for i := range memory.pix {
				if !bytes.Equal(memory.pix[i].bgr, again.pix[i].bgr) {
					t.Errorf("picture %d differs", i)
				}
			}
			if !openTest(t, set, dir).Reused {
				t.Error("and once more")
			}
		})
	}
}

// What a killed program left half written goes, what another one is writing stays.
func TestCacheSweeps(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, ".x"+cacheSuffix+"1"), filepath.Join(dir, ".x"+cacheSuffix+"2")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*abandoned)); err != nil {
		t.Fatal(err)
	}
	openTest(t, pictureSet(t, 3), dir)
	if _, err := os.Stat(old); err == nil {
		t.Error("the old half is there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("the young half is gone")
	}
}

func TestCacheFolderThatCannotBe(t *testing.T) {
	set, dir := pictureSet(t, 3), t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, filepath.Join(file, "below"), "/proc/perceive"} {
		_, err := OpenCache(t.Context(), set, 32, CacheOptions{Dir: bad})
		if err == nil || !strings.Contains(err.Error(), bad) || !strings.Contains(err.Error(), "--cache DIR") {
			t.Errorf("%s: error %v does not say what to do", bad, err)
		}
	}
	full := cacheError("/disk/", &fs.PathError{Op: "write", Path: "/disk/x", Err: unix.ENOSPC})
	if !strings.Contains(full.Error(), "free some space") || !strings.Contains(full.Error(), "/disk") {
		t.Errorf("a full disk: %v", full)
	}
}

// Rendered scenes are kept too; pictures that nothing is known by are not.
func TestCacheOfDrawnPictures(t *testing.T) {
	dir := t.TempDir()
	scenes, err := Open([]string{"scene:4"}, road)
	if err != nil {
		t.Fatal(err)
	}
	c := openTest(t, scenes, dir)
	for i := range scenes.Items {
		scenes.Items[i].Pixels = func() (int, int, []byte, error) { return 0, 0, nil, errors.New("drawn again") }
	}
	again := openTest(t, scenes, dir)
	if !again.Reused || !bytes.Equal(c.pix[3].bgr, again.pix[3].bgr) {
		t.Errorf("scenes were drawn again: %s", again.Reason)
	}
	nameless := openTest(t, &Set{Labels: ab, Items: []Item{painted("x", 40, 20, 5, Positive, Negative)}}, dir)
	if nameless.File != "" || nameless.Reason == "" {
		t.Errorf("a picture without a key is in %q", nameless.File)
	}
}

// A loader makes the same batches from a file as from memory.
func TestLoaderFromFile(t *testing.T) {
	set, dir := pictureSet(t, 6), t.TempDir()
	frames := func(c *Cache) []byte {
		l := testLoader(t, c, 2, 1)
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return b.Frames
	}
	if !bytes.Equal(frames(openTest(t, set, dir)), frames(openTest(t, set, ""))) {
		t.Error("batches differ")
	}
}

func TestBadPicturesByPolicy(t *testing.T) {
	set := pictureSet(t, 5)
	os.Remove(set.Items[0].Path)
	set.Items[1].Boxes = []Box{{0, 500, 3, 10, 10}}
	dir := t.TempDir()
	for range 2 { // decoded, and from the file
		c := openTest(t, set, dir)
		if got := c.Usable(); !slices.Equal(got, []int{2, 3}) {
			t.Errorf("usable %v", got)
		}
		if err := c.Check(Skip); err != nil {
			t.Error(err)
		}
		if c.Fingerprint() == set.Fingerprint() {
			t.Error("the fingerprint does not see what is left out")
		}
		err := c.Check(Fail)
		if !errors.Is(err, ErrFlawed) {
			t.Fatal(err)
		}
		for _, says := range []string{missingPictures, "0.png", badPictures, "4.png", strayBoxes, "1.png: box 0 of a"} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%v does not say %q", err, says)
			}
		}
	}
}

// Whatever the bytes, the index lies within the file.
func FuzzCacheIndex(f *testing.F) {
	x := cacheIndex{What: "side 8", Pictures: []cachedPicture{{stamp: stamp{"a", 1, 2}, W: 2, H: 1, FileW: 2, FileH: 1, Scale: 1, At: 16}, {Bad: "damaged"}}}
	tail, err := x.marshal(22)
	if err != nil {
		f.Fatal(err)
	}
	good := append([]byte(cacheMagic+"pixels"), tail...)
	if _, err := parseIndex(good); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := parseIndex(data)
		if err != nil {
			return
		}
		for _, p := range x.Pictures {
			if p.Bad == "" {
				_ = data[p.At:][:3*p.W*p.H]
			}
		}
	})
}

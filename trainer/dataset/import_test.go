package dataset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"perceive/camera/opencv"
	"perceive/internal/realdata"
)

var road = []string{"pedestrian", "car", "stop_sign", "traffic_light"}

// Two pictures: one with a person, a stop sign and a crowd of cars, one empty.
const cocoText = `{"images":[{"id":7,"file_name":"a.jpg"},{"id":9,"file_name":"b.jpg"}],
"annotations":[
 {"image_id":7,"category_id":1,"bbox":[1,2,30,40],"iscrowd":0},
 {"image_id":7,"category_id":13,"bbox":[5,6,7,8],"iscrowd":0},
 {"image_id":7,"category_id":3,"bbox":[0,0,9,9],"iscrowd":0},
 {"image_id":7,"category_id":3,"bbox":[0,0,99,99],"iscrowd":1},
 {"image_id":7,"category_id":44,"bbox":[0,0,1,1],"iscrowd":0}],
"categories":[{"id":1,"name":"person"},{"id":3,"name":"car"},{"id":13,"name":"stop sign"},{"id":44,"name":"bottle"}]}`

const bddText = `[{"name":"a.jpg","videoName":"v","labels":[
 {"category":"traffic light","box2d":{"x1":10,"y1":20,"x2":19,"y2":39}},
 {"category":"car","box2d":null,"poly2d":[]},
 {"category":"traffic sign","box2d":{"x1":1,"y1":1,"x2":2,"y2":2}},
 {"category":"lane"}]},
 {"name":"b.jpg","labels":[]},{"name":"c.jpg"}]`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "labels.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImport(t *testing.T) {
	for _, tc := range []struct {
		name, scheme, text string
		states             [][]State
		boxes              []Box // of the first item
		skipped            int
	}{
		{"coco", "coco", cocoText, [][]State{{Positive, Positive, Positive, Unknown}, {Negative, Negative, Negative, Unknown}},
			[]Box{{0, 1, 2, 30, 40}, {2, 5, 6, 7, 8}}, 0},
		{"bdd", "bdd100k", bddText, [][]State{{Negative, Positive, Unknown, Positive}, {Negative, Negative, Unknown, Negative}},
			[]Box{{3, 10, 20, 10, 20}}, 1},
		{"bdd, in an object, with a byte order mark", "bdd100k", "\xef\xbb\xbf{\"frames\":" + bddText + "}", [][]State{{Negative, Positive, Unknown, Positive}, {Negative, Negative, Unknown, Negative}},
			[]Box{{3, 10, 20, 10, 20}}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.text)
			set, err := Open([]string{tc.scheme + ":" + path + "?images=/pictures"}, road)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range tc.states {
				if got := set.Items[i].Labels; !slices.Equal(got, want) {
					t.Errorf("item %d: %v, want %v", i, got, want)
				}
			}
			if got := set.Items[0].Boxes; !slices.Equal(got, tc.boxes) {
				t.Errorf("boxes %v, want %v", got, tc.boxes)
			}
			if set.Items[0].Path != "/pictures/a.jpg" {
				t.Errorf("path %q", set.Items[0].Path)
			}
			if n := set.Skipped["frames that nobody labelled"]; n != tc.skipped {
				t.Errorf("%d skipped, want %d", n, tc.skipped)
			}
		})
	}
}

func TestImportMap(t *testing.T) {
	set, err := Open([]string{"coco:" + write(t, cocoText) + "?map=bottle:traffic_light"}, road)
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Items[0].Labels[3]; got != Positive {
		t.Errorf("bottle counts as %v, want positive", got)
	}
}

func TestImportRefuses(t *testing.T) {
	for _, tc := range []struct{ name, uri, text, says string }{
		{"not JSON", "coco:%", "hello", "invalid character"},
		{"another format", "coco:%", `{"hello":1}`, "not COCO"},
		{"no category of ours", "coco:%", `{"images":[{"id":1,"file_name":"a"}],"categories":[{"id":1,"name":"cat"}]}`, "map=CATEGORY:LABEL"},
		{"an image twice", "coco:%", `{"images":[{"id":1,"file_name":"a"},{"id":1,"file_name":"b"}],"categories":[{"id":1,"name":"car"}]}`, "twice"},
		{"an annotation of nothing", "coco:%", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":2,"category_id":1}],"categories":[{"id":1,"name":"car"}]}`, "annotation 0"},
		{"an unknown option", "coco:%?colour=1", cocoText, "colour"},
		{"a map to nothing", "coco:%?map=cat:dog", cocoText, "dog"},
		{"an object", "bdd100k:%", `{"hello":1}`, "no frames"},
		{"a number", "bdd100k:%", `3`, "not BDD100K"},
		{"no names", "bdd100k:%", `[{"url":"x"}]`, `no "name"`},
		{"predictions", "bdd100k:%", `[{"name":"a","labels":[{"category":"car","score":0.5}]}]`, "predictions"},
		{"nobody looked", "bdd100k:%", `[{"name":"a"}]`, "nobody labelled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.text)
			_, err := Open([]string{strings.Replace(tc.uri, "%", path, 1)}, road)
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v: want one that names the file and says %q", err, tc.says)
			}
		})
	}
}

// Real files, where the data set of this project lies beside the checkout: each is read,
// or refused with one line; with Skip nothing is refused for a flaw, and what is left is
// sound.
func TestImportRealFiles(t *testing.T) {
	var read, refused, flawed int
	for scheme, pattern := range map[string]string{"coco": "coco/*/*.json", "bdd100k": "bdd/*/*/*/*/*.json"} {
		files := realdata.Glob(t, "annotations/"+pattern)
		if scheme == "bdd100k" {
			files = append(files, realdata.Glob(t, "annotations/bdd/scalabel_*/*.json")...)
		}
		for _, path := range files {
			set, err := Open([]string{scheme + ":" + path}, road)
			switch {
			case err == nil && len(set.Items) > 0:
				read++
				sound(t, path, set)
			case err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n"):
				t.Errorf("%s: neither read nor refused in a line: %v", path, err)
			default:
				refused++
				t.Logf("refused: %v", err)
			}
			if !errors.Is(err, ErrFlawed) {
				continue
			}
			flawed++
			set, err = OpenWith(OpenOptions{OnBad: Skip}, []string{scheme + ":" + path}, road)
			if err != nil && !errors.Is(err, errNoPictures) || err == nil && set.Flaws.Len() == 0 {
				t.Errorf("%s: with skip: %v", path, err)
			} else if err == nil {
				sound(t, path, set)
			}
		}
	}
	t.Logf("%d files read, %d refused, %d of them for flaws", read, refused, flawed)
	if read < 10 {
		t.Errorf("only %d files could be read", read)
	}
}

// The pictures that this project trains on have no flaws.
func TestRealRoadLabels(t *testing.T) {
	for _, split := range []string{"train", "val"} {
		path := realdata.Path(t, "road/"+split+"/labels.jsonl")
		set, err := Open([]string{"jsonl:" + path}, road)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, path, set)
	}
}

// sound checks that every box is of a positive and has a place.
func sound(t *testing.T, what string, set *Set) {
	t.Helper()
	for _, it := range set.Items {
		for _, b := range it.Boxes {
			if it.Labels[b.Label] != Positive || !b.sized() {
				t.Errorf("%s: %s: a box %+v of a label that is %v", what, it.Name, b, it.Labels[b.Label])
			}
		}
	}
}

// Whatever the bytes, reading ends in a sound set or in an error, by either policy.
func FuzzImport(f *testing.F) {
	f.Add(cocoText, true)
	f.Add(`{"images":[{"id":1,"file_name":"a","video_id":"v"},{"id":1}],"annotations":[{},{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,-1,1e300]},{"id":1,"image_id":1,"category_id":7}],"categories":[{"id":1,"name":"car"},{"id":1,"name":"person"}]}`, true)
	f.Add(`{"info":{"a":[{"b":[]}]},"images":{},"annotations":[[[`, true)
	f.Add(bddText, false)
	f.Add(`{"config":{"categories":[{"name":"x"}]},"frames":`+bddText+`}`, false)
	f.Add(`[{"name":"a","labels":[{"category":"car","box2d":{"x1":5,"x2":1}}]},{},{"name":"a","labels":[]}]`, false)
	f.Fuzz(func(t *testing.T, text string, coco bool) {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		scheme := "bdd100k:"
		if coco {
			scheme = "coco:"
		}
		for _, p := range []Policy{Fail, Skip} {
			if set, err := OpenWith(OpenOptions{OnBad: p}, []string{scheme + path}, road); err == nil {
				sound(t, text, set)
			}
		}
	})
}

func FuzzYOLO(f *testing.F) {
	f.Add("car\nstop sign\n", "0 0.5 0.5 0.25 0.5\n1 0.125 0.25 0.125 0.25\n")
	f.Add("person\n\ncar", "2 1 1 0 0\n-1 0 0 0 0\n1 NaN 0x1p-3 1e-400 1")
	f.Add("", "\x00")
	picture := filepath.Join(f.TempDir(), "a.png")
	if err := opencv.EncodeFile(picture, 64, 32, make([]byte, 3*64*32)); err != nil {
		f.Fatal(err)
	}
	png, err := os.ReadFile(picture)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, names, text string) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"a.png": png, "a.txt": []byte(text), "classes.txt": []byte(names)} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range []Policy{Fail, Skip} {
			if set, err := OpenWith(OpenOptions{OnBad: p}, []string{"yolo:" + dir}, road); err == nil {
				sound(t, text, set)
			}
		}
	})
}

// A list that is passed over may be long; one element may not.
func TestHugeElementIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	huge := append([]byte(`{"annotations":[{"image_id":"`), bytes.Repeat([]byte("a"), 80<<20)...)
	if err := os.WriteFile(path, huge, 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Open([]string{"coco:" + path}, road)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("error %v does not name the file and the bound", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<29 {
		t.Errorf("%d MiB for it", took>>20)
	}
}

// yoloFolder has two pictures of 64×32, one with a car in its middle and a stop sign, one
// with an empty text, and one picture that nobody looked at.
func yoloFolder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{"classes.txt": "car\nstop sign\n\n", "labels/a.txt": text, "labels/b.txt": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.png", "b.png", "c.png"} {
		if err := opencv.EncodeFile(filepath.Join(dir, "images", name), 64, 32, make([]byte, 3*64*32)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestYOLO(t *testing.T) {
	set, err := Open([]string{"yolo:" + yoloFolder(t, "0 0.5 0.5 0.25 0.5\n1 0.125 0.25 0.125 0.25\n")}, road)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Items) != 2 || set.Skipped["pictures without a text"] != 1 {
		t.Fatalf("%d items, skipped %v", len(set.Items), set.Skipped)
	}
	if got, want := set.Items[0].Labels, []State{Unknown, Positive, Positive, Unknown}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := set.Items[1].Labels, []State{Unknown, Negative, Negative, Unknown}; !slices.Equal(got, want) {
		t.Errorf("an empty text: %v, want %v", got, want)
	}
	if got, want := set.Items[0].Boxes, []Box{{1, 24, 8, 16, 16}, {2, 4, 4, 8, 8}}; !slices.Equal(got, want) {
		t.Errorf("boxes %v, want %v", got, want)
	}
	for says, text := range map[string]string{
		"category":   "2 0.5 0.5 0.1 0.1\n",
		"0 to 1":     "0 0.5 0.5 1.5 0.1\n",
		"3 values":   "0 0.5 0.5\n",
		"value":      "0 0.5 x 0.1 0.1\n",
		"polygons":   "0 0.1 0.1 0.2 0.2 0.3 0.3\n",
		`category "`: "car 0.5 0.5 0.1 0.1\n",
	} {
		if _, err := Open([]string{"yolo:" + yoloFolder(t, text)}, road); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "a.txt: line 1") {
			t.Errorf("%q: error %v does not say %q", text, err, says)
		}
	}
	if _, err := Open([]string{"yolo:" + t.TempDir()}, road); err == nil || !strings.Contains(err.Error(), "classes.txt") {
		t.Errorf("no names: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	s := &Set{Labels: []string{"fine", "one answer", "few", "source"}}
	for i := range 200 {
		it := painted(strings.Repeat("x", i+1), 1, 1, 0, State(1+i%2), Positive, Negative, State(1+i/100))
		it.Source = []string{"night", "day"}[i/100]
		if i < 5 {
			it.Labels[2] = Positive
		}
		s.Items = append(s.Items, it)
	}
	got := strings.Join(s.Warnings(), "\n")
	for _, want := range []string{"one answer: no negative picture", "few: only 5 positive", "source: no source has both answers"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "fine") {
		t.Errorf("a label that is fine:\n%s", got)
	}
}

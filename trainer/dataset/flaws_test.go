package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perceive/camera/opencv"
)

// Every kind of flaw in every format: refused with its name and place, or skipped with
// what is no longer certain around it.
func TestFlaws(t *testing.T) {
	const coco = `"categories":[{"id":1,"name":"car"},{"id":2,"name":"person"},{"id":9,"name":"cat"}]}`
	const P, N, U = Positive, Negative, Unknown
	for _, tc := range []struct {
		name, scheme, text, reason, says string
		states                           [][]State // of pedestrian and car, with Skip
		boxes                            int       // in all, with Skip
	}{
		{"jsonl: a line of text", "jsonl", "{\"path\":\"a\",\"labels\":{\"car\":1,\"pedestrian\":0}}\nhello\n", "lines of another format", "line 2", [][]State{{N, P}}, 0},
		{"jsonl: no path", "jsonl", "{\"path\":\"a\",\"labels\":{\"car\":1}}\n{\"labels\":{\"car\":1}}\n", "pictures without a name", `line 2: key "path"`, [][]State{{U, P}}, 0},
		{"jsonl: twice", "jsonl", "{\"path\":\"a\",\"labels\":{\"car\":1}}\n{\"path\":\"a\",\"labels\":{\"car\":0}}\n", "pictures listed twice", `line 2: path "a" is on line 1`, [][]State{{U, P}}, 0},
		{"jsonl: label 3", "jsonl", `{"path":"a","labels":{"car":3,"pedestrian":1}}`, "labels without a meaning", `"car" is 3`, [][]State{{P, U}}, 0},
		{"jsonl: an empty box", "jsonl", `{"path":"a","labels":{"car":1},"boxes":[{"label":"car","xywh":[1,1,5,0]},{"label":"car","xywh":[1,1,5,5]}]}`, emptyBoxes, "size 5×0", [][]State{{U, P}}, 0},
		{"jsonl: a box as large as the moon", "jsonl", `{"path":"a","labels":{"car":1},"boxes":[{"label":"car","xywh":[1,1,1e300,5]}]}`, emptyBoxes, "1e+300", [][]State{{U, P}}, 0},
		{"jsonl: a box of a negative", "jsonl", `{"path":"a","labels":{"car":0,"pedestrian":0},"boxes":[{"label":"car","xywh":[1,1,5,5]}]}`, "boxes against their labels", "negative", [][]State{{N, U}}, 0},

		{"coco: an empty box", "coco", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,1,0,5]}],` + coco, emptyBoxes, `annotation 0, in "a"`, [][]State{{N, P}}, 0},
		{"coco: three numbers", "coco", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,1,5]}],` + coco, emptyBoxes, `annotation 0, in "a"`, [][]State{{N, P}}, 0},
		{"coco: no name", "coco", `{"images":[{"id":1},{"id":2,"file_name":"b"}],"annotations":[{"image_id":1,"category_id":1}],` + coco, "pictures without a name", "image 0", [][]State{{N, N}}, 0},
		{"coco: one id for two pictures", "coco", `{"images":[{"id":1,"file_name":"a"},{"id":1,"file_name":"b"},{"id":2,"file_name":"c"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,1,2,2]}],` + coco, "pictures listed twice", `"b": its id 1`, [][]State{{N, N}}, 0},
		{"coco: one picture twice", "coco", `{"images":[{"id":1,"file_name":"a"},{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,1,2,2]}],` + coco, "pictures listed twice", `id 1`, [][]State{{N, P}}, 1},
		{"coco: of no picture", "coco", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":5,"category_id":1}],` + coco, "annotations of no picture", "image 5", [][]State{{N, N}}, 0},
		{"coco: of no category", "coco", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":5},{"image_id":1,"category_id":1,"bbox":[1,1,2,2]}],` + coco, "annotations of no category", "category 5", [][]State{{U, P}}, 0},
		{"coco: one object twice", "coco", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"id":7,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},{"id":7,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}],` + coco, "annotations with one id", "id 7", [][]State{{N, P}}, 1},
		{"coco: one id for two objects", "coco", `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"id":7,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},{"id":7,"image_id":1,"category_id":2,"bbox":[1,1,2,2]}],` + coco, "annotations with one id", "id 7", [][]State{{P, P}}, 2},
		{"coco: one id for two categories", "coco", `{"images":[{"id":1,"file_name":"a"},{"id":2,"file_name":"b"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,1,2,2]}],"categories":[{"id":1,"name":"car"},{"id":1,"name":"person"}]}`, "categories with one id", `"person" has id 1`, [][]State{{U, U}, {N, N}}, 0},

		{"bdd: no name", "bdd100k", `[{"labels":[]},{"name":"b","labels":[]}]`, "pictures without a name", "frame 0", [][]State{{N, N}}, 0},
		{"bdd: twice", "bdd100k", `[{"name":"b","labels":[{"category":"car"}]},{"name":"b","labels":[]}]`, "pictures listed twice", "frame 0 already", [][]State{{N, P}}, 0},
		{"bdd: an empty box", "bdd100k", `[{"name":"b","labels":[{"category":"car","box2d":{"x1":9,"x2":3,"y1":1,"y2":5}}]}]`, emptyBoxes, `frame "b", label 0`, [][]State{{N, P}}, 0},

		{"yolo: a line of text", "yolo", "hello\n0 .5 .5 .5 .5", "lines of another format", "a.txt: line 1", [][]State{{U, P}}, 0},
		{"yolo: an empty box", "yolo", "0 .5 .5 0 .5\n", emptyBoxes, "a.txt: line 1", [][]State{{N, P}}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.text)
			if tc.scheme == "yolo" {
				path = oneYOLO(t, tc.text)
			}
			uris, labels := []string{tc.scheme + ":" + path}, []string{"pedestrian", "car"}
			if _, err := Open(uris, labels); !errors.Is(err, ErrFlawed) || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), tc.reason) ||
				!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("fail: error %v does not name the file, %q and %q", err, tc.reason, tc.says)
			}
			set, err := OpenWith(OpenOptions{OnBad: Skip}, uris, labels)
			if err != nil {
				t.Fatal(err)
			}
			if set.Flaws.Count(tc.reason) != 1 || set.Flaws.Len() > 2 {
				t.Errorf("skip: %q", set.Flaws.Lines())
			}
			var got [][]State
			boxes := 0
			for _, it := range set.Items {
				got = append(got, it.Labels)
				boxes += len(it.Boxes)
			}
			if !slices.EqualFunc(got, tc.states, slices.Equal) || boxes != tc.boxes {
				t.Errorf("skip: %v and %d boxes, want %v and %d", got, boxes, tc.states, tc.boxes)
			}
		})
	}
}

func oneYOLO(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{"classes.txt": "car\nperson\n", "a.txt": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := opencv.EncodeFile(filepath.Join(dir, "a.png"), 64, 32, make([]byte, 3*64*32)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestYOLOPicturesThatAreNoUse(t *testing.T) {
	dir := oneYOLO(t, "0 .5 .5 .5 .5")
	for name, data := range map[string]string{"b.png": "no picture", "b.txt": "", "c.txt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open([]string{"yolo:" + dir}, road); err == nil || !strings.Contains(err.Error(), "b.png") || !strings.Contains(err.Error(), "c.txt") {
		t.Errorf("error %v does not name b.png and c.txt", err)
	}
	set, err := OpenWith(OpenOptions{OnBad: Skip}, []string{"yolo:" + dir}, road)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Items) != 1 || set.Flaws.Count(badPictures) != 1 || set.Flaws.Count(missingPictures) != 1 {
		t.Errorf("%d pictures, %q", len(set.Items), set.Flaws.Lines())
	}
}

// Brackets in a folder's name are no pattern.
func TestYOLOStraysInAnyFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "drive [7]")
	if err := os.Rename(oneYOLO(t, "0 .5 .5 .5 .5"), dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open([]string{"yolo:" + dir}, road); err == nil || !strings.Contains(err.Error(), "c.txt") {
		t.Errorf("error %v does not name c.txt", err)
	}
}

func TestFlawsNameTheFirst(t *testing.T) {
	var f, g Flaws
	for i := range 10 {
		f.add("empty boxes", "line %d", i)
	}
	g.add("empty boxes", "line 99")
	g.add("other", "there")
	f.Add(g)
	want := []string{"11 empty boxes (line 0; line 1; line 2; and 8 more)", "1 other (there)"}
	if got := f.Lines(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if f.Len() != 12 || (&Flaws{}).Err() != nil {
		t.Errorf("%d flaws", f.Len())
	}
}

// What the data says of other categories is counted, with all of it left in.
func TestUnasked(t *testing.T) {
	for scheme, text := range map[string]string{
		"jsonl":   `{"path":"a","labels":{"car":1,"pedestrian":0,"tram":1}}`,
		"coco":    `{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"category_id":2}],"categories":[{"id":1,"name":"car"},{"id":2,"name":"tram"}]}`,
		"bdd100k": `[{"name":"a","labels":[{"category":"tram"}]}]`,
	} {
		set, err := Open([]string{scheme + ":" + write(t, text)}, []string{"pedestrian", "car"})
		if err != nil {
			t.Fatal(err)
		}
		if set.Unasked["tram"] != 1 || len(set.Unasked) != 1 {
			t.Errorf("%s: %v", scheme, set.Unasked)
		}
	}
}

func TestGroups(t *testing.T) {
	const text = `{"images":[{"id":1,"file_name":"x/drive7_0001.jpg"},{"id":2,"file_name":"x/drive7_0002.jpg"},{"id":3,"file_name":"x/drive8 - 12.jpg"},{"id":4,"file_name":"y/0004.jpg"},{"id":5,"file_name":"y/z.jpg","video_id":3}],
"categories":[{"id":1,"name":"car"}]}`
	path := write(t, text)
	for how, want := range map[string][]string{
		"":              {"x/drive7_0001.jpg", "x/drive7_0002.jpg", "x/drive8 - 12.jpg", "y/0004.jpg", "video 3"},
		"?group=folder": {"x", "x", "x", "y", "video 3"},
		"?group=prefix": {"x/drive7", "x/drive7", "x/drive8", "y/", "video 3"},
	} {
		set, err := Open([]string{"coco:" + path + how}, road)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, it := range set.Items {
			got = append(got, it.Group)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", how, got, want)
		}
	}
	if _, err := Open([]string{"coco:" + path + "?group=luck"}, road); !errors.Is(err, ErrURI) {
		t.Errorf("group=luck: %v", err)
	}
}

func TestTogether(t *testing.T) {
	s := &Set{Labels: []string{"a", "b", "c"}}
	for i := range 40 {
		s.Items = append(s.Items, painted(string(rune('A'+i)), 1, 1, 0, State(1+i%2), State(1+i%2), Unknown))
	}
	s.Items[0].Labels = []State{Positive, Unknown, Negative}
	s.Items[1].Source = "t"
	got := s.Together()
	if len(got) != 3 || got[0].Known != [2][2]int{{19, 0}, {0, 20}} || got[1].Known != [2][2]int{{0, 0}, {1, 0}} || got[2].Both() != 0 {
		t.Errorf("%+v", got)
	}
	warnings := strings.Join(s.Warnings(), "\n")
	for _, want := range []string{"never known in the same picture", "such as b and c", "nothing tells them apart", "such as a and b"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("lacks %q:\n%s", want, warnings)
		}
	}
	if by := s.Sources(); len(by) != 2 || by[0].Pictures != 39 || by[1].Source != "t" || by[1].Labels[0] != [3]int{0, 0, 1} {
		t.Errorf("%+v", by)
	}
}

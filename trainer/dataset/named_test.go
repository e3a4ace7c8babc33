package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perceive/models"
)

func TestPortable(t *testing.T) {
	for uri, want := range map[string]string{
		"jsonl:/home/me/road/train/labels.jsonl":                        "jsonl:train/labels.jsonl",
		"jsonl:labels.jsonl":                                            "jsonl:labels.jsonl",
		"jsonl:../labels.jsonl":                                         "jsonl:labels.jsonl",
		"/labels.jsonl":                                                 "labels.jsonl",
		"/home/me/a/labels.jsonl?pseudo=1":                              "a/labels.jsonl?pseudo=1",
		"jsonl:a/b/l.jsonl?teacher=/home/me/runs/seen.jsonl&pseudo=1":   "jsonl:b/l.jsonl?teacher=runs/seen.jsonl&pseudo=1",
		"coco:/d/x/i.json?images=%2Fhome%2Fme%2Fval%202&map=a:b":        "coco:x/i.json?images=me/val+2&map=a:b",
		"yolo:/home/me/set/?names=/home/me/set/names.txt&group=folder":  "yolo:me/set?names=set/names.txt&group=folder",
		"scene:2000?seed=3&hide=0.5":                                    "scene:2000?seed=3&hide=0.5",
		"bdd100k:/home/me/labels/val.json?images=/home/%zz/pictures/of": "bdd100k:labels/val.json?images=pictures/of",
	} {
		if got := Portable(uri); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}

// Whatever is asked for, the folder of the machine does not get into what travels, and what
// is left does not change any more.
func FuzzPortable(f *testing.F) {
	f.Add("jsonl:/home/me/x/labels.jsonl?teacher=/home/me/y/seen.jsonl")
	f.Add("yolo:/?names=%2F..%2F..")
	f.Fuzz(func(t *testing.T, uri string) {
		got := Portable(uri)
		if again := Portable(got); again != got {
			t.Errorf("%q: %q, then %q", uri, got, again)
		}
	})
}

func TestNameOf(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen.jsonl")
	if err := os.WriteFile(seen, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := NameOf([]string{"scene:8", "jsonl:/x/a/l.jsonl?teacher=" + seen})
	// SHA-256 of "abc" as in FIPS 180-2.
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if err != nil || len(got.URIs) != 2 || !slices.Equal(got.Teachers, []models.File{{Name: "seen.jsonl", SHA256: sum}}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := NameOf([]string{"jsonl:l.jsonl?teacher=/nowhere/s.jsonl"}); err == nil || !strings.Contains(err.Error(), "/nowhere/s.jsonl") {
		t.Errorf("a teacher that is not there: %v", err)
	}
}

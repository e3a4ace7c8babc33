package strict_test

import (
	"strings"
	"testing"
	"time"

	"perceive/hw"
	"perceive/internal/strict"
)

type inner struct {
	N    int           `yaml:"n"`
	Wait time.Duration `yaml:"wait"`
	Runs hw.Provider   `yaml:"runs"`
}

type outer struct {
	In   inner   `yaml:"in"`
	List []inner `yaml:"list"`
	Name string  `yaml:"name"`
}

func TestWhatIsNotMentionedStays(t *testing.T) {
	v := outer{In: inner{N: 1, Wait: time.Second}, Name: "a"}
	if _, err := strict.Decode("f.yaml", []byte("in: {wait: 300ms}\nlist: [{n: 2}]\n"), &v); err != nil {
		t.Fatal(err)
	}
	if v.In.N != 1 || v.In.Wait != 300*time.Millisecond || v.Name != "a" || len(v.List) != 1 {
		t.Errorf("%+v", v)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"in:\n  n: 1\n  m: 2\n":        "f.yaml:3:",
		"in:\n  n: one\n":              "f.yaml:2:",
		"name: b\nin:\n  wait: soon\n": "f.yaml:3:",
		"name: b\nin:\n  runs: cpux\n": "f.yaml:3:",
		"in: [":                        "f.yaml:1:",
		"in: {n: 1}\nin: {n: 2}\n":     "f.yaml:2:",
		"name: b\n---\nname: c\n":      "f.yaml:2: a second document",
		"---\nname: b\n---\nzzz: 1\n":  "f.yaml:3: a second document",
	} {
		var v outer
		_, err := strict.Decode("f.yaml", []byte(text), &v)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want it to begin with %s", text, err, want)
		}
	}
}

func TestFaultsSayWhere(t *testing.T) {
	var v outer
	f, err := strict.Decode("f.yaml", []byte("name: b\nlist:\n  - n: 1\n  - n: 2\n"), &v)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Faults([]strict.Fault{{"list[1].n", "too many"}, {"in.wait", "missing"}})
	if err == nil || err.Error() != "f.yaml:4: list[1].n: too many\nf.yaml:1: in.wait: missing" {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("in: {n: 1}\nlist: [{n: 2, wait: 1s}]\n")
	f.Add("a: &x [*x]\n")
	f.Fuzz(func(t *testing.T, text string) {
		var v outer
		strict.Decode("f.yaml", []byte(text), &v)
	})
}

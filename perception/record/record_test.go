package record_test

import (
	"bytes"
	"errors"
	"image"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"perceive/perception"
	"perceive/perception/record"
)

const (
	old = "testdata/schema1.jsonl"
	now = "testdata/schema2.jsonl"
)

var (
	car  = perception.Where{Peak: perception.Peak{Point: image.Pt(880, 440), P: 0.8706}, Boxes: []perception.Box{{Rectangle: image.Rect(800, 392, 960, 488), P: 0.8706}, {Rectangle: image.Rect(1088, 392, 1216, 520), P: 0.681}}}
	same = cmp.Options{cmpopts.IgnoreUnexported(perception.Result{}), cmpopts.EquateEmpty()}
)

// Recordings of both schemas, which are never changed, say what they were written to say.
func TestOldRecordingsAreRead(t *testing.T) {
	h, all, err := record.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	if h.Schema != 1 || h.Model.Name != "road" || len(h.Labels) != 2 || h.Labels[0].Threshold != 0.75 || h.Source.FPS != 25 || h.Provider.Used != "cpu" {
		t.Errorf("header %+v", h)
	}
	if diff := cmp.Diff([]record.Entry{
		{Line: 2, Result: &perception.Result{Status: perception.OK, Answers: []perception.Answer{{P: 0.981, State: perception.On, Where: car}, {P: 0.0312, State: perception.Off}}}},
		{Line: 3, Result: &perception.Result{Seq: 1, Time: 40 * time.Millisecond, Status: perception.Unreadable, Reason: "camera: frame 1 (drive.mp4 at 40ms): damaged in the recording"}},
		{Line: 4, Result: &perception.Result{Seq: 2, Time: 80 * time.Millisecond, Status: perception.OK, Answers: []perception.Answer{{P: 0.74, State: perception.Off}, {P: 0.5, State: perception.On}}}},
	}, all, same); diff != "" {
		t.Error(diff)
	}
}

func TestRecordingsOfNowAreRead(t *testing.T) {
	h, all, err := record.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	if h.Schema != perception.ResultSchema || len(all) != 5 {
		t.Fatalf("schema %d, %d lines", h.Schema, len(all))
	}
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	if e := all[1].Event; e == nil || e.Kind != "camera" || !e.Time.Equal(at) || !strings.Contains(string(e.Fields), `"backoff_ms":250`) {
		t.Errorf("event %+v", e)
	}
	want := record.Entry{Line: 4, Age: 12300 * time.Microsecond, Result: &perception.Result{Source: "front", Seq: 1, Time: 40250 * time.Microsecond,
		Status: perception.Black, Reason: "nothing to see", Captured: at.Add(40250 * time.Microsecond), Stamp: 8000200 * time.Microsecond, Clock: "kernel",
		Took: perception.Took{Decode: 3100 * time.Microsecond, Guard: 100 * time.Microsecond, Fit: 600 * time.Microsecond}}}
	if diff := cmp.Diff(want, all[2], same); diff != "" {
		t.Error(diff)
	}
	if a := all[4].Result.Answers; a[0].Where.Peak.X != 1 || len(a[0].Where.Boxes) != 0 || a[1].State != perception.Unknown {
		t.Errorf("answers %+v", a)
	}
}

// What the program writes today is, byte for byte, what it wrote when the recording was made:
// a change of the layout needs a new schema, and this test a new recording beside the old ones.
func TestLinesAreWrittenAsBefore(t *testing.T) {
	h, all, err := record.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, e := range all {
		if e.Result == nil || !e.Result.Captured.IsZero() { // whose age would be of now
			continue
		}
		enc, err := perception.NewEncoder(h)
		if err != nil {
			t.Fatal(err)
		}
		enc.Live = e.Result.Took != perception.Took{}
		if got, want := string(enc.Append(nil, e.Result)), string(lines[e.Line-1]); got != want {
			t.Errorf("line %d is now\n%sand was\n%s", e.Line, got, want)
		}
	}
	var b bytes.Buffer
	j, err := perception.NewJSONL(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	if b.String() != string(lines[0]) {
		t.Errorf("the header is now\n%sand was\n%s", b.String(), lines[0])
	}
}

// A recording that was cut anywhere gives all whole lines, and says what happened.
func TestCutRecording(t *testing.T) {
	text, err := os.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(text); n++ {
		whole := bytes.Count(text[:n], []byte("\n"))
		r, err := record.NewReader(bytes.NewReader(text[:n]), "cut.jsonl")
		if whole == 0 && text[n] != '\n' {
			if !errors.Is(err, record.ErrCut) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := 1
		for _, err = range r.All() {
			if err == nil {
				lines++
			}
		}
		atEnd := text[n-1] == '\n'
		switch {
		case atEnd && (err != nil || lines != whole):
			t.Fatalf("cut at %d, behind a line: %v, %d of %d lines", n, err, lines, whole)
		case text[n] == '\n' && (err != nil || lines != whole+1): // only the line's end is missing
			t.Fatalf("cut at %d, before a line's end: %v, %d of %d lines", n, err, lines, whole+1)
		case !atEnd && text[n] != '\n' && (!errors.Is(err, record.ErrCut) || lines != whole):
			t.Fatalf("cut at %d: %v, %d of %d lines", n, err, lines, whole)
		}
	}
}

func TestDamageNamesFileAndLine(t *testing.T) {
	text, err := os.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`"status":"black"`, `"status":"fine"`, `x.jsonl:4: status "fine"`},
		{`{"label":"car","p":0.9810`, `{"label":"cat","p":0.9810`, `x.jsonl:2: label 0 is "cat"`},
		{`"p":0.9810`, `"p":1.9810`, `x.jsonl:2: label "car": "p"`},
		{`"state":"off"`, `"state":"of"`, `x.jsonl:2: `},
		{`,{"label":"stop_sign","p":0.0312,"state":"off"}`, ``, `x.jsonl:2: 1 labels`},
		{`{"label":"car","state":"unknown"}`, `{"label":"car","state":"on"}`, `x.jsonl:4: label "car": something is known`},
		{`{"event":"lost"`, `{"even":"lost"`, `x.jsonl:5: no "seq"`},
		{`{"event":"lost"`, `{"event":"lost""`, `x.jsonl:5: invalid`},
		{`"schema":2`, `"schema":3`, `x.jsonl:1: schema 3`},
		{`"labels":[{"label":"car"`, `"labels":[{"label":"stop_sign"`, `x.jsonl:1: the header's labels`},
		{`"t_ms":40.25`, `"t_ms":1e300`, `x.jsonl:4: t_ms`},
	} {
		bad := strings.Replace(string(text), c.from, c.to, 1)
		if bad == string(text) {
			t.Fatalf("%s is not in the recording", c.from)
		}
		r, err := record.NewReader(strings.NewReader(bad), "x.jsonl")
		if err == nil {
			for _, err = range r.All() {
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, record.ErrCut) {
			t.Errorf("%s: %v, want %s", c.to, err, c.want)
		}
	}
	if _, err := record.NewReader(strings.NewReader(""), "x.jsonl"); err == nil || !strings.Contains(err.Error(), "x.jsonl is empty") {
		t.Error(err)
	}
	long := io.MultiReader(bytes.NewReader(text), strings.NewReader(strings.Repeat("x", 9<<20)))
	r, err := record.NewReader(long, "x.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, err = range r.All() {
	}
	if err == nil || !strings.Contains(err.Error(), "x.jsonl:7: longer than") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{old, now} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(text[:len(text)*2/3])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := record.NewReader(bytes.NewReader(text), "fuzz")
		if err != nil {
			return
		}
		for e, err := range r.All() {
			if err != nil {
				return
			}
			if (e.Result == nil) == (e.Event == nil) {
				t.Fatal("neither or both of result and event")
			}
			if e.Result != nil && e.Result.Status == perception.OK && len(e.Result.Answers) != len(r.Header.Labels) {
				t.Fatalf("%d answers of %d labels", len(e.Result.Answers), len(r.Header.Labels))
			}
		}
	})
}

// A recording whose model changed says so between its results, and the reader with it.
func TestHeaderFollowsTheModel(t *testing.T) {
	const text = `{"schema":2,"model":{"name":"a"},"labels":[{"label":"car","threshold":0.5}]}
{"seq":0,"status":"ok","labels":[{"label":"car","p":0.4,"state":"off"}]}
{"event":"model","time":"2026-11-25T12:00:00Z","schema":2,"model":{"name":"b"},"labels":[{"label":"car","threshold":0.3}]}
{"seq":1,"status":"ok","labels":[{"label":"car","p":0.4,"state":"on"}]}
`
	r, err := record.NewReader(strings.NewReader(text), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "b", "b"} {
		if e, err := r.Next(); err != nil || r.Header.Model.Name != want {
			t.Errorf("line %d (%v): the header is of %q, want %q", e.Line, err, r.Header.Model.Name, want)
		}
	}
	if r.Header.Labels[0].Threshold != 0.3 {
		t.Errorf("threshold %g", r.Header.Labels[0].Threshold)
	}
	bad := strings.Replace(text, `{"name":"b"},"labels":[{"label":"car"`, `{"name":"b"},"labels":[{"label":"tram"`, 1)
	if r, err = record.NewReader(strings.NewReader(bad), "test"); err != nil {
		t.Fatal(err)
	}
	r.Next()
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "test:3: event model: ") {
		t.Errorf("%v: want that the labels are others", err)
	}
}

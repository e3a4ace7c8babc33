package replay_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/hw"
	"perceive/perception"
	"perceive/perception/replay"
)

// golden makes a golden of the drive.
func golden(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "golden.jsonl")
	if _, err := play(t, newDrive(), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// against holds a golden against the drive, whose results change has a hand in.
func against(t *testing.T, path string, tol replay.Tolerance, change func(r *perception.Result)) (*replay.Comparison, replay.Report) {
	t.Helper()
	g, err := replay.ReadGolden(path)
	if err != nil {
		t.Fatal(err)
	}
	d := detector(t)
	src := newDrive()
	h := header(t, d, src)
	notes, err := g.Check(h)
	if err != nil {
		t.Fatal(err)
	}
	out, err := replay.Discard(h)
	if err != nil {
		t.Fatal(err)
	}
	c := replay.NewComparison(g, tol)
	show := replay.Report{Header: h, Trace: replay.NewTrace(h), Comparison: c, Notes: notes}
	spoil := sinkFunc(func(r *perception.Result) {
		if change != nil {
			change(r)
		}
	})
	if show.Outcome, err = replay.Run(t.Context(), replay.Job{Source: src, Detector: d, Header: h, Out: out, Sinks: []perception.Sink{spoil, c, show.Trace}}); err != nil {
		t.Fatal(err)
	}
	return c, show
}

func TestGolden(t *testing.T) {
	path := golden(t)
	at := func(seq uint64, f func(r *perception.Result)) func(*perception.Result) {
		return func(r *perception.Result) {
			if r.Seq == seq {
				f(r)
			}
		}
	}
	for _, tc := range []struct {
		name   string
		tol    replay.Tolerance
		change func(*perception.Result)
		first  int // -1 for none
		says   string
	}{
		{"the same", replay.Tolerance{}, nil, -1, ""},
		{"a probability", replay.Tolerance{}, at(21, func(r *perception.Result) { r.Answers[1].P += 0.0002 }), 21, "red has p"},
		{"one within its tolerance", replay.Tolerance{P: 0.001}, at(21, func(r *perception.Result) { r.Answers[1].P += 0.0002 }), -1, ""},
		{"a state", replay.Tolerance{P: 1}, at(30, func(r *perception.Result) { r.Answers[0].State = 3 - r.Answers[0].State }), 30, "bright is"},
		{"a state, far from the threshold", replay.Tolerance{P: 1, Band: 0.001, Where: -1}, at(10, func(r *perception.Result) { r.Answers[0].State = 3 - r.Answers[0].State }), 10, "bright is"},
		{"a state, in the band", replay.Tolerance{P: 1, Band: 0.9, Where: -1}, at(10, func(r *perception.Result) { r.Answers[0].State = 3 - r.Answers[0].State }), -1, ""},
		{"a status", replay.Tolerance{}, at(5, func(r *perception.Result) { r.Status, r.Answers = perception.Black, nil }), 5, "status is black, golden ok"},
		{"a reason", replay.Tolerance{}, at(17, func(r *perception.Result) { r.Reason = "else" }), 17, `reason is "else"`},
		{"a time", replay.Tolerance{}, at(40, func(r *perception.Result) { r.Time += 10_000 }), 40, "time is"},
		{"a peak", replay.Tolerance{}, at(14, func(r *perception.Result) { r.Answers[1].Where.Peak.X += 2 }), 14, "its peak"},
		{"a peak within its tolerance", replay.Tolerance{Where: 2}, at(14, func(r *perception.Result) { r.Answers[1].Where.Peak.X += 2 }), -1, ""},
		{"a peak that is not compared", replay.Tolerance{Where: -1}, at(14, func(r *perception.Result) { r.Answers[1].Where.Peak.X += 99 }), -1, ""},
		{"a box less", replay.Tolerance{}, at(14, func(r *perception.Result) { r.Answers[1].Where.Boxes = nil }), 14, "0 boxes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, show := against(t, path, tc.tol, tc.change)
			dir := t.TempDir()
			if err := show.Write(dir); err != nil {
				t.Fatal(err)
			}
			if tc.first < 0 {
				if c.Err() != nil || c.Diverged != 0 {
					t.Errorf("%v", c.Err())
				}
				return
			}
			if c.Err() == nil || c.First == nil || c.First.Now.Seq != uint64(tc.first) || c.Diverged != 1 || !strings.Contains(c.Err().Error(), tc.says) {
				t.Fatalf("%v, want frame %d: %s", c.Err(), tc.first, tc.says)
			}
			data, err := os.ReadFile(filepath.Join(dir, replay.FirstPicture))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A golden of fewer or more frames is a verdict; one that cannot be compared is an error that says why.
func TestGoldensThatDoNotFit(t *testing.T) {
	path := golden(t)
	text := read(t, path)
	lines := strings.SplitAfter(text, "\n")
	put := func(s string) string {
		p := filepath.Join(t.TempDir(), "g.jsonl")
		if err := os.WriteFile(p, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for n, says := range map[int]string{50: "ends after 50 frames", 61: ""} {
		c, _ := against(t, put(strings.Join(lines[:n+1], "")), replay.Tolerance{}, nil)
		if (c.Err() == nil) != (says == "") || says != "" && !strings.Contains(c.Err().Error(), says) {
			t.Errorf("%d frames: %v", n, c.Err())
		}
	}
	more := put(text + strings.Replace(lines[60], `"seq":59`, `"seq":60`, 1))
	if c, _ := against(t, more, replay.Tolerance{}, nil); c.Err() == nil || !strings.Contains(c.Err().Error(), "60 frames") {
		t.Errorf("a frame more: %v", c.Err())
	}
	for name, tc := range map[string]struct{ path, says string }{
		"missing":           {filepath.Join(t.TempDir(), "none.jsonl"), "--update"},
		"cut":               {put(text[:len(text)-20]), "cut"},
		"empty":             {put(""), "empty"},
		"a gap":             {put(strings.Join(append(append([]string{}, lines[:9]...), lines[10:]...), "")), "frame 9 where frame 8"},
		"other labels":      {put(strings.ReplaceAll(text, `"red"`, `"blue"`)), "blue"},
		"another recording": {put(strings.Replace(text, `"replay":{`, `"replay":{"source_sha256":"ab",`, 1)), "another recording"},
		"no replay":         {put(strings.Replace(text, `"replay":{`, `"other":{`, 1)), "not made by perceive replay"},
		"no rule":           {put(strings.Replace(text, `"decide":[{"label":"bright"`, `"decide":[{"label":"bright","enter":7`, 1)), ""},
	} {
		g, err := replay.ReadGolden(tc.path)
		if err == nil {
			_, err = g.Check(header(t, detector(t), newDrive()))
		}
		if tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
	if _, err := replay.ReadGolden(filepath.Join(t.TempDir(), "none")); !errors.Is(err, replay.ErrNoGolden) {
		t.Error(err)
	}
}

// The reason of an update is in the header, with what it replaced.
func TestReason(t *testing.T) {
	path := golden(t)
	old, err := replay.ReadGolden(path)
	if err != nil {
		t.Fatal(err)
	}
	h := replay.WithReason(old.Header, path, "road 3")
	if h.Golden.Reason != "road 3" || h.Golden.Replaces != old.Hash {
		t.Errorf("%+v", h.Golden)
	}
}

func TestTolerancesByProvider(t *testing.T) {
	if d := replay.DefaultTolerance(hw.CPU); d != (replay.Tolerance{}) {
		t.Errorf("CPU: %v", d)
	}
	if d := replay.DefaultTolerance(hw.CUDA); d.P != 1e-2 || d.Band != 1e-2 || !strings.Contains(d.String(), "NOT compared") {
		t.Errorf("CUDA: %v", d)
	}
}

// Two models: the sheet shows different moments, those with other states first.
func TestAgainst(t *testing.T) {
	d, other := detector(t), detector(t)
	src := newDrive()
	h := header(t, d, src)
	second := setup
	second.Leave, second.Hold = 1, 0 // decides otherwise
	a, err := replay.NewAgainst(h, other, second)
	if err != nil {
		t.Fatal(err)
	}
	out, err := replay.Discard(h)
	if err != nil {
		t.Fatal(err)
	}
	var nudged sinkFunc = func(r *perception.Result) {
		if r.Seq == 50 {
			r.Answers[0].P -= 0.25
			for i := range r.Answers {
				r.Answers[i].State = 3 - r.Answers[i].State
			}
		}
	}
	show := replay.Report{Header: h, Against: a}
	if show.Outcome, err = replay.Run(t.Context(), replay.Job{Source: src, Detector: d, Header: h, Out: out, Sinks: []perception.Sink{nudged, a}}); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if a.Frames != 57 || a.Flipped == 0 || len(a.Moments) < 2 {
		t.Fatalf("%d frames, %d flipped, %d moments", a.Frames, a.Flipped, len(a.Moments))
	}
	for i, m := range a.Moments {
		if i > 0 && (m.Flips > a.Moments[i-1].Flips || m.Flips == a.Moments[i-1].Flips && m.Delta > a.Moments[i-1].Delta) {
			t.Errorf("moment %d is worse than the one before it", i)
		}
		for _, o := range a.Moments[:i] {
			if (m.Time - o.Time).Abs() < 1e9 {
				t.Errorf("frames %d and %d are one moment", m.Seq, o.Seq)
			}
		}
	}
	if m := a.Moments[0]; m.Seq != 50 || m.Flips != 2 || m.Delta < 0.2 {
		t.Errorf("the worst is frame %d", m.Seq)
	}
	dir := t.TempDir()
	if err := show.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, replay.SheetPicture)); err != nil {
		t.Error(err)
	}
}


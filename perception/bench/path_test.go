package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perceive/camera"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

func detector(t testing.TB, file []byte) *perception.Detector {
	t.Helper()
	m, err := model.Load(context.Background(), orttest.Runtime(t), file, nil, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := perception.NewDetector(m)
	t.Cleanup(func() { d.Close(); m.Close() })
	return d
}

// still is a source of n equal frames, of which each tenth cannot be read.
type still struct {
	n, next int
	live    bool
	end     error
	open    *int
}

func (s *still) Info() camera.Info { return camera.Info{URI: "still", Live: s.live} }
func (s *still) Close() error      { *s.open--; return nil }
func (s *still) Next(ctx context.Context) (*camera.Frame, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.next == s.n {
		return nil, s.end
	}
	seq := uint64(s.next)
	s.next++
	if seq%10 == 9 {
		return nil, &camera.FrameError{Seq: seq, Name: fmt.Sprint(seq), Err: errors.New("damaged")}
	}
	f := camera.NewFrame(32, 32, nil)
	f.Seq, f.Captured = seq, time.Now()
	return f, nil
}

// stills opens sources, and counts those that are open.
func stills(n int) (open func() (camera.Source, error), opened, now *int) {
	opened, now = new(int), new(int)
	return func() (camera.Source, error) {
		*opened++
		*now++
		return &still{n: n, end: io.EOF, open: now}, nil
	}, opened, now
}

func path(t *testing.T, n int) (p *Path, opened, now *int) {
	t.Helper()
	open, opened, now := stills(n)
	src, _ := open()
	c, err := Load(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	src.Close()
	return &Path{Open: open, Clip: c, Detector: detector(t, modeltest.File(t, nil))}, opened, now
}

// refuse is a guard that lets only even frames pass.
type refuse struct{ asked int }

func (g *refuse) Check(f *camera.Frame) (perception.Status, string) {
	g.asked++
	if f.Seq%2 == 1 {
		return perception.Black, "odd"
	}
	return perception.OK, ""
}

var short3 = Plan{Frames: 60, Repetitions: 3, WarmUp: 0.001, Trial: 0.001, Rates: Range{200, 2000}}

func TestStages(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p, opened, now := path(t, 30)
	g := &refuse{}
	p.Guards = []perception.Guard{g}
	emitted := 0
	p.Sinks = []perception.Sink{sinkFunc(func(*perception.Result) error { emitted++; return nil })}
	rows, err := Measure(t.Context(), p.Stages(), short3, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Schema: Schema, Stages: rows}
	if err := r.check(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"decode", "guard", "fit+network", "fit", "network", "pipeline", "pipeline/wait", "pipeline/guard", "pipeline/fit", "pipeline/network"} {
		row := r.row(name)
		if row == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		if row.Frames < 60 || row.Turns != 3 || row.P90 < row.P50.Min || row.P99 < row.P90 || row.Max < row.P99 {
			t.Errorf("%+v", row)
		}
		if overlapped := strings.HasPrefix(name, "pipeline/"); overlapped != (row.PerS == nil) {
			t.Errorf("%s: rate %v", name, row.PerS)
		}
	}
	// Of 30 frames of a pass 3 are damaged, and in the pipeline 12 of the others are odd.
	if d, w := r.row("decode"), r.row("pipeline"); d.Skipped < 6 || w.Skipped < w.Frames/2 {
		t.Errorf("decode skipped %d, the pipeline %d of %d and more", d.Skipped, w.Skipped, w.Frames)
	}
	if emitted < r.row("pipeline").Frames || g.asked < r.row("guard").Frames {
		t.Errorf("%d results for the sinks, %d frames for the guard", emitted, g.asked)
	}
	if p.Close(); *opened < 6 || *now != 0 {
		t.Errorf("%d sources opened, %d still open", *opened, *now)
	}
	s, err := p.FindRate(t.Context(), short3, r.Guess(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range s.Trials {
		if o.Offered != o.Answered+o.Refused+o.Dropped || o.Offered == 100 && o.Refused == 0 || o.Offered > 100 {
			t.Errorf("%+v", o)
		}
	}
}

// A network that gives no answer ends the run: its times say nothing.
func TestFailedNetwork(t *testing.T) {
	p, _, _ := path(t, 30)
	file := modeltest.File(t, func(m *models.Manifest) { m.GraphSHA256, m.Golden = "", nil })
	weight := func(v float64) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v))) }
	p.Detector = detector(t, bytes.Replace(file, weight(1./3), weight(math.NaN()), 1))
	defer p.Close()
	for _, s := range p.Stages()[1:] {
		if _, err := Measure(t.Context(), []Stage{s}, short3, nil); err == nil || !strings.Contains(err.Error(), s.Name) || !strings.Contains(err.Error(), "bright") {
			t.Errorf("%s: error %v, want the stage and the label", s.Name, err)
		}
	}
	if _, err := p.FindRate(t.Context(), short3, 500, nil); err == nil || !strings.Contains(err.Error(), "bright") {
		t.Errorf("error %v", err)
	}
}

func TestStagesInterrupted(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p, _, _ := path(t, 30)
	defer p.Close()
	for _, s := range p.Stages() {
		ctx, cancel := context.WithCancel(t.Context())
		long := Plan{Seconds: 1e4, Repetitions: 2, WarmUp: 0.001}
		_, err := Measure(ctx, []Stage{s}, long, func(_ float64, what string) {
			if strings.Contains(what, "turn 1") {
				cancel()
			}
		})
		if cancel(); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "no answer") {
			t.Errorf("%s: error %v", s.Name, err)
		}
	}
}

func TestLoad(t *testing.T) {
	for _, tc := range []struct {
		name string
		src  still
		len  int
		says string
	}{
		{"short", still{n: 10, end: io.EOF}, 0, "9 readable frames"},
		{"just enough", still{n: 11, end: io.EOF}, 10, ""},
		{"empty", still{end: io.EOF}, 0, "0 readable frames"},
		{"long", still{n: 1000, end: io.EOF}, maxClip, ""},
		{"damaged", still{n: 30, end: camera.ErrTruncated}, 0, "cut short"},
		{"live", still{n: 1000, live: true}, 0, "live"},
	} {
		c, err := Load(t.Context(), &tc.src)
		if (err != nil) != (tc.says != "") || err != nil && (!strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "still")) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.says)
		}
		if err == nil && (c.Len() != tc.len || c.Size() != "32×32") {
			t.Errorf("%s: %d frames of %s", tc.name, c.Len(), c.Size())
		}
	}
}

// Guards that refuse every frame end the run with their reason, and not never.
func TestEverythingRefused(t *testing.T) {
	p, _, _ := path(t, 30)
	p.Guards = []perception.Guard{refuseAll{}}
	defer p.Close()
	stages := p.Stages()
	if _, err := Measure(t.Context(), stages[len(stages)-1:], short3, nil); err == nil || !strings.Contains(err.Error(), "guards") {
		t.Errorf("pipeline: %v", err)
	}
	if _, err := p.FindRate(t.Context(), short3, 500, nil); err == nil || !strings.Contains(err.Error(), "as black as night") {
		t.Errorf("rate: %v", err)
	}
}

type refuseAll struct{}

func (refuseAll) Check(*camera.Frame) (perception.Status, string) {
	return perception.Black, "as black as night"
}

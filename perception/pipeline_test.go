package perception_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
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

// frames is a source of n frames: frame i is grey of level 10·i. bad ones are
// FrameErrors, and after the last comes end.
type frames struct {
	n    int
	side int // of the pictures; 0 means 32
	bad  []int
	end  error
	next int
	pool []*camera.Frame
}

func (s *frames) Info() camera.Info {
	return camera.Info{URI: "test", Kind: "test", Width: s.size(), Height: s.size(), FPS: 10, Frames: s.n}
}
func (s *frames) Close() error { return nil }

func (s *frames) size() int {
	if s.side == 0 {
		return 32
	}
	return s.side
}

func (s *frames) Next(ctx context.Context) (*camera.Frame, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.next == s.n {
		return nil, s.end
	}
	i := s.next
	s.next++
	at := time.Duration(i) * 100 * time.Millisecond
	if slices.Contains(s.bad, i) {
		return nil, &camera.FrameError{Seq: uint64(i), Time: at, Name: fmt.Sprintf("picture %d", i), Err: errors.New("damaged")}
	}
	if s.pool == nil {
		for range 4 {
			s.pool = append(s.pool, camera.NewFrame(s.size(), s.size(), nil))
		}
	}
	f := s.pool[i%len(s.pool)]
	f.Seq, f.Time = uint64(i), at
	for j := range f.Pix {
		f.Pix[j] = byte(10 * i)
	}
	return f, nil
}

func detector(t testing.TB) *perception.Detector {
	t.Helper()
	return detectorOf(t, modeltest.File(t, nil))
}

func detectorOf(t testing.TB, file []byte) *perception.Detector {
	t.Helper()
	m, err := model.Load(context.Background(), orttest.Runtime(t), file, nil, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := perception.NewDetector(m)
	t.Cleanup(func() { d.Close(); m.Close() })
	return d
}

// collect keeps copies of results.
type collect struct {
	results []perception.Result
	fail    int // the Emit that fails, 0 for none
}

func (c *collect) Emit(_ context.Context, r *perception.Result, f *camera.Frame) error {
	if len(c.results)+1 == c.fail {
		return errors.New("sink is full")
	}
	kept := *r
	kept.Answers = slices.Clone(r.Answers)
	c.results = append(c.results, kept)
	if (f == nil) != (r.Status == perception.Unreadable) {
		return fmt.Errorf("frame %d: status %s with frame %v", r.Seq, r.Status, f)
	}
	return nil
}
func (c *collect) Close() error { return nil }

func TestOneResultAFrameInOrder(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	src := &frames{n: 25, bad: []int{0, 7, 8, 24}, end: io.EOF}
	var got collect
	p := perception.Pipeline{Source: src, Detector: detector(t), Sinks: []perception.Sink{&got}}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got.results) != src.n {
		t.Fatalf("%d results for %d frames", len(got.results), src.n)
	}
	for i, r := range got.results {
		if r.Seq != uint64(i) || r.Time != time.Duration(i)*100*time.Millisecond {
			t.Errorf("result %d is of frame %d at %v", i, r.Seq, r.Time)
		}
		if slices.Contains(src.bad, i) {
			if r.Status != perception.Unreadable || len(r.Answers) != 0 || !strings.Contains(r.Reason, fmt.Sprintf("picture %d", i)) {
				t.Errorf("frame %d: %+v: want unreadable, with its name", i, r)
			}
			continue
		}
		// "bright" is the mean over 255, by the model's definition.
		want := float32(10*i) / 255
		if r.Status != perception.OK || len(r.Answers) != 2 || r.Answers[0].P < want-1e-3 || r.Answers[0].P > want+1e-3 || r.Answers[0].State == perception.On != (want >= 0.5) {
			t.Errorf("frame %d: %+v, want bright %.3f", i, r, want)
		}
	}
}

// A network whose answer is not a number is not believed.
func TestNoProbabilityIsNoAnswer(t *testing.T) {
	file := modeltest.File(t, func(m *models.Manifest) { m.GraphSHA256, m.Golden = "", nil })
	weight := func(v float64) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v))) }
	file = bytes.Replace(file, weight(1./3), weight(math.NaN()), 1)
	d := detectorOf(t, file)
	var r perception.Result
	d.Detect(t.Context(), camera.NewFrame(32, 32, nil), &r)
	if r.Status != perception.Failed || len(r.Answers) != 0 || !strings.Contains(r.Reason, "bright") {
		t.Errorf("%+v: want failed, with the label's name", r)
	}
}

func TestHowRunsEnd(t *testing.T) {
	cut := fmt.Errorf("video: %w", camera.ErrTruncated)
	for _, tc := range []struct {
		name    string
		src     frames
		fail    int
		want    error
		says    string
		results int
	}{
		{name: "end", src: frames{n: 9, end: io.EOF}, results: 9},
		{name: "empty", src: frames{end: io.EOF}},
		{name: "cut short", src: frames{n: 9, end: cut}, want: camera.ErrTruncated, results: 9},
		{name: "a sink fails", src: frames{n: 50, end: io.EOF}, fail: 6, says: "sink is full", results: 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			got := collect{fail: tc.fail}
			p := perception.Pipeline{Source: &tc.src, Detector: detector(t), Sinks: []perception.Sink{&got}}
			err := p.Run(t.Context())
			if (err != nil) != (tc.want != nil || tc.says != "") || tc.want != nil && !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v %q", err, tc.want, tc.says)
			}
			if len(got.results) != tc.results {
				t.Errorf("%d results, want %d", len(got.results), tc.results)
			}
		})
	}
}

// endless gives frames for ever.
type endless struct{ frames }

func (s *endless) Next(ctx context.Context) (*camera.Frame, error) {
	s.n = s.next + 1
	return s.frames.Next(ctx)
}

func TestCancel(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	src := &endless{}
	p := perception.Pipeline{Source: src, Detector: detector(t), Progress: func(*perception.Result) {
		if n++; n == 10 {
			cancel()
		}
	}}
	if err := p.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if n != src.next { // those on their way have theirs, too
		t.Errorf("%d results of %d frames", n, src.next)
	}
}

// A sink that hangs is left after a while when the context has ended.
func TestCancelWhileASinkHangs(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	p := perception.Pipeline{Source: &endless{}, Detector: detector(t), Sinks: []perception.Sink{hanging(cancel)}}
	if err := p.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// hanging is a sink that waits for its context's end.
type hanging func()

func (h hanging) Emit(ctx context.Context, _ *perception.Result, _ *camera.Frame) error {
	h()
	<-ctx.Done()
	return ctx.Err()
}
func (h hanging) Close() error { return nil }

func TestJSONLines(t *testing.T) {
	d := detector(t)
	src := &frames{n: 20, bad: []int{3}, end: io.EOF}
	run := func() string {
		var b bytes.Buffer
		j, err := perception.NewJSONL(&b, perception.NewHeader(d, src.Info(), "perceive test"))
		if err != nil {
			t.Fatal(err)
		}
		src.next = 0
		p := perception.Pipeline{Source: src, Detector: d, Sinks: []perception.Sink{j}}
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := run()
	if again := run(); again != text {
		t.Error("two runs over the same frames differ")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 21 {
		t.Fatalf("%d lines, want a header and 20", len(lines))
	}
	var head perception.Header
	if err := json.Unmarshal([]byte(lines[0]), &head); err != nil || head.Model.Name != "tiny" || head.Provider.Used != "cpu" || len(head.Labels) != 2 {
		t.Errorf("header %s: %v", lines[0], err)
	}
	// Grey all over: the first of four equal cells, and all of the picture.
	const where = `"where":{"peak":{"xy":[8,8],"p":0.6667},"boxes":[{"xywh":[0,0,32,32],"p":0.6667}]}`
	for i, want := range map[int]string{
		1:  `{"seq":0,"t_ms":0,"status":"ok","labels":[{"label":"bright","p":0.0000,"state":"off"},{"label":"red","p":0.0000,"state":"off"}]}`,
		4:  `{"seq":3,"t_ms":300,"status":"unreadable","reason":"camera: frame 3 (picture 3): damaged","labels":[{"label":"bright","state":"unknown"},{"label":"red","state":"unknown"}]}`,
		18: `{"seq":17,"t_ms":1700,"status":"ok","labels":[{"label":"bright","p":0.6667,"state":"on",` + where + `},{"label":"red","p":0.6667,"state":"on",` + where + `}]}`,
	} {
		if lines[i] != want {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], want)
		}
	}
}

// fullDisk takes n bytes and then no more.
type fullDisk struct{ n int }

func (w *fullDisk) Write(b []byte) (int, error) {
	if len(b) > w.n {
		return w.n, errors.New("no space left on device")
	}
	w.n -= len(b)
	return len(b), nil
}

func TestDiskFull(t *testing.T) {
	d := detector(t)
	j, err := perception.NewJSONL(&fullDisk{1000}, perception.NewHeader(d, camera.Info{}, "test"))
	if err != nil {
		t.Fatal(err)
	}
	p := perception.Pipeline{Source: &frames{n: 2000, end: io.EOF}, Detector: d, Sinks: []perception.Sink{j}}
	err = p.Run(t.Context())
	if err = errors.Join(err, j.Close()); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
}

func TestSummary(t *testing.T) {
	s := perception.NewSummary([]string{"bright", "red"})
	src := &frames{n: 20, bad: []int{16}, end: io.EOF}
	p := perception.Pipeline{Source: src, Detector: detector(t), Sinks: []perception.Sink{s}}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	// Bright from frame 13 (130/255) on: 7 frames of 100 ms, one of them unreadable.
	if got := s.On[0]; got != 600*time.Millisecond {
		t.Errorf("bright for %v, want 600ms", got)
	}
	if s.Frames != 20 || s.Statuses[perception.OK] != 19 || s.Statuses[perception.Unreadable] != 1 {
		t.Errorf("%d frames, %v", s.Frames, s.Statuses)
	}
	var b bytes.Buffer
	if err := s.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"20 frames (19 ok, 1 unreadable)", "network", "bright", "0.6", "2.0"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, b.String())
		}
	}
}

// What the frame path allocates does not grow with the number of frames.
func TestPipelineAllocatesNothingAFrame(t *testing.T) {
	d := detector(t)
	j, err := perception.NewJSONL(io.Discard, perception.NewHeader(d, camera.Info{}, "test"))
	if err != nil {
		t.Fatal(err)
	}
	src := &frames{end: io.EOF}
	runOf := func(n int) float64 {
		return testing.AllocsPerRun(3, func() {
			src.n, src.next = n, 0
			p := perception.Pipeline{Source: src, Detector: d, Sinks: []perception.Sink{j, perception.NewSummary([]string{"a", "b"})}}
			if err := p.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
	short, long := runOf(100), runOf(1100)
	if perFrame := (long - short) / 1000; perFrame > 0.01 {
		t.Errorf("%.3f allocations a frame (%v in 100 frames, %v in 1,100)", perFrame, short, long)
	}
}

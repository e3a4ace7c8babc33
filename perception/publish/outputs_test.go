package publish_test

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perceive/camera"
	"perceive/hw"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/publish"
	"perceive/perception/record"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashDir) != "" {
		crash()
	}
	goleak.VerifyTestMain(m)
}

var head = perception.Header{Schema: perception.ResultSchema, Program: "test", Provider: hw.ProviderReport{Requested: hw.CPU, Used: hw.CPU, Policy: hw.Require}, Labels: []perception.HeaderLabel{{Label: "bright", Threshold: .5}, {Label: "red", Threshold: .5}}}

// everything is whatever a pipeline can give an output.
func everything() []step {
	where := perception.Where{Peak: perception.Peak{Point: image.Pt(3, 4), P: .8}, Boxes: []perception.Box{{Rectangle: image.Rect(0, 0, 9, 9), P: .8}}}
	seen := []perception.Answer{{P: .9, State: perception.On, Where: where}, {P: .1, State: perception.Unknown}}
	strided := camera.NewFrame(40, 20, nil)
	strided.Stride, strided.Pix = 128, make([]byte, 128*20)
	steps := []step{
		{perception.Result{Status: perception.OK, Answers: seen, Captured: time.Now(), Stamp: time.Second, Clock: camera.KernelClock}, camera.NewFrame(160, 120, nil)},
		{perception.Result{Status: perception.Unreadable, Reason: `a "quoted" reason` + "\n"}, nil},
		{perception.Result{Status: perception.OK, Answers: seen}, strided},
		{perception.Result{Status: perception.OK, Answers: seen}, camera.NewFrame(1, 1, nil)},
	}
	for _, s := range perception.Statuses[1:] {
		steps = append(steps, step{perception.Result{Status: s, Reason: "why"}, camera.NewFrame(90, 200, nil)})
	}
	return steps
}

type step struct {
	r perception.Result
	f *camera.Frame
}

// opened is an output and how what it put out is read, after it was closed.
type opened struct {
	publish.Output
	lines func(t *testing.T) []string
}

var outputs = map[string]func(t testing.TB) opened{
	"stream": func(t testing.TB) opened {
		var b bytes.Buffer
		q, err := publish.NewStream(&b, head, publish.Options{Name: "stream"})
		return opened{must(t, q, err), func(*testing.T) []string { return split(b.String()) }}
	},
	"files": func(t testing.TB) opened {
		dir := t.TempDir()
		q, err := publish.NewFiles(publish.FileOptions{Dir: dir}, head, publish.Options{Name: "files"})
		return opened{must(t, q, err), func(t *testing.T) []string { return split(read(t, dir, "perceive-000001.jsonl")) }}
	},
	"mcap": func(t testing.TB) opened {
		dir := t.TempDir()
		q, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: publish.FileOptions{Dir: dir}, Compression: mcap.Zstd}, head,
			publish.Options{Name: "mcap", PictureRate: 1000, Pictures: 100})
		return opened{must(t, q, err), func(t *testing.T) []string {
			var lines []string
			messages, stop := mcap.Read(strings.NewReader(read(t, dir, "perceive-000001.mcap")))
			for c, m := range messages {
				if c.Schema.Name != "foxglove.CompressedImage" {
					lines = append(lines, string(m.Data))
				}
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			return lines
		}}
	},
	"socket": func(t testing.TB) opened {
		path := filepath.Join(t.TempDir(), "s")
		s, err := publish.NewSocket(path, head, publish.Options{Name: "socket"}, 0)
		must(t, s, err)
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		done := follow(t, conn, &b)
		return opened{s, func(*testing.T) []string { <-done; return split(b.String()) }}
	},
	"events": func(t testing.TB) opened {
		e, err := publish.NewEvents(head, publish.Options{Name: "events"}, 0)
		must(t, e, err)
		server := httptest.NewServer(e)
		t.Cleanup(func() {
			server.Close()
			http.DefaultClient.CloseIdleConnections()
		})
		resp, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		done := follow(t, resp.Body, &b)
		return opened{e, func(*testing.T) []string {
			<-done
			var lines []string
			for _, l := range split(b.String()) {
				if data, ok := strings.CutPrefix(l, "data: "); ok {
					lines = append(lines, data)
				}
			}
			return lines
		}}
	},
}

// follow reads into b, and returns when the first line is there; the channel closes at the end.
func follow(t testing.TB, r io.ReadCloser, b *bytes.Buffer) <-chan struct{} {
	first, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer r.Close()
		lines := bufio.NewReader(r)
		for n := 0; ; n++ {
			line, err := lines.ReadBytes('\n')
			b.Write(line)
			if n == 0 {
				close(first)
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case <-first:
	case <-time.After(30 * time.Second):
		t.Fatal("no header came")
	}
	return done
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func split(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

func read(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every output takes whatever pipelines can give it, from several at once with events between,
// and puts all of it out: the header first, each source's lines in order.
func TestOutputsTakeEverything(t *testing.T) {
	for name, open := range outputs {
		t.Run(name, func(t *testing.T) {
			out := open(t)
			sources := []string{"front", "rear"}
			var pipelines sync.WaitGroup
			for _, source := range sources {
				pipelines.Go(func() {
					for i, s := range everything() {
						s.r.Source, s.r.Seq, s.r.Time = source, uint64(i), time.Duration(i)*100*time.Millisecond
						if err := out.Emit(t.Context(), &s.r, s.f); err != nil {
							t.Error(err)
						}
					}
					if err := out.Event("camera", publish.CameraEvent{Source: source, State: "lost"}); err != nil {
						t.Error(err)
					}
				})
			}
			pipelines.Wait()
			if err := out.Event("number", 7); err == nil || !strings.Contains(err.Error(), "no JSON object") {
				t.Error(err)
			}
			if err := out.Close(); err != nil {
				t.Error(err)
			}
			checkEverything(t, out.lines(t), sources)
			if s := out.Stats(); s.Name != name || s.Written != uint64(2*len(everything())+2) || s.Dropped+s.PicturesDropped != 0 || s.Waiting != 0 || s.Error != "" {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func checkEverything(t *testing.T, lines, sources []string) {
	t.Helper()
	rec, err := record.NewReader(strings.NewReader(strings.Join(lines, "\n")), "out")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rec.Header); got != fmt.Sprint(head) {
		t.Errorf("header %s", got)
	}
	next := map[string]int{}
	for e, err := range rec.All() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Event != nil {
			if source := field(t, e.Event.Fields, "source"); next[source] != len(everything()) {
				t.Errorf("the event of %s came before its last results", source)
			}
			continue
		}
		want := everything()[next[e.Result.Source]].r
		if r := e.Result; r.Seq != uint64(next[r.Source]) || r.Status != want.Status || r.Reason != want.Reason || len(r.Answers) != len(want.Answers) || r.Captured.IsZero() != want.Captured.IsZero() {
			t.Errorf("result %+v, want %+v", r, want)
		}
		next[e.Result.Source]++
	}
	for _, source := range sources {
		if next[source] != len(everything()) {
			t.Errorf("%d results of %s", next[source], source)
		}
	}
}

// Once warm, a frame costs an output no allocation.
func TestOutputsEmitAlloc(t *testing.T) {
	for _, name := range []string{"lines", "pictures", "metrics"} {
		t.Run(name, func(t *testing.T) {
			emit, stop := warm(t, name)
			defer stop()
			if n := testing.AllocsPerRun(200, emit); n != 0 {
				t.Errorf("%v allocations a frame", n)
			}
		})
	}
}

// What Emit costs the frame path while the output works beside it.
func BenchmarkEmit(b *testing.B) {
	for name, open := range outputs {
		b.Run(name, func(b *testing.B) {
			out := open(b)
			defer out.Close()
			benchmark(b, out)
		})
	}
	b.Run("metrics", func(b *testing.B) { benchmark(b, publish.NewMetrics(head, time.Millisecond)) })
}

func benchmark(b *testing.B, sink perception.Sink) {
	s := everything()[0]
	b.ReportAllocs()
	for b.Loop() {
		s.r.Seq++
		s.r.Time += 33 * time.Millisecond
		sink.Emit(b.Context(), &s.r, s.f)
	}
}

// warm gives a function that emits the same frame. The writer stands still, as what it does in
// its own goroutine is not the frame path's; so all of the queue is used.
func warm(t testing.TB, name string) (emit, stop func()) {
	var sink perception.Sink
	release := make(chan struct{})
	if name == "metrics" {
		sink = publish.NewMetrics(head, time.Millisecond)
		close(release)
	} else {
		o := publish.Options{Name: name, Lines: 16}
		if name == "pictures" {
			o.PictureRate, o.Pictures = 1000, 16
		}
		q, err := publish.NewQueue(&still{release: release}, head, o)
		sink = must(t, q, err)
	}
	s := everything()[0]
	s.r.Source = "front"
	emit = func() {
		s.r.Seq++
		s.r.Time += 100 * time.Millisecond
		sink.Emit(t.Context(), &s.r, s.f)
	}
	for range 64 {
		emit()
	}
	return emit, func() {
		if name != "metrics" {
			close(release)
		}
		sink.Close()
	}
}

// still is a writer that does not return until it is released.
type still struct {
	release chan struct{}
	mu      sync.Mutex
	lines   []string
}

func (s *still) Write(line []byte, _ *publish.Meta) error {
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, string(line))
	return nil
}
func (s *still) Close() error { return nil }

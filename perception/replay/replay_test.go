package replay_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"perceive/camera"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
	"perceive/perception/replay"
)

// drive is a source of n frames that get brighter and darker; bad ones are FrameErrors, and at
// stop, if not 0, the run is cut off.
type drive struct {
	n, next int
	bad     []int
	stop    int
	uri     string
	end     error
}

var errStop = errors.New("the plug was pulled")

func (d *drive) Info() camera.Info {
	return camera.Info{URI: d.uri, Kind: "test", Width: 32, Height: 24, FPS: 10, Frames: d.n}
}
func (d *drive) Close() error { return nil }
func (d *drive) Next(ctx context.Context) (*camera.Frame, error) {
	i := d.next
	if i == d.n {
		if d.end != nil {
			return nil, d.end
		}
		return nil, io.EOF
	}
	if d.stop > 0 && i == d.stop {
		return nil, errStop
	}
	d.next++
	at := time.Duration(i) * 100 * time.Millisecond
	if slices.Contains(d.bad, i) {
		return nil, &camera.FrameError{Seq: uint64(i), Time: at, Name: d.uri + " at " + at.String(), Err: errors.New("damaged")}
	}
	f := camera.NewFrame(32, 24, nil)
	f.Seq, f.Time = uint64(i), at
	for j := range f.Pix {
		f.Pix[j] = byte(120 + 60*((i/5)%3) - 7*(j%3) + 3*i%11)
	}
	return f, nil
}

func newDrive() *drive { return &drive{n: 60, bad: []int{0, 17, 18}, uri: "drive.mp4"} }

// tiny is loaded once: loading takes longer than most tests.
var tiny *model.Model

// TestMain opens the runtime for as long as the tests last.
func TestMain(m *testing.M) {
	rt, err := ort.Open(ort.Config{Library: os.Getenv("PERCEIVE_ORT_LIB")})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v (run make deps)\n", err)
		os.Exit(1)
	}
	code := m.Run()
	if tiny != nil {
		tiny.Close()
	}
	rt.Close()
	os.Exit(code)
}

func detector(t testing.TB) *perception.Detector {
	t.Helper()
	if tiny == nil {
		var err error
		if tiny, err = model.Load(context.Background(), orttest.Runtime(t), modeltest.File(t, nil), nil, ort.Options{Threads: 1}); err != nil {
			t.Fatal(err)
		}
	}
	d := perception.NewDetector(tiny)
	t.Cleanup(func() { d.Close() })
	return d
}

var setup = replay.Setup{Program: "test", Deterministic: true, Threads: 1, DecoderThreads: 1, Leave: 0.9, Hold: 250 * time.Millisecond, Expiry: time.Second}

func header(t testing.TB, d *perception.Detector, src camera.Source) perception.Header {
	t.Helper()
	h, err := replay.NewHeader(d, src.Info(), setup)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// play replays a drive into a file and returns the outcome.
func play(t testing.TB, src *drive, path string, sinks ...perception.Sink) (replay.Outcome, error) {
	t.Helper()
	d := detector(t)
	h := header(t, d, src)
	out, err := replay.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	return replay.Run(t.Context(), replay.Job{Source: src, Detector: d, Header: h, Out: out, Sinks: sinks})
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever the number of processors, the bytes are the same, and the hash is what sha256sum says
// of the lines.
func TestSameBytes(t *testing.T) {
	dir := t.TempDir()
	var first string
	for i, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		path := filepath.Join(dir, fmt.Sprint(i))
		out, err := play(t, newDrive(), path)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		text := read(t, path)
		_, lines, _ := strings.Cut(text, "\n")
		sum := sha256.Sum256([]byte(lines))
		if got := hex.EncodeToString(sum[:]); got != out.Hash {
			t.Errorf("hash %s, the lines have %s", out.Hash, got)
		}
		if strings.Count(text, "\n") != 61 || !strings.Contains(text, `"state":"on"`) || !strings.Contains(text, `"state":"off"`) {
			t.Errorf("says little:\n%.600s", text)
		}
		if i == 0 {
			first = text
		} else if text != first {
			t.Errorf("%d processors: other bytes", procs)
		}
	}
}

// Where a drive lies is no part of its results, not even of a damaged frame's reason.
func TestFolderIsNoResult(t *testing.T) {
	var hashes []string
	for _, uri := range []string{"drive.mp4", "/somewhere/else/drive.mp4"} {
		src := newDrive()
		src.uri = uri
		out, err := play(t, src, filepath.Join(t.TempDir(), "r"))
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, out.Hash)
	}
	if hashes[0] != hashes[1] {
		t.Error("the folder changes the hash")
	}
}

// A run that was cut off anywhere goes on to the bytes of one that was not: also in the middle of
// a hold, and when the last line is half there.
func TestResume(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	want, err := play(t, newDrive(), whole)
	if err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop < 60; stop += 4 {
		for _, spoil := range []string{"", `{"seq":`, `{"seq":999,"t_ms":1,"status":"ok","labels":[]}` + "\n"} {
			path := filepath.Join(t.TempDir(), "cut")
			src := newDrive()
			src.stop = stop
			if _, err := play(t, src, path); !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Fatal("half a recording has the name of a whole one")
			}
			if err := os.WriteFile(path+replay.Part, []byte(read(t, path+replay.Part)+spoil), 0o644); err != nil {
				t.Fatal(err)
			}
			var calls counter
			got, err := play(t, newDrive(), path, &calls)
			if err != nil {
				t.Fatal(err)
			}
			if got.Resumed != stop || calls.asked > 60-stop {
				t.Errorf("stopped at %d: %d kept, the network was asked %d times", stop, got.Resumed, calls.asked)
			}
			if got.Hash != want.Hash || read(t, path) != read(t, whole) {
				t.Fatalf("stopped at %d, %q behind it: other bytes", stop, spoil)
			}
		}
	}
}

// counter counts the frames that the network was asked about.
type counter struct{ asked int }

func (c *counter) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	if r.Took.Infer > 0 {
		c.asked++
	}
	return nil
}
func (c *counter) Close() error { return nil }

// What another setting wrote is not gone on with.
func TestResumeNeedsTheSameHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	src := newDrive()
	src.stop = 20
	play(t, src, path)
	d := detector(t)
	other := setup
	other.Hold = time.Second
	h, err := replay.NewHeader(d, newDrive().Info(), other)
	if err != nil {
		t.Fatal(err)
	}
	f, err := replay.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Resumed() != 0 || f.Restarted() == "" {
		t.Errorf("%d frames kept, reason %q", f.Resumed(), f.Restarted())
	}
}

// A recording that is cut short has its results, under their name, and the error.
func TestCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	src := newDrive()
	src.end = fmt.Errorf("drive.mp4: %w", camera.ErrTruncated)
	out, err := play(t, src, path)
	if !errors.Is(err, camera.ErrTruncated) || out.Hash == "" || strings.Count(read(t, path), "\n") != 61 {
		t.Errorf("%v, hash %q", err, out.Hash)
	}
}

// Pacing waits for the recording's time, and ends with the context.
func TestPace(t *testing.T) {
	src := replay.Pace(&drive{n: 3, uri: "x"}, 4)
	begin := time.Now()
	for range 3 {
		if _, err := src.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < 50*time.Millisecond {
		t.Errorf("0.2 s at 4 times the speed took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	slow := replay.Pace(&drive{n: 3, uri: "x"}, 1e-3)
	slow.Next(ctx)
	if _, err := slow.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestFileAlloc(t *testing.T) {
	f, err := replay.Discard(header(t, detector(t), newDrive()))
	if err != nil {
		t.Fatal(err)
	}
	r := perception.Result{Status: perception.OK, Answers: []perception.Answer{{P: 0.5}, {P: 0.7, State: perception.On}}}
	emit := func() {
		if err := f.Emit(t.Context(), &r, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 500 {
		emit()
	}
	if n := testing.AllocsPerRun(1000, emit); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// sinkFunc has a hand in results before other sinks see them.
type sinkFunc func(r *perception.Result)

func (f sinkFunc) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	f(r)
	return nil
}
func (f sinkFunc) Close() error { return nil }

package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"perceive/camera"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/record"
)

// Road is what became of each frame of one camera in the daemon: which were dropped, came too late
// or were skipped, and when.
type Road struct {
	// Hash names the recordings that it was read from.
	Hash string
	// Lost is how many frames up to the last have no line: an output was slower than the road.
	// They are replayed as any other.
	Lost   int
	frames map[uint64]*perception.Result
	last   uint64
}

// errRoad: the frame did not come through on the road, for the reason that it has there.
var errRoad = errors.New("unreadable on the road")

// ReadRoad reads recordings of the daemon, the files of one run in any order. The source is the
// camera's name; it may be empty where there is only one.
func ReadRoad(paths []string, source string) (*Road, error) {
	r := &Road{frames: map[uint64]*perception.Result{}}
	sum := sha256.New()
	others := map[string]bool{}
	from := map[uint64]string{}
	take := func(path string, e record.Entry) error {
		if e.Result == nil {
			return nil
		}
		if source != "" && e.Result.Source != source {
			others[e.Result.Source] = true
			return nil
		}
		if others[e.Result.Source] = true; source == "" && len(others) > 1 {
			return fmt.Errorf("replay: %s holds several cameras, %q: say which with --camera", path, slices.Sorted(maps.Keys(others)))
		}
		if was := r.frames[e.Result.Seq]; was != nil && !sameFrame(was, e.Result) {
			return fmt.Errorf("replay: %s and %s are of two drives: frame %d is %s in the first and %s in the second: give the files of one run of the daemon",
				from[was.Seq], path, was.Seq, captured(was), captured(e.Result))
		}
		r.frames[e.Result.Seq], from[e.Result.Seq] = e.Result, path
		r.last = max(r.last, e.Result.Seq)
		return nil
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, wrap(err)
		}
		sum.Write(text)
		if strings.HasPrefix(string(text), mcap.Magic) {
			err = readMCAP(path, text, take)
		} else {
			err = readLines(path, text, take)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.frames) == 0 {
		return nil, fmt.Errorf("replay: %q hold no frame of camera %q: there are %q", paths, source, slices.Sorted(maps.Keys(others)))
	}
	r.Lost = int(r.last) + 1 - len(r.frames)
	r.Hash = hex.EncodeToString(sum.Sum(nil))
	return r, nil
}

// sameFrame is whether two lines of one number are of one frame: a file and its copy, or two
// outputs of one run. Every run of the daemon counts from 0.
func sameFrame(a, b *perception.Result) bool {
	known := !a.Captured.IsZero() && !b.Captured.IsZero() // else one output leaves the clock's time out
	return a.Time == b.Time && a.Status == b.Status && (!known || a.Captured.Equal(b.Captured))
}

// captured is what became of a frame and when, in words.
func captured(r *perception.Result) string {
	if r.Captured.IsZero() {
		return fmt.Sprintf("%s at %v", r.Status, r.Time)
	}
	return fmt.Sprintf("%s at %v, captured %s", r.Status, r.Time, r.Captured.UTC().Format(time.RFC3339Nano))
}

func readLines(path string, text []byte, take func(string, record.Entry) error) error {
	in, err := record.NewReader(bytes.NewReader(text), path)
	if err != nil {
		return err
	}
	for e, err := range in.All() {
		if errors.Is(err, record.ErrCut) {
			return nil // the engine was turned off: what is there is good
		}
		if err != nil {
			return err
		}
		if err := take(path, e); err != nil {
			return err
		}
	}
	return nil
}

func readMCAP(path string, text []byte, take func(string, record.Entry) error) error {
	var head *perception.Header
	messages, stop := mcap.Read(bytes.NewReader(text))
	for c, m := range messages {
		switch c.Schema.Name {
		case "perceive.Header":
			head = &perception.Header{}
			if err := json.Unmarshal(m.Data, head); err != nil {
				return fmt.Errorf("replay: %s: header: %w", path, err)
			}
		case "perceive.Result":
			if head == nil {
				return fmt.Errorf("replay: %s: a result comes before the header", path)
			}
			e, err := record.Parse(head, m.Data)
			if err != nil {
				return fmt.Errorf("replay: %s: %w", path, err)
			}
			if err := take(path, e); err != nil {
				return err
			}
		}
	}
	if err := stop(); err != nil && !errors.Is(err, mcap.ErrTruncated) {
		return fmt.Errorf("replay: %s: %w", path, err)
	}
	return nil
}

// Source loses the frames that were lost on the road, gives the others the times that they had
// there, and ends where the road ended.
func (r *Road) Source(s camera.Source) camera.Source { return &road{s, r} }

type road struct {
	camera.Source
	*Road
}

func (r *road) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := r.Source.Next(ctx)
	var seq uint64
	var at *time.Duration
	bad := (*camera.FrameError)(nil)
	switch {
	case err == nil:
		seq, at = f.Seq, &f.Time
	case errors.As(err, &bad):
		seq, at = bad.Seq, &bad.Time
	default:
		return nil, err
	}
	if seq > r.last {
		if f != nil {
			f.Release()
		}
		return nil, io.EOF
	}
	was := r.frames[seq]
	if was == nil {
		return f, err
	}
	*at = was.Time
	if f == nil {
		return nil, err
	}
	var why error
	switch was.Status {
	case perception.Dropped:
		why = camera.ErrDropped
	case perception.Stale:
		why = camera.ErrStale
	case perception.Unreadable:
		why = errRoad
	default:
		return f, nil
	}
	lost := &camera.FrameError{Seq: seq, Time: *at, Name: "on the road", Err: why}
	f.Release()
	return nil, lost
}

// Guard skips the frames that were skipped on the road.
func (r *Road) Guard() perception.Guard { return skipper{r} }

type skipper struct{ *Road }

func (s skipper) Check(f *camera.Frame) (perception.Status, string) {
	if was := s.frames[f.Seq]; was != nil && was.Status == perception.Skipped {
		return was.Status, was.Reason
	}
	return perception.OK, ""
}

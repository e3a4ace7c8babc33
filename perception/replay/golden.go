package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"perceive/camera"
	"perceive/hw"
	"perceive/perception"
	"perceive/perception/record"
)

// Tolerance is how far a replay may be from its golden. The zero value is: not at all. Times,
// statuses and reasons are compared exactly in any case.
type Tolerance struct {
	// P is the largest difference of a probability.
	P float64
	// Band excuses a change of state where one of the two probabilities is so near to the
	// threshold that the label crosses, and as long as the states then stay apart.
	Band float64
	// Where is the largest difference of a peak's or a box's place in pixels; below 0 places
	// are not compared, which the verdict says.
	Where int
}

// DefaultTolerance is exact for the CPU. Accelerators add up in other orders and precisions.
func DefaultTolerance(p hw.Provider) Tolerance {
	if p == hw.CPU {
		return Tolerance{}
	}
	return Tolerance{P: 1e-2, Band: 1e-2, Where: -1}
}

func (t Tolerance) String() string {
	s := fmt.Sprintf("|Δp| up to %g, flips within %g of a threshold, ", t.P, t.Band)
	if t.Where < 0 {
		return s + "where is NOT compared"
	}
	return s + fmt.Sprintf("where up to %d pixels", t.Where)
}

// Golden is a recording that others are held against.
type Golden struct {
	Path   string
	Header perception.Header
	Frames []perception.Result
	Hash   string // of its frame lines
}

// ErrNoGolden: there is none under that name.
var ErrNoGolden = errors.New("there is no golden: make one with --update REASON")

// ReadGolden reads a golden recording, which must be whole.
func ReadGolden(path string) (*Golden, error) {
	head, entries, err := record.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("replay: %s: %w", path, ErrNoGolden)
	case errors.Is(err, record.ErrCut):
		return nil, fmt.Errorf("replay: the golden is no verdict's ground: %w: take it from version control again, or --update it", err)
	case err != nil:
		return nil, fmt.Errorf("replay: golden: %w", err)
	}
	g := &Golden{Path: path, Header: head}
	for _, e := range entries {
		switch {
		case e.Result == nil:
		case e.Result.Seq != uint64(len(g.Frames)):
			return nil, fmt.Errorf("replay: golden %s:%d: frame %d where frame %d belongs: this recording has gaps", path, e.Line, e.Result.Seq, len(g.Frames))
		default:
			g.Frames = append(g.Frames, *e.Result)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, wrap(err)
	}
	sum := sha256.Sum256(text[slices.Index(text, '\n')+1:])
	g.Hash = hex.EncodeToString(sum[:])
	return g, nil
}

// WithReason is the header of a golden that takes the place of the one in a file, if there is one.
func WithReason(h perception.Header, path, reason string) perception.Header {
	h.Golden = &perception.Golden{Reason: reason}
	if old, err := ReadGolden(path); err == nil {
		h.Golden.Replaces = old.Hash
	}
	return h
}

// short is the beginning of a hash.
func short(hash string) string { return hash[:min(len(hash), 12)] }

// Comparison is a sink that holds results against a golden, frame by frame.
type Comparison struct {
	Golden    *Golden
	Tolerance Tolerance
	Frames    int // seen
	Diverged  int // frames that are not as the golden's
	Labels    []LabelComparison
	First     *Divergence
	now       *Trace
}

// LabelComparison is what became of one label.
type LabelComparison struct {
	Label string
	// Flips are frames with another state, Excused those of them that the tolerance allows.
	Flips, Excused int
	// Largest is the largest difference of the probabilities, At its frame.
	Largest float64
	At      uint64
	apart   bool // the last frame's flip was excused
}

// Divergence is a frame that is not as it should be.
type Divergence struct {
	Golden, Now perception.Result
	Reasons     []string
	Frame       *camera.Frame // nil if there was no picture
}

// NewComparison begins a comparison.
func NewComparison(g *Golden, t Tolerance) *Comparison {
	c := &Comparison{Golden: g, Tolerance: t, now: NewTrace(g.Header)}
	for _, l := range g.Header.Labels {
		c.Labels = append(c.Labels, LabelComparison{Label: l.Label})
	}
	return c
}

// Emit implements perception.Sink.
func (c *Comparison) Emit(ctx context.Context, r *perception.Result, f *camera.Frame) error {
	c.Frames++
	if err := c.now.Emit(ctx, r, f); err != nil {
		return err
	}
	if r.Seq >= uint64(len(c.Golden.Frames)) {
		c.diverge(&perception.Result{Seq: r.Seq, Time: r.Time, Reason: "the golden has no such frame"}, r, f,
			[]string{fmt.Sprintf("the golden ends after %d frames", len(c.Golden.Frames))})
		return nil
	}
	want := &c.Golden.Frames[r.Seq]
	if reasons := c.compare(want, r); len(reasons) > 0 {
		c.diverge(want, r, f, reasons)
	}
	return nil
}

func (c *Comparison) diverge(want, got *perception.Result, f *camera.Frame, reasons []string) {
	c.Diverged++
	if c.First != nil {
		return
	}
	c.First = &Divergence{Golden: clone(want), Now: clone(got), Reasons: reasons, Frame: copyFrame(f)}
}

// Close implements perception.Sink.
func (c *Comparison) Close() error { return nil }

// Err is the verdict: nil if the replay is as its golden.
func (c *Comparison) Err() error {
	want := len(c.Golden.Frames)
	switch {
	case c.First != nil:
		return fmt.Errorf("replay: %d of %d frames are not as in %s, from frame %d (%.2f s) on: %s", c.Diverged, c.Frames, c.Golden.Path,
			c.First.Now.Seq, c.First.Now.Time.Seconds(), c.First.Reasons[0])
	case c.Frames != want:
		return fmt.Errorf("replay: this run has %d frames, and %s has %d", c.Frames, c.Golden.Path, want)
	}
	return nil
}

package perception

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"perceive/camera"
)

// Summary is a sink that counts. It allocates nothing once warm.
type Summary struct {
	labels   []string
	began    time.Time
	Frames   int
	Statuses map[Status]int
	// On is how long each label was on, in recording time: from a frame that says so to
	// the next frame.
	On []time.Duration

	decode, fit, infer *hdrhistogram.Histogram // nanoseconds
	last               time.Duration
	gap                time.Duration
	on                 []bool
}

// longest is the largest latency that is told apart from longer ones.
const longest = time.Minute

// NewSummary starts to count.
func NewSummary(labels []string) *Summary {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(100, int64(longest), 3) }
	return &Summary{labels: labels, began: time.Now(), Statuses: map[Status]int{OK: 0}, On: make([]time.Duration, len(labels)),
		on: make([]bool, len(labels)), decode: h(), fit: h(), infer: h()}
}

// Emit implements Sink.
func (s *Summary) Emit(_ context.Context, r *Result, _ *camera.Frame) error {
	s.Statuses[r.Status]++
	if s.Frames > 0 {
		s.gap = max(0, r.Time-s.last)
		s.count()
	}
	s.Frames++
	s.last = r.Time
	clear(s.on)
	for i, a := range r.Answers {
		s.on[i] = a.State == On
	}
	record(s.decode, r.Took.Decode)
	if r.Status == OK && r.Took.Infer > 0 { // not of a frame that was answered before
		record(s.fit, r.Took.Fit)
		record(s.infer, r.Took.Infer)
	}
	return nil
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	h.RecordValue(int64(min(max(d, 0), longest)))
}

// count adds the time since the last frame to the labels that were on.
func (s *Summary) count() {
	for i, on := range s.on {
		if on {
			s.On[i] += s.gap
		}
	}
}

// Close counts the last frame as long as the one before it.
func (s *Summary) Close() error {
	s.count()
	clear(s.on)
	return nil
}

// Print writes the summary for a person.
func (s *Summary) Print(w io.Writer) error {
	took := time.Since(s.began)
	fmt.Fprintf(w, "%s in %.2f s, %.1f frames/s\n\n", s, took.Seconds(), float64(s.Frames)/took.Seconds())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "stage\tp50 ms\tp99 ms\tmax ms\t")
	for _, st := range []struct {
		name string
		h    *hdrhistogram.Histogram
	}{{"decode", s.decode}, {"fit", s.fit}, {"network", s.infer}} {
		ms := func(ns int64) float64 { return float64(ns) / 1e6 }
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t\n", st.name, ms(st.h.ValueAtQuantile(50)), ms(st.h.ValueAtQuantile(99)), ms(st.h.Max()))
	}
	fmt.Fprintln(t, "\t\t\t\t\nlabel\ton s\tof s\t\t")
	for i, l := range s.labels {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t\t\n", l, s.On[i].Seconds(), (s.last + s.gap).Seconds())
	}
	return t.Flush()
}

// String is the frames and what became of them.
func (s *Summary) String() string {
	var statuses []string
	for _, st := range Statuses {
		if n := s.Statuses[st]; n > 0 || st == OK {
			statuses = append(statuses, fmt.Sprintf("%d %s", n, st))
		}
	}
	return fmt.Sprintf("%d frames (%s)", s.Frames, strings.Join(statuses, ", "))
}

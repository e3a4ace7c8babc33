package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes the report for a person.
func (r *Report) Print(w io.Writer) error {
	r.Conditions.print(w)
	if len(r.Stages) > 0 {
		if err := r.printStages(w); err != nil {
			return err
		}
	}
	if r.Rate != nil {
		if err := r.Rate.print(w); err != nil {
			return err
		}
	}
	if r.Comparison != nil {
		if err := r.Comparison.print(w); err != nil {
			return err
		}
	}
	if r.Incomplete != "" {
		fmt.Fprintf(w, "\nincomplete: %s\n", r.Incomplete)
	}
	return nil
}

func (c *Conditions) print(w io.Writer) {
	governor := ""
	if c.Governor != "" {
		governor = ", governor " + c.Governor
	}
	threads := "1 thread"
	if c.Threads != 1 {
		threads = fmt.Sprintf("%d threads", c.Threads)
	}
	fmt.Fprintf(w, "%s: %s, %d cores%s, %s\n", c.System, unknown(c.CPU), c.Cores, governor, c.Program)
	fmt.Fprintf(w, "%s on %s (ONNX Runtime %s), %s; %s, %s\n", c.Model, c.Provider, c.Runtime, threads, c.Source, c.Size)
	if c.Busy() {
		fmt.Fprintf(w, "the machine was busy: in the minute before, %.1f programs wanted its %d cores\n", c.Load, c.Cores)
	}
}

func unknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func numbers(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func (r *Report) printStages(w io.Writer) error {
	t := numbers(w)
	fmt.Fprintln(t, "\nstage\tp50 ms\tp90 ms\tp99 ms\tmax ms\tper s\tp50 of the turns\tframes\t")
	for _, s := range r.Stages {
		rate := "–"
		if s.PerS != nil {
			rate = fmt.Sprintf("%.1f", s.PerS.Median)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s–%s\t%d\t\n", s.Name, figure(s.P50.Median), figure(s.P90), figure(s.P99), figure(s.Max),
			rate, figure(s.P50.Min), figure(s.P50.Max), s.Frames)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Stages {
		if s.WarmUp != nil && !s.WarmUp.Settled {
			fmt.Fprintf(w, "%s did not settle within %.1f s of warm-up: its figures may still drift\n", s.Name, s.WarmUp.Seconds)
		}
		if s.Skipped > 0 {
			fmt.Fprintf(w, "%s: %d frames could not be read or were refused by a guard, and are not counted\n", s.Name, s.Skipped)
		}
	}
	return nil
}

func (s *RateSearch) print(w io.Writer) error {
	fmt.Fprintf(w, "\nhighest rate with fewer than %g %% of the frames dropped (decoded beforehand, newest frame first):\n", 100*s.Limit)
	switch {
	case s.LateAt > 0:
		fmt.Fprintln(w, s.lateness())
	case s.PerS == 0 && s.Failed == 0:
		fmt.Fprintln(w, "not found")
	case s.PerS == 0:
		fmt.Fprintf(w, "none: %.1f frames/s was too much already\n", s.Failed)
	case s.AtLeast:
		fmt.Fprintf(w, "%.1f frames/s, where the search ends: more may be possible\n", s.PerS)
	default:
		k := s.known()
		fmt.Fprintf(w, "%.1f frames/s; %.1f/s was too much\n", s.PerS, s.Failed)
		if k.Max > s.Failed || k.Min < s.PerS {
			fmt.Fprintf(w, "the trials contradict each other: the noise reaches from %.1f to %.1f/s\n", k.Min, k.Max)
		}
	}
	if s.PerS > 0 {
		fmt.Fprintf(w, "at this rate: %d of %d frames dropped (%.1f %%), %d answered; age when published p50 %.2f ms, p99 %.2f ms\n",
			s.At.Dropped, s.At.Offered, 100*s.At.DropShare(), s.At.Answered, s.At.Age50, s.At.Age99)
		if s.At.Refused > 0 {
			fmt.Fprintf(w, "%d of them were refused by a guard and cost the network nothing: without these the rate is lower\n", s.At.Refused)
		}
	}
	t := numbers(w)
	fmt.Fprintln(t, "\noffered per s\tframes\tanswered\tdropped\tdropped %\tage p50 ms\tage p99 ms\tlate p90 ms\t\t")
	for i := range s.Trials {
		o := &s.Trials[i]
		fmt.Fprintf(t, "%.1f\t%d\t%d\t%d\t%.1f\t%.2f\t%.2f\t%s\t%s\t\n", o.PerS, o.Offered, o.Answered, o.Dropped, 100*o.DropShare(), o.Age50, o.Age99, figure(o.Pacing90), o.remark())
	}
	return t.Flush()
}

// lateness says that the bench itself was late, and what that leaves of the rate.
func (s *RateSearch) lateness() string {
	before := "none is claimed"
	if s.PerS > 0 {
		before = fmt.Sprintf("%.1f frames/s, and more may be possible", s.PerS)
	}
	return fmt.Sprintf("%s: at %.1f/s the bench itself offered more than one frame in ten late, by over %g %% of the time between two: this machine is too busy for more to be measured",
		before, s.LateAt, 100*latePart)
}

// remark is what a trial is to be read with.
func (t *Trial) remark() string {
	switch {
	case t.Late:
		return "the bench was late: says nothing"
	case t.Cut:
		return "ended early, too many dropped"
	}
	return ""
}

func (c *Comparison) print(w io.Writer) error {
	fmt.Fprintf(w, "\nagainst the baseline, measured with %s:\n", unknown(c.Baseline))
	for _, d := range c.Differs {
		fmt.Fprintf(w, "warning: another %s: %s, now %s\n", d.What, unknown(d.Was), unknown(d.Is))
	}
	if len(c.Differs) > 0 {
		fmt.Fprintln(w, "warning: the ratios are of these differences as well")
	}
	t := numbers(w)
	fmt.Fprintln(t, "\tunit\twas\tnow\tratio\t\t")
	for _, r := range c.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.2f\t%s\t\n", r.Name, r.Unit, r.Was, r.Is, r.Ratio, r.verdict())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, m := range c.Missing {
		fmt.Fprintln(w, m)
	}
	return nil
}

// String is the median and, in brackets, the noise.
func (s Spread) String() string {
	return fmt.Sprintf("%s (%s–%s)", figure(s.Median), figure(s.Min), figure(s.Max))
}

// figure is a number for a table: to a hundredth, and small ones to three digits.
func figure(v float64) string {
	if v < 0.1 {
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// verdict says what a ratio means.
func (c *Compared) verdict() string {
	switch {
	case !c.Beyond:
		return "within the noise"
	case c.Ratio > 1:
		return "slower"
	}
	return "faster"
}

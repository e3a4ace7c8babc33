package hil

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Run is everything that happened on the bench, from which the verdicts follow.
type Run struct {
	Scenario *Scenario `json:"-"`
	Begin    time.Time `json:"begin"`
	End      time.Time `json:"end"`
	// Injected is when each fault really began and ended.
	Injected []Span   `json:"injected"`
	Served   []Served `json:"served"`
	Observed
	// Lives is how many processes of the unit there were; Died are unexpected ends.
	Lives int      `json:"lives"`
	Died  []string `json:"died,omitempty"`
	// Running is whether the unit ran at the end, before the bench ended it.
	Running bool `json:"running"`

	shots map[string][]shot
}

// Span is a time from and to.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Verdict is what became of a requirement.
type Verdict struct {
	Requirement Requirement `json:"-"`
	Title       string      `json:"requirement"`
	Pass        bool        `json:"pass"`
	// Measured and Limit are in the requirement's own terms, Margin is how much is left of the
	// limit, negative if it was passed.
	Measured string `json:"measured"`
	Limit    string `json:"limit"`
	Margin   string `json:"margin"`
	// At is when it failed, zero otherwise.
	At time.Time `json:"at,omitzero"`
}

// Judge holds a run against its scenario's requirements.
func Judge(r *Run) (out []Verdict) {
	for _, q := range r.Scenario.Require {
		v := r.judge(q)
		v.Requirement, v.Title = q, r.title(q)
		out = append(out, v)
	}
	return out
}

func (r *Run) title(q Requirement) string {
	t := strings.ReplaceAll(q.Kind, "_", " ")
	if q.Kind == "detect" || q.Kind == "recover" {
		f := r.Scenario.Faults[q.Fault]
		t = fmt.Sprintf("%s %s", t, f.Kind)
		if f.Camera != "" {
			t += " of " + f.Camera
		}
	}
	if q.Camera != "" {
		t += ", camera " + q.Camera
	}
	if q.Label != "" {
		t += ", " + q.Label
	}
	return t
}

func (r *Run) judge(q Requirement) Verdict {
	switch q.Kind {
	case "detect":
		return r.detect(q)
	case "recover":
		return r.recovered(q)
	case "latency_p99":
		return r.latency(q)
	case "gap":
		return r.gap(q)
	case "no_stale":
		return r.stale(q)
	case "drops":
		return r.drops(q)
	case "agreement":
		return r.agreement(q)
	case "memory":
		return r.memory(q)
	case "one_result":
		return r.oneResult(q)
	case "alive":
		return r.alive()
	}
	panic("hil: requirement " + q.Kind) // Parse knows them all
}

// took is the verdict of a time that must be within a limit.
func took(d, limit time.Duration) Verdict {
	return Verdict{Pass: d <= limit, Measured: short(d), Limit: short(limit), Margin: short(limit - d)}
}

func never(what string, limit time.Duration, at time.Time) Verdict {
	return Verdict{Measured: what, Limit: short(limit), Margin: "–", At: at}
}

func short(d time.Duration) string {
	if d.Abs() < time.Second {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// of is whether a result or a note is of a requirement's camera.
func (q Requirement) of(camera string) bool { return q.Camera == "" || q.Camera == camera }

// detect: from the fault's beginning to the first result, note or problem that says so.
func (r *Run) detect(q Requirement) Verdict {
	from := r.Injected[q.Fault].From
	fromStart := r.Scenario.Faults[q.Fault].Kind == "no_provider" // there before the first frame
	cam := r.Scenario.Faults[q.Fault].Camera
	var first time.Time
	see := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	matches := func(text string) bool {
		return slices.ContainsFunc(q.As, func(as string) bool { return strings.Contains(text, as) })
	}
	for _, x := range r.Results {
		if !x.Got.Before(from) && (cam == "" || x.Source == cam) && slices.Contains(q.As, x.Status) {
			see(x.Got)
		}
	}
	for _, n := range r.Notes {
		if !n.Got.Before(from) && (cam == "" || n.Source == "" || n.Source == cam) && matches(n.What+" "+n.Reason) {
			see(n.Got)
		}
	}
	for _, p := range r.Polls {
		if p.Got.Before(from) || p.Got.After(r.End) {
			continue
		}
		if !p.Answered && slices.Contains(q.As, "no answer") {
			see(p.Got)
		}
		for _, text := range p.Problems {
			if matches(text) && (fromStart || !r.said(text, from)) && (cam == "" || strings.Contains(text, cam) || !strings.HasPrefix(text, "source")) {
				see(p.Got)
			}
		}
	}
	if first.IsZero() {
		return never("never noticed", q.Within, from)
	}
	v := took(first.Sub(from), q.Within)
	if !v.Pass {
		v.At = from.Add(q.Within)
	}
	return v
}

// said is whether a problem was there before a time.
func (r *Run) said(problem string, at time.Time) bool {
	for _, p := range r.Polls {
		if p.Got.Before(at) && slices.Contains(p.Problems, problem) {
			return true
		}
	}
	return false
}

// recovered: from the fault's end to the first ok result of a frame that was made after it.
func (r *Run) recovered(q Requirement) Verdict {
	f, end := r.Scenario.Faults[q.Fault], r.Injected[q.Fault].To
	worst, all := time.Duration(-1), true
	for _, c := range r.Scenario.Cameras {
		if f.Camera != "" && c.Name != f.Camera || !q.of(c.Name) {
			continue
		}
		after := r.firstAfter(c.Name, end)
		got := time.Duration(-1)
		for _, x := range r.Results {
			if x.Source == c.Name && x.Status == "ok" && x.Code != nil && *x.Code >= after && !x.Got.Before(end) {
				got = x.Got.Sub(end)
				break
			}
		}
		if got < 0 {
			all = false
		}
		worst = max(worst, got)
	}
	if !all || worst < 0 {
		return never("never recovered", q.Within, end.Add(q.Within))
	}
	v := took(worst, q.Within)
	if !v.Pass {
		v.At = end.Add(q.Within)
	}
	return v
}

// firstAfter is the code of the first frame that a camera made at or after a time.
func (r *Run) firstAfter(cam string, at time.Time) uint32 {
	for _, s := range r.Served {
		if s.Camera == cam && !s.Made.Before(at) {
			return s.Code
		}
	}
	return math.MaxUint32
}

// made is when each frame of each camera was made.
func (r *Run) made() map[string]map[uint32]*Served {
	out := map[string]map[uint32]*Served{}
	for i := range r.Served {
		s := &r.Served[i]
		if out[s.Camera] == nil {
			out[s.Camera] = map[uint32]*Served{}
		}
		out[s.Camera][s.Code] = s
	}
	return out
}

// latencies are glass to result of the ok results whose frames had no fault, in order of time.
func (r *Run) latencies(q Requirement) (out []time.Duration, at []time.Time) {
	made := r.made()
	for _, x := range r.Results {
		if !q.of(x.Source) || x.Status != "ok" || x.Code == nil {
			continue
		}
		if s := made[x.Source][*x.Code]; s != nil && len(s.Faults) == 0 {
			out, at = append(out, x.Got.Sub(s.Made)), append(at, x.Got)
		}
	}
	return out, at
}

func (r *Run) latency(q Requirement) Verdict {
	all, _ := r.latencies(q)
	if len(all) == 0 {
		return never("no result to measure", q.Below, r.End)
	}
	slices.Sort(all)
	v := took(all[min(len(all)-1, len(all)*99/100)], q.Below)
	v.Measured += fmt.Sprintf(" (median %s, %d results)", short(all[len(all)/2]), len(all))
	if !v.Pass {
		v.At = r.End
	}
	return v
}

func (r *Run) gap(q Requirement) Verdict {
	worst, at := time.Duration(0), r.Begin
	for _, c := range r.Scenario.Cameras {
		if !q.of(c.Name) {
			continue
		}
		last := time.Time{}
		for _, x := range r.Results {
			if x.Source != c.Name {
				continue
			}
			if !last.IsZero() && x.Got.Sub(last) > worst {
				worst, at = x.Got.Sub(last), last
			}
			last = x.Got
		}
		if last.IsZero() {
			return never("no result at all of "+c.Name, q.Below, r.Begin)
		}
		if d := r.End.Sub(last); d > worst {
			worst, at = d, last
		}
	}
	v := took(worst, q.Below)
	if !v.Pass {
		v.At = at.Add(q.Below)
	}
	return v
}

// stale: no ok result is of a frame that was made longer ago. A frozen camera sends an old
// picture as new, which the code in it gives away.
func (r *Run) stale(q Requirement) Verdict {
	made := r.made()
	worst, at, n := time.Duration(0), time.Time{}, 0
	for _, x := range r.Results {
		if !q.of(x.Source) || x.Status != "ok" || x.Code == nil {
			continue
		}
		s := made[x.Source][*x.Code]
		if s == nil {
			continue
		}
		n++
		if d := x.Got.Sub(s.Made); d > worst {
			worst, at = d, x.Got
		}
	}
	if n == 0 {
		return never("no result to measure", q.Below, r.End)
	}
	v := took(worst, q.Below)
	if !v.Pass {
		v.At = at
	}
	return v
}

// amount is the verdict of a number that must not pass a limit.
func amount(v, limit float64, atMost bool, format string) Verdict {
	margin := limit - v
	if !atMost {
		margin = v - limit
	}
	return Verdict{Pass: margin >= 0, Measured: fmt.Sprintf(format, v), Limit: fmt.Sprintf(format, limit), Margin: fmt.Sprintf(format, margin)}
}

// drops are the frames that were sent, outside of faults, and have no ok result.
func (r *Run) drops(q Requirement) Verdict {
	answered := map[string]map[uint32]bool{}
	first := map[string]uint32{}
	for _, x := range r.Results {
		if x.Status != "ok" || x.Code == nil {
			continue
		}
		if answered[x.Source] == nil {
			answered[x.Source] = map[uint32]bool{}
			first[x.Source] = *x.Code
		}
		answered[x.Source][*x.Code] = true
	}
	sent, lost := 0, 0
	for _, s := range r.Served {
		// What was on its way at the end may not have come.
		if !q.of(s.Camera) || s.Sent.IsZero() || r.disturbed(s.Made) || s.Code < first[s.Camera] || r.End.Sub(s.Made) < time.Second {
			continue
		}
		sent++
		if !answered[s.Camera][s.Code] {
			lost++
		}
	}
	if sent == 0 {
		return Verdict{Measured: "no frame to count", At: r.End}
	}
	v := amount(float64(lost)/float64(sent), q.Limit, true, "%.4f")
	v.Measured += fmt.Sprintf(" (%d of %d)", lost, sent)
	if !v.Pass {
		v.At = r.End
	}
	return v
}

// settle is how long after a fault its traces are not counted.
const settle = 3 * time.Second

// disturbed is whether a fault was on at a time, or had just been.
func (r *Run) disturbed(at time.Time) bool {
	return slices.ContainsFunc(r.Injected, func(s Span) bool { return !s.From.IsZero() && !at.Before(s.From) && at.Before(s.To.Add(settle)) })
}

func (r *Run) agreement(q Requirement) Verdict {
	made := r.made()
	same, all := 0, 0
	for _, x := range r.Results {
		if !q.of(x.Source) || x.Status != "ok" || x.Code == nil {
			continue
		}
		s := made[x.Source][*x.Code]
		if s == nil || len(s.Faults) > 0 {
			continue
		}
		for label, there := range s.Truth {
			state := x.States[label]
			if q.Label != "" && q.Label != label || state == "" || state == "unknown" {
				continue
			}
			all++
			if (state == "on") == there {
				same++
			}
		}
	}
	if all == 0 {
		return Verdict{Measured: "nothing to compare: the truth is known of scene:// worlds alone", At: r.End}
	}
	v := amount(float64(same)/float64(all), q.Limit, false, "%.3f")
	v.Measured += fmt.Sprintf(" (%d answers)", all)
	if !v.Pass {
		v.At = r.End
	}
	return v
}

// memory is the slope of a line through the second half of what the process used: through the least
// of each of its tenths, because a garbage collector's memory goes up and down. It fails when the
// whole 95 % interval of the slope is above the limit; ten minutes tell some 20 MiB an hour, an
// hour some 1.
func (r *Run) memory(q Requirement) Verdict {
	var x, y []float64
	half := r.Begin.Add(r.End.Sub(r.Begin) / 2)
	for _, p := range r.Polls {
		if p.RSS > 0 && p.Got.After(half) && p.Got.Before(r.End) {
			x, y = append(x, p.Got.Sub(half).Hours()), append(y, float64(p.RSS)/(1<<20))
		}
	}
	if len(x) < 10 {
		return Verdict{Measured: "too few readings of memory", At: r.End}
	}
	x, y = minima(x, y)
	s, error95 := slope(x, y)
	v := amount(s-error95, q.Limit, true, "%.2f MiB/h")
	v.Measured = fmt.Sprintf("%.1f ± %.1f MiB/h (%.1f MiB at the end)", s, error95, y[len(y)-1])
	v.Limit = fmt.Sprintf("no more than %.2f MiB/h, but for chance", q.Limit)
	if !v.Pass {
		v.At = r.End
	}
	return v
}

// blocks are the parts of which the least is taken.
const blocks = 10

// minima are the points with the least y in each of ten neighbourhoods.
func minima(x, y []float64) (mx, my []float64) {
	for b := range blocks {
		from, to := b*len(x)/blocks, (b+1)*len(x)/blocks
		if from == to {
			continue
		}
		least := from
		for i := from; i < to; i++ {
			if y[i] < y[least] {
				least = i
			}
		}
		mx, my = append(mx, x[least]), append(my, y[least])
	}
	return mx, my
}

// slope is of the least-squares line, and half its 95 % interval: Student's t with n-2 degrees.
func slope(x, y []float64) (s, error95 float64) {
	a, s := stat.LinearRegression(x, y, nil, false)
	n := float64(len(x))
	var rest, spread float64
	mean := stat.Mean(x, nil)
	for i := range x {
		rest += (y[i] - a - s*x[i]) * (y[i] - a - s*x[i])
		spread += (x[i] - mean) * (x[i] - mean)
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 2}.Quantile(0.975)
	return s, t * math.Sqrt(rest/(n-2)/spread)
}

func (r *Run) oneResult(q Requirement) Verdict {
	type key struct {
		source string
		life   int
	}
	next := map[key]uint64{}
	for _, x := range r.Results {
		if !q.of(x.Source) {
			continue
		}
		k := key{x.Source, x.Life}
		want, seen := next[k]
		if seen && x.Seq != want {
			return Verdict{Measured: fmt.Sprintf("%s: frame %d after frame %d", x.Source, x.Seq, want-1), Limit: "each once, in order", At: x.Got}
		}
		next[k] = x.Seq + 1
	}
	if len(next) == 0 {
		return Verdict{Measured: "no result", Limit: "each once, in order", At: r.End}
	}
	n := 0
	for _, x := range r.Results {
		if q.of(x.Source) {
			n++
		}
	}
	return Verdict{Pass: true, Measured: fmt.Sprintf("%d results, no gap", n), Limit: "each once, in order", Margin: "–"}
}

func (r *Run) alive() Verdict {
	v := Verdict{Pass: r.Running && r.Lives == 1 && len(r.Died) == 0, Measured: fmt.Sprintf("%d process", r.Lives), Limit: "1 process, running", Margin: "–"}
	if !v.Pass {
		v.Measured = fmt.Sprintf("%d processes, running at the end: %t%s", r.Lives, r.Running, strings.Join(append([]string{""}, r.Died...), "; "))
		v.At = r.End
	}
	return v
}

package hil

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// settle is how long after a fault its traces are not counted, and how long after the start a
	// camera may take to be opened.
	settle = 3 * time.Second
	// onWay is how long a frame may be on its way: what was sent so shortly before a fault or the
	// end may not have come.
	onWay = time.Second
)

// answered are the faults of the unit under which each frame has its result all the same.
var answered = []string{"disk_full", "disk_rot", "no_provider", "hot_board", "model_swap", "bad_model", "slow_reader"}

// pictureless are the statuses of frames that were taken from the camera and not seen: nobody knows
// their codes.
var pictureless = []string{"dropped", "stale", "unreadable"}

// disturbed is whether a fault that a camera's frames suffer from was on at a time, or had just
// been: one of that camera, of all, or of the unit, of the kinds that count.
func (r *Run) disturbed(camera string, at time.Time, counts func(kind string) bool) bool {
	for i, s := range r.Injected {
		f := r.Scenario.Faults[i]
		if f.of(camera) && counts(f.Kind) && !s.From.IsZero() && !at.Before(s.From) && at.Before(s.To.Add(settle)) {
			return true
		}
	}
	return false
}

// due are the frames of a camera that the unit must have answered, in order: those that were sent,
// not around what excuses them, and had the time to come. first is the lowest code that
// was heard: frames before it may be from before the camera was open.
func (r *Run) due(camera string, first uint32, heard bool, around func(at time.Time) bool) (out []*Served) {
	for i := range r.Served {
		s := &r.Served[i]
		if s.Camera != camera || s.Sent.IsZero() || r.End.Sub(s.Made) < onWay || around(s.Made) || around(s.Made.Add(onWay)) {
			continue
		}
		if s.Made.Sub(r.Begin) < settle && (!heard || s.Code < first) {
			continue
		}
		out = append(out, s)
	}
	return out
}

// fate is what became of a camera's frames.
type fate struct {
	camera  string
	sent    int // that must have a result
	results int
	blank   int // of them without a picture
	// lost frames have no result, repeated are results beyond one of a frame, reordered those that
	// come after one of a later frame. numbers is what is wrong with the unit's own.
	lost, repeated, reordered int
	numbers                   string
	// may is how many frames may be lost on the way, where the wire does not know.
	may int
	at  time.Time // of the first thing that is wrong
}

// onWire is the part of the frames that an encoder and packets may lose between bench and unit.
const onWire = 0.05

// broken is whether, at a time, a camera's frames may have been lost for another reason than the unit: there
// was a fault, or the connection was lost, as where the bench was held up for so long that the unit
// gave it up.
func (r *Run) broken(camera string, at time.Time) bool {
	return r.disturbed(camera, at, breaks) || slices.ContainsFunc(r.Notes, func(n Note) bool {
		return n.Source == camera && n.What == "camera lost" && !at.Before(n.Got.Add(-2*onWay)) && at.Before(n.Got.Add(settle))
	})
}

// breaks is whether a fault can keep a frame from having one result.
func breaks(kind string) bool { return !slices.Contains(answered, kind) }

// fate follows a camera's frames. Results with a code are of the frame that has it. Those without a
// picture stand, in the unit's order, between two that have a code: so many of the codes between are
// accounted for. Results of another status whose code could not be read account for none.
func (r *Run) fate(camera string) *fate {
	a := &fate{camera: camera}
	made := r.made()[camera]
	seen := map[uint32]bool{}
	blanks := map[int64]int{} // after which code how many came without a picture
	calm := map[int64]bool{}  // no fault was near any of them
	last := int64(-1)
	next := map[int]uint64{} // the unit's number that is due, by life
	for _, x := range r.Results {
		if x.Source != camera {
			continue
		}
		a.results++
		a.number(x, next)
		quiet := !r.broken(camera, x.Got)
		if x.Code == nil {
			if slices.Contains(pictureless, x.Status) {
				a.blank++
				calm[last] = quiet && (blanks[last] == 0 || calm[last])
				blanks[last]++
			}
			continue
		}
		c := *x.Code
		s := made[c]
		if quiet && s != nil && !r.broken(camera, s.Made) {
			switch {
			case seen[c]:
				a.repeated++
				a.wrong(x.Got)
			case int64(c) < last:
				a.reordered++
				a.wrong(x.Got)
			}
		}
		if s != nil { // what nobody sent is no frame
			seen[c] = true
			last = max(last, int64(c))
		}
	}
	r.missing(a, made, seen, blanks, calm)
	return a
}

// missing counts the frames without a result, and the results without a picture that are more than
// there were frames for.
func (r *Run) missing(a *fate, made map[uint32]*Served, seen map[uint32]bool, blanks map[int64]int, calm map[int64]bool) {
	codes := make([]uint32, 0, len(seen))
	for c := range seen {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	first, heard := uint32(0), len(codes) > 0
	if heard {
		first = codes[0]
	}
	due := r.due(a.camera, first, heard, func(at time.Time) bool { return r.broken(a.camera, at) })
	a.sent = len(due)
	left := map[int64]int{}
	for k, n := range blanks {
		left[k] = n
	}
	for _, s := range due {
		if seen[s.Code] {
			continue
		}
		after := int64(-1)
		if i, _ := slices.BinarySearch(codes, s.Code); i > 0 {
			after = int64(codes[i-1])
		}
		if left[after]--; left[after] < 0 {
			a.lost++
			a.wrong(s.Made)
		}
	}
	for i, c := range codes[:max(0, len(codes)-1)] {
		k := int64(c)
		if more := blanks[k] - int(codes[i+1]-c-1); more > 0 && calm[k] {
			a.repeated += more
			a.wrong(made[codes[i+1]].Made)
		}
	}
	for _, c := range r.Scenario.Cameras {
		if c.Name == a.camera && Media[c.Over].loses {
			a.may = int(onWire * float64(a.sent))
		}
	}
}

// number holds a result against the number that the unit gave it: in each of its lives they have no gap.
func (a *fate) number(x Result, next map[int]uint64) {
	if want, known := next[x.Life]; known && x.Seq != want && a.numbers == "" {
		a.numbers = fmt.Sprintf("the unit's frame %d after its frame %d", x.Seq, want-1)
		a.wrong(x.Got)
	}
	next[x.Life] = x.Seq + 1
}

func (a *fate) wrong(at time.Time) {
	if a.at.IsZero() || at.Before(a.at) {
		a.at = at
	}
}

// good is whether each frame has exactly one result, as far as the wire lets it be known.
func (a *fate) good() bool {
	return a.sent > 0 && a.lost <= a.may && a.repeated == 0 && a.reordered == 0 && a.numbers == ""
}

func (a *fate) String() string {
	if a.results == 0 {
		return a.camera + ": no result"
	}
	if a.sent == 0 {
		return a.camera + ": no frame to count"
	}
	text := fmt.Sprintf("%s: %d frames, %d lost, %d repeated, %d out of order", a.camera, a.sent, a.lost, a.repeated, a.reordered)
	if a.may > 0 {
		text += fmt.Sprintf(" (the wire may lose %d)", a.may)
	}
	text += fmt.Sprintf("; %d results, %d without a picture", a.results, a.blank)
	if a.numbers != "" {
		text += "; " + a.numbers
	}
	return text
}

// oneResult: each frame that was sent, outside of faults, has exactly one result, in order; and the
// unit's own numbers have no gap.
func (r *Run) oneResult(q Requirement) Verdict {
	v := Verdict{Pass: true, Limit: "each once, in order", Margin: "–"}
	var said []string
	for _, c := range r.Scenario.Cameras {
		if !q.of(c.Name) {
			continue
		}
		a := r.fate(c.Name)
		said = append(said, a.String())
		if a.good() {
			continue
		}
		if v.Pass = false; a.at.IsZero() {
			a.at = r.End
		}
		if v.At.IsZero() || a.at.Before(v.At) {
			v.At = a.at
		}
	}
	v.Measured = strings.Join(said, "; ")
	return v
}

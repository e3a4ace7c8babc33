// Package perception turns frames into results: exactly one Result for every frame,
// whatever happens to it, in order.
package perception

import (
	"fmt"
	"slices"
	"time"

	"perceive/camera"
	"perceive/models"
)

// Status says what became of a frame.
type Status string

// The statuses. Only the labels of OK frames are known.
const (
	// OK: the network answered.
	OK Status = "ok"
	// Unreadable: the source could not deliver the frame.
	Unreadable Status = "unreadable"
	// Failed: the frame came, and the network did not answer.
	Failed Status = "failed"
	// Dropped: a newer frame came before this one was asked for.
	Dropped Status = "dropped"
	// Stale: the frame was older than its source allows.
	Stale Status = "stale"
	// Black, Saturated, Frozen and Blurred: the picture shows nothing to go by.
	Black     Status = "black"
	Saturated Status = "saturated"
	Frozen    Status = "frozen"
	Blurred   Status = "blurred"
	// Skipped: seen and left out on purpose, to keep the board cool.
	Skipped Status = "skipped"
)

// Statuses are all of them.
var Statuses = []Status{OK, Unreadable, Failed, Dropped, Stale, Black, Saturated, Frozen, Blurred, Skipped}

// State is what is held of a label. The zero value is Unknown.
type State uint8

// The states.
const (
	Unknown State = iota
	Off
	On
)

var stateNames = [...]string{"unknown", "off", "on"}

func (s State) String() string { return stateNames[s] }

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("perception: state %q: want unknown, off or on", text)
	}
	*s = State(i)
	return nil
}

// Answer is the network's answer to one label's question.
type Answer struct {
	// P is the probability, 0 to 1.
	P float32
	// State is On where P is at or above the label's threshold, else Off; a Decider makes
	// it steady over time.
	State State
	// Where says where a label that is on was seen.
	Where Where
}

// Result is what is known of one frame.
type Result struct {
	// Source is the name of the camera, where there may be several.
	Source string
	Seq    uint64
	Time   time.Duration // position in the recording
	Status Status
	// Reason says why Status is not OK, for a person.
	Reason string
	// Answers has one entry a label, in the manifest's order, if Status is OK; else it is
	// empty: what is not known is not said.
	// They belong to the loop and are valid until Emit returns.
	Answers []Answer
	// Captured is when the frame was taken over; Stamp and Clock are the source's own time.
	// They and Took vary from run to run and are no part of a recording that replays.
	Captured time.Time
	Stamp    time.Duration
	Clock    camera.Clock
	// Code is the number that a bench wrote into the picture (camera/framecode), where Coded.
	Code  uint32
	Coded bool
	// Late is whether the result was published after its deadline.
	Late bool
	// Took is how long each stage worked on this frame.
	Took Took

	boxes []Box // the memory of all answers' boxes, maxBoxes each
}

// Took is the time in each stage: waiting for the source and its decoder, in a live camera's
// mailbox (from capture until the pipeline took the frame), looking at the picture for faults, fitting
// it into the input, the network, and making the labels' states steady.
type Took struct{ Decode, Mailbox, Guard, Fit, Infer, Decide time.Duration }

// decide fills r's answers from a lane that has run. What is no probability is no
// answer, and a network that gives one is not believed in the others.
func (r *Result) decide(l *lane, labels []models.Label) {
	r.Answers = r.Answers[:0]
	if need := maxBoxes * len(labels); len(r.boxes) < need {
		r.boxes = make([]Box, need)
	}
	size := l.MapWidth * l.MapHeight // 0 if the model has no maps
	for i, p := range l.Probabilities {
		if !isProbability(p) {
			r.fail(Failed, fmt.Sprintf("perception: frame %d: the network's answer for %q is %v, which is no probability", r.Seq, labels[i].ID, p))
			return
		}
		a := Answer{P: p, State: Off}
		if p >= labels[i].Threshold {
			a.State = On
		}
		if a.State == On && size > 0 && (i+1)*size <= len(l.Maps) {
			cells := l.Maps[i*size:][:size]
			for _, p := range cells {
				if !isProbability(p) {
					r.fail(Failed, fmt.Sprintf("perception: frame %d: the network's map of %q holds %v, which is no probability", r.Seq, labels[i].ID, p))
					return
				}
			}
			a.Where = l.finder.find(cells, &l.grid, r.boxes[i*maxBoxes:][:0:maxBoxes])
		}
		r.Answers = append(r.Answers, a)
	}
}

// isProbability is false for what is not a number, too.
func isProbability(p float32) bool { return p >= 0 && p <= 1 }

// fail makes r a result without answers.
func (r *Result) fail(s Status, reason string) {
	r.Status, r.Reason, r.Answers = s, reason, r.Answers[:0]
}

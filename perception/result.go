// Package perception turns frames into results: exactly one Result for every frame,
// whatever happens to it, in order.
package perception

import (
	"fmt"
	"time"

	"perceive/models"
	"perceive/perception/model"
)

// Status says what became of a frame.
type Status string

// The statuses. Only OK frames have labels.
const (
	// OK: the network answered.
	OK Status = "ok"
	// Unreadable: the source could not deliver the frame.
	Unreadable Status = "unreadable"
	// Failed: the frame came, and the network did not answer.
	Failed Status = "failed"
)

// Answer is the network's answer to one label's question.
type Answer struct {
	// P is the probability, 0 to 1; On is P at or above the label's threshold.
	P  float32
	On bool
}

// Result is what is known of one frame.
type Result struct {
	Seq    uint64
	Time   time.Duration // position in the recording
	Status Status
	// Reason says why Status is not OK, for a person.
	Reason string
	// Answers has one entry a label, in the manifest's order, if Status is OK; else it is
	// empty: what is not known is not said.
	Answers []Answer
	// Maps are the label maps behind the answers; nil if the model has none. Like
	// Answers they belong to the loop and are valid until Emit returns.
	Maps Maps
	// Took is how long each stage worked on this frame. It varies from run to run and
	// is not part of a recording.
	Took Took
}

// Maps are the probabilities of each label in each cell of a grid over the network's
// input: [label][y][x], row-major.
type Maps struct {
	P             []float32
	Width, Height int
}

// Took is the time in each stage.
type Took struct{ Decode, Fit, Infer time.Duration }

// decide fills r's answers from a lane that has run. What is no probability is no
// answer, and a network that gives one is not believed in the others.
func (r *Result) decide(l *model.Lane, labels []models.Label) {
	r.Answers = r.Answers[:0]
	for i, p := range l.Probabilities {
		if !(p >= 0 && p <= 1) {
			r.fail(Failed, fmt.Sprintf("perception: frame %d: the network's answer for %q is %v, which is no probability", r.Seq, labels[i].ID, p))
			return
		}
		r.Answers = append(r.Answers, Answer{p, p >= labels[i].Threshold})
	}
	r.Maps = Maps{l.Maps, l.MapWidth, l.MapHeight}
}

// fail makes r a result without answers.
func (r *Result) fail(s Status, reason string) {
	r.Status, r.Reason, r.Answers, r.Maps = s, reason, r.Answers[:0], Maps{}
}

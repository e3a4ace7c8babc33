// Package perception turns frames into results: exactly one Result for every frame,
// whatever happens to it, in order.
package perception

import (
	"fmt"
	"time"

	"perceive/models"
)

// Status says what became of a frame.
type Status string

// The statuses. Only OK frames have labels.
const (
	// OK: the network answered.
	OK Status = "ok"
	// Unreadable: the source could not deliver the frame.
	Unreadable Status = "unreadable"
	// Dropped: a newer frame came before this one's turn (see camera.ErrDropped).
	Dropped Status = "dropped"
	// Stale: the frame was too old when its turn came (see camera.ErrStale).
	Stale Status = "stale"
	// Failed: the frame came, and the network did not answer.
	Failed Status = "failed"
)

// Answer is the network's answer to one label's question.
type Answer struct {
	// P is the probability, 0 to 1; On is P at or above the label's threshold.
	P  float32
	On bool
	// Where says where a label that is on was seen.
	Where Where
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
	// They belong to the loop and are valid until Emit returns.
	Answers []Answer
	// Took is how long each stage worked on this frame. It varies from run to run and
	// is not part of a recording.
	Took Took

	boxes []Box // the memory of all answers' boxes, maxBoxes each
}

// Took is the time in each stage.
type Took struct{ Decode, Fit, Infer time.Duration }

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
		a := Answer{P: p, On: p >= labels[i].Threshold}
		if a.On && size > 0 && (i+1)*size <= len(l.Maps) {
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

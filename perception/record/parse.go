package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// line is a result's line of either schema.
type line struct {
	Source string            `json:"source"`
	Seq    *uint64           `json:"seq"`
	TMS    float64           `json:"t_ms"`
	Status perception.Status `json:"status"`
	Reason string            `json:"reason"`
	Labels []label           `json:"labels"`
	Live   *live             `json:"live"`
}

type label struct {
	Label string            `json:"label"`
	P     *float32          `json:"p"`
	On    *bool             `json:"on"`    // schema 1
	State *perception.State `json:"state"` // schema 2
	Where *where            `json:"where"`
}

type where struct {
	Peak struct {
		XY [2]int  `json:"xy"`
		P  float32 `json:"p"`
	} `json:"peak"`
	Boxes []struct {
		XYWH [4]int  `json:"xywh"`
		P    float32 `json:"p"`
	} `json:"boxes"`
}

type live struct {
	Captured time.Time    `json:"captured"`
	AgeMS    float64      `json:"age_ms"`
	StampMS  float64      `json:"stamp_ms"`
	Clock    camera.Clock `json:"clock"`
	Took     struct {
		Wait, Guard, Fit, Infer float64
	} `json:"took_ms"`
}

// Parse reads a line that follows the header, as MCAP recordings hold them, too.
func Parse(h *perception.Header, text []byte) (Entry, error) {
	var kind struct {
		Event *string `json:"event"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return Entry{}, err
	}
	if kind.Event != nil {
		e := &Event{Fields: slices.Clone(text)}
		if err := json.Unmarshal(text, e); err != nil {
			return Entry{}, fmt.Errorf("event: %w", err)
		}
		return Entry{Event: e}, nil
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Entry{}, err
	}
	r, err := l.result(h)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Result: r}
	if l.Live != nil {
		e.Age = duration(l.Live.AgeMS)
		l.Live.put(r)
	}
	return e, nil
}

// maxMS is a hundred years: more cannot be held.
const maxMS = 100 * 365 * 86400e3

// result is the line as the pipeline had it.
func (l *line) result(h *perception.Header) (*perception.Result, error) {
	if l.Seq == nil {
		return nil, errors.New(`no "seq": this is neither a result nor an event`)
	}
	if !slices.Contains(perception.Statuses, l.Status) {
		return nil, fmt.Errorf("status %q: want one of %v", l.Status, perception.Statuses)
	}
	if math.Abs(l.TMS) > maxMS {
		return nil, fmt.Errorf("t_ms is %g: more than a hundred years", l.TMS)
	}
	r := &perception.Result{Source: l.Source, Seq: *l.Seq, Time: duration(l.TMS), Status: l.Status, Reason: l.Reason}
	if h.Schema == 1 && r.Status != perception.OK && len(l.Labels) == 0 {
		return r, nil
	}
	if len(l.Labels) != len(h.Labels) {
		return nil, fmt.Errorf("%d labels, and the header has %d", len(l.Labels), len(h.Labels))
	}
	for i := range l.Labels {
		if got, want := l.Labels[i].Label, h.Labels[i].Label; got != want {
			return nil, fmt.Errorf("label %d is %q, and the header's %q", i, got, want)
		}
		a, err := l.Labels[i].answer(h.Schema, r.Status)
		if err != nil {
			return nil, fmt.Errorf("label %q: %w", l.Labels[i].Label, err)
		}
		if r.Status == perception.OK {
			r.Answers = append(r.Answers, a)
		}
	}
	return r, nil
}

func (l *label) answer(schema int, status perception.Status) (perception.Answer, error) {
	var a perception.Answer
	switch {
	case schema == 1 && l.On == nil:
		return a, errors.New(`no "on", which schema 1 has`)
	case schema == 1 && *l.On:
		a.State = perception.On
	case schema == 1:
		a.State = perception.Off
	case l.State == nil:
		return a, errors.New(`no "state"`)
	default:
		a.State = *l.State
	}
	if status != perception.OK {
		if a.State != perception.Unknown || l.P != nil {
			return a, fmt.Errorf("something is known of it, and the status is %s", status)
		}
		return a, nil
	}
	if l.P == nil || !isProbability(*l.P) {
		return a, errors.New(`"p" is missing, or no probability`)
	}
	a.P = *l.P
	if l.Where == nil {
		return a, nil
	}
	w := l.Where
	a.Where.Peak = perception.Peak{Point: image.Pt(w.Peak.XY[0], w.Peak.XY[1]), P: w.Peak.P}
	for _, b := range w.Boxes {
		x, y := b.XYWH[0], b.XYWH[1]
		a.Where.Boxes = append(a.Where.Boxes, perception.Box{Rectangle: image.Rect(x, y, x+b.XYWH[2], y+b.XYWH[3]), P: b.P})
	}
	return a, nil
}

func (l *live) put(r *perception.Result) {
	r.Captured, r.Stamp, r.Clock = l.Captured, duration(l.StampMS), l.Clock
	r.Took = perception.Took{Decode: duration(l.Took.Wait), Guard: duration(l.Took.Guard),
		Fit: duration(l.Took.Fit), Infer: duration(l.Took.Infer)}
}

func isProbability(p float32) bool { return p >= 0 && p <= 1 }

// duration is of milliseconds as they are written, to a hundredth.
func duration(ms float64) time.Duration {
	return time.Duration(math.Round(ms*1000)) * time.Microsecond
}

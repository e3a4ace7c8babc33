package perception

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Encoder writes results as JSON, a line a frame:
//
//	{"source":"front","seq":17,"t_ms":566.7,"status":"ok","labels":[{"label":"car","p":0.9810,"state":"on",
//	 "where":{"peak":{"xy":[416,240],"p":0.9734},"boxes":[{"xywh":[384,208,96,64],"p":0.9734}]}}]}
//
// (one line) with "source" left out where there is only one, and "where" where nothing is known
// of it. Where the status is not ok, "reason" says why and each label has the state "unknown" and
// nothing else. A live encoder adds what varies from run to run:
//
//	"live":{"captured":"2026-01-02T15:04:05.678901Z","age_ms":12.3,"stamp_ms":8000.2,"clock":"kernel","code":17,"late":true,
//	 "took_ms":{"wait":3.1,"guard":0.1,"fit":0.6,"infer":2.4}}
type Encoder struct {
	// Live adds the times of the run. Age is from capture to the call of Append;
	// "code" is the bench's
	// number in the picture, "late" is there where the deadline was missed.
	Live    bool
	labels  [][]byte // `{"label":"car","p":`
	unknown []byte   // `{"label":"car","state":"unknown"},…`
}

// NewEncoder makes an encoder for results of a header's labels.
func NewEncoder(h Header) (*Encoder, error) {
	e := &Encoder{}
	for i, l := range h.Labels {
		name, err := json.Marshal(l.Label)
		if err != nil {
			return nil, fmt.Errorf("perception: label: %w", err)
		}
		e.labels = append(e.labels, fmt.Appendf(nil, `{"label":%s,"p":`, name))
		if i > 0 {
			e.unknown = append(e.unknown, ',')
		}
		e.unknown = fmt.Appendf(e.unknown, `{"label":%s,"state":"unknown"}`, name)
	}
	return e, nil
}

// Append appends a result's line to b, with its end. It allocates nothing if b has room and
// the frame no reason.
func (e *Encoder) Append(b []byte, r *Result) []byte {
	b = append(b, '{')
	if r.Source != "" {
		b = appendText(append(b, `"source":`...), r.Source)
		b = append(b, ',')
	}
	b = append(b, `"seq":`...)
	b = strconv.AppendUint(b, r.Seq, 10)
	b = append(b, `,"t_ms":`...)
	b = appendMS(b, r.Time)
	b = append(b, `,"status":"`...)
	b = append(append(b, r.Status...), '"')
	if r.Reason != "" {
		b = appendText(append(b, `,"reason":`...), r.Reason)
	}
	b = append(b, `,"labels":[`...)
	if r.Status != OK {
		b = append(b, e.unknown...)
	} else {
		b = e.appendAnswers(b, r.Answers)
	}
	b = append(b, ']')
	if e.Live {
		b = appendLive(b, r)
	}
	return append(b, "}\n"...)
}

func (e *Encoder) appendAnswers(b []byte, answers []Answer) []byte {
	for i := range answers {
		a := &answers[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.labels[i]...)
		b = strconv.AppendFloat(b, float64(a.P), 'f', 4, 64)
		b = append(b, `,"state":"`...)
		b = append(append(b, a.State.String()...), '"')
		if a.Where.Known() {
			b = appendWhere(b, &a.Where)
		}
		b = append(b, '}')
	}
	return b
}

// appendLive appends what varies from run to run.
func appendLive(b []byte, r *Result) []byte {
	b = append(b, `,"live":{`...)
	if !r.Captured.IsZero() {
		b = append(b, `"captured":"`...)
		b = r.Captured.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
		b = append(b, `","age_ms":`...)
		b = appendMS(b, time.Since(r.Captured))
		b = append(b, ',')
	}
	if r.Clock != "" {
		b = append(b, `"stamp_ms":`...)
		b = appendMS(b, r.Stamp)
		b = append(b, `,"clock":"`...)
		b = append(append(b, r.Clock...), `",`...)
	}
	if r.Coded {
		b = strconv.AppendUint(append(b, `"code":`...), uint64(r.Code), 10)
		b = append(b, ',')
	}
	if r.Late {
		b = append(b, `"late":true,`...)
	}
	b = append(b, `"took_ms":{"wait":`...)
	b = appendMS(b, r.Took.Decode)
	b = appendMS(append(b, `,"guard":`...), r.Took.Guard)
	b = appendMS(append(b, `,"fit":`...), r.Took.Fit)
	b = appendMS(append(b, `,"infer":`...), r.Took.Infer)
	return append(b, "}}"...)
}

// appendMS appends a time in milliseconds, to a hundredth.
func appendMS(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d.Round(10*time.Microsecond).Microseconds())/1000, 'f', -1, 64)
}

// appendText appends a JSON string. Plain ones, which are nearly all, cost no allocation.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string cannot fail
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendWhere appends the key that says where a label was seen.
func appendWhere(b []byte, w *Where) []byte {
	b = appendInts(append(b, `,"where":{"peak":{"xy":`...), w.Peak.X, w.Peak.Y)
	b = strconv.AppendFloat(append(b, `,"p":`...), float64(w.Peak.P), 'f', 4, 64)
	b = append(b, `},"boxes":[`...)
	for i, box := range w.Boxes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInts(append(b, `{"xywh":`...), box.Min.X, box.Min.Y, box.Dx(), box.Dy())
		b = strconv.AppendFloat(append(b, `,"p":`...), float64(box.P), 'f', 4, 64)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// appendInts appends an array.
func appendInts(b []byte, v ...int) []byte {
	b = append(b, '[')
	for i, n := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

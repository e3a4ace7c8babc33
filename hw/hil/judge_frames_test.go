package hil

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// renumber gives results the unit's own numbers, without a gap: it knows nothing of what is wrong.
func renumber(r *Run) *Run {
	for i := range r.Results {
		r.Results[i].Seq = uint64(i)
	}
	return r
}

// unseen makes results of a drive be of frames without a picture.
func unseen(r *Run, status string, of ...int) *Run {
	for _, i := range of {
		r.Results[i].Status, r.Results[i].Code = status, nil
	}
	return r
}

// Each frame is held against what was served: the unit's own numbers are right in all of these but one.
func TestOneResultOfEachFrame(t *testing.T) {
	cut := func(r *Run, from, to int) *Run {
		r.Results = slices.Delete(r.Results, from, to)
		return renumber(r)
	}
	for name, c := range map[string]struct {
		r    *Run
		want string // part of what is measured, where it is not met; empty: it is met
	}{
		"good":                                  {drive(0, 0, ""), ""},
		"no frame ever has a number":            {unseen(drive(0, 0, ""), "ok", seq(0, 100)...), "61 lost"},
		"it stops half-way":                     {cut(drive(0, 0, ""), 50, 100), "41 lost"},
		"it begins half-way":                    {cut(drive(0, 0, ""), 0, 50), "20 lost"},
		"one is lost":                           {cut(drive(0, 0, ""), 50, 51), "1 lost, 0 repeated, 0 out of order"},
		"none at the start, for a time":         {cut(drive(0, 0, ""), 0, 20), ""},
		"none yet at the end":                   {cut(drive(0, 0, ""), 95, 100), ""},
		"dropped ones are accounted for":        {unseen(drive(0, 0, ""), "dropped", 50, 51, 52, 70), ""},
		"stale and unreadable ones too":         {unseen(drive(0, 0, ""), "stale", 50, 51), ""},
		"more are missing than dropped":         {cut(unseen(drive(0, 0, ""), "dropped", 50, 51, 52), 51, 52), "1 lost"},
		"dropped ones elsewhere do not account": {cut(unseen(drive(0, 0, ""), "dropped", 70), 50, 51), "1 lost"},
		"more are dropped than are missing": {renumber(func() *Run {
			r := unseen(drive(0, 0, ""), "dropped", 50)
			r.Results = slices.Insert(r.Results, 51, r.Results[50])
			return r
		}()), "0 lost, 1 repeated"},
		"one comes twice": {renumber(func() *Run {
			r := drive(0, 0, "")
			r.Results = slices.Insert(r.Results, 51, r.Results[50])
			return r
		}()), "0 lost, 1 repeated, 0 out of order"},
		"two change places": {renumber(func() *Run {
			r := drive(0, 0, "")
			r.Results[50].Code, r.Results[51].Code = r.Results[51].Code, r.Results[50].Code
			return r
		}()), "0 lost, 0 repeated, 1 out of order"},
		"the unit's numbers have a gap": {func() *Run {
			r := drive(0, 0, "")
			for i := 50; i < 100; i++ {
				r.Results[i].Seq++
			}
			return r
		}(), "the unit's frame 51 after its frame 49"},
		"what is lost in a fault and shortly after is not counted": {cut(drive(3, 5, "black"), 30, 70), ""},
		"frames that were not sent": {func() *Run {
			r := drive(0, 0, "")
			for i := 40; i < 60; i++ {
				r.Served[i].Sent = time.Time{}
			}
			return cut(r, 40, 60)
		}(), ""},
		"what is lost with a connection that the unit gave up": {func() *Run {
			r := cut(drive(0, 0, ""), 50, 60)
			r.Notes = []Note{{Got: sec(6), Source: "front", What: "camera lost"}}
			return r
		}(), ""},
		"what is lost long after it": {func() *Run {
			r := cut(drive(0, 0, ""), 85, 90)
			r.Notes = []Note{{Got: sec(5), Source: "front", What: "camera lost"}}
			return r
		}(), "5 lost"},
		"nothing was sent": {func() *Run {
			r := drive(0, 0, "")
			for i := range r.Served {
				r.Served[i].Sent = time.Time{}
			}
			return r
		}(), "no frame to count"},
	} {
		v := c.r.judge(Requirement{Kind: "one_result"})
		if v.Pass != (c.want == "") || !strings.Contains(v.Measured, c.want) || v.Pass != v.At.IsZero() {
			t.Errorf("%s: %+v, want %q", name, v, c.want)
		}
	}
}

func seq(from, to int) (out []int) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// Over a wire that may lose frames a few may be missing, and no more; over others none.
func TestOneResultOverWires(t *testing.T) {
	for _, c := range []struct {
		over string
		lost int
		want bool
	}{{"mjpeg", 1, false}, {"mpegts", 4, true}, {"mpegts", 5, false}, {"rtsp", 4, true}} {
		r := drive(0, 0, "")
		r.Scenario.Cameras[0].Over = c.over
		r.Results = slices.Delete(r.Results, 50, 50+c.lost)
		if v := renumber(r).judge(Requirement{Kind: "one_result"}); v.Pass != c.want {
			t.Errorf("%s, %d lost: %+v", c.over, c.lost, v)
		}
	}
}

// A fault excuses the frames of its own camera and of no other; that of the unit excuses all, unless
// frames are answered under it all the same.
func TestFaultsExcuseTheirOwn(t *testing.T) {
	for name, c := range map[string]struct {
		kind, of   string
		drops, one bool
	}{
		"of the same camera":               {"black", "front", true, true},
		"of all":                           {"black", "", true, true},
		"of another camera":                {"black", "rear", false, false},
		"of the unit":                      {"kill", "", true, true},
		"of the unit, which answers still": {"hot_board", "", true, false},
	} {
		r := drive(3, 5, "ok")
		r.Scenario.Cameras = append(r.Scenario.Cameras, Camera{Name: "rear", FPS: 10})
		r.Scenario.Faults[0].Kind, r.Scenario.Faults[0].Camera = c.kind, c.of
		r.Results = slices.Delete(r.Results, 35, 40)
		renumber(r)
		if v := r.judge(Requirement{Kind: "drops", Camera: "front", Limit: 0.01}); v.Pass != c.drops {
			t.Errorf("%s: drops: %+v", name, v)
		}
		if v := r.judge(Requirement{Kind: "one_result", Camera: "front"}); v.Pass != c.one {
			t.Errorf("%s: one_result: %+v", name, v)
		}
	}
}

// Results that are late at the end are waited for.
func TestDrain(t *testing.T) {
	o, f := &observer{}, &feed{cam: Camera{Name: "front"}}
	f.served = []Served{{Code: 6, Sent: time.Now()}, {Code: 7, Sent: time.Now()}, {Code: 8}}
	o.take(time.Now(), 1, `{"source": "front", "status": "ok", "live": {"code": 6}}`)
	time.AfterFunc(200*time.Millisecond, func() { o.take(time.Now(), 1, `{"source": "front", "status": "ok", "live": {"code": 7}}`) })
	o.drain(t.Context(), []*feed{f})
	if got := o.heard("front"); got != 7 {
		t.Errorf("frame %d was the last that was heard, want 7", got)
	}
}

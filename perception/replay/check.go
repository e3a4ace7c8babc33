package replay

import (
	"fmt"
	"slices"
	"strings"

	"perceive/camera/opencv"
	"perceive/perception"
)

// Check refuses a golden that cannot be compared with a run, and lists what is different in their
// headers.
func (g *Golden) Check(h perception.Header) (notes []string, err error) {
	labels := func(h perception.Header) (out []string) {
		for _, l := range h.Labels {
			out = append(out, l.Label)
		}
		return out
	}
	if want, got := labels(g.Header), labels(h); !slices.Equal(want, got) {
		return nil, fmt.Errorf("replay: golden %s has the labels %q, this model %q: --update the golden, or take the model that it is of", g.Path, want, got)
	}
	of := func(h perception.Header) string {
		if h.Replay != nil && h.Replay.SourceSHA256 != "" {
			name := "SHA-256 " + h.Replay.SourceSHA256
			if _, cam, _, _ := opencv.CutMCAP(h.Source.URI); cam != "" {
				name += ", camera " + cam
			}
			return name
		}
		return h.Source.URI
	}
	if g.Header.Replay == nil {
		return nil, fmt.Errorf("replay: golden %s was not made by perceive replay: its states follow another rule", g.Path)
	}
	if want, got := of(g.Header), of(h); want != got && (g.Header.Replay.SourceSHA256 != "" || h.Source.Kind == "scene") {
		return nil, fmt.Errorf("replay: golden %s is of another recording: %s, this one is %s", g.Path, want, got)
	}
	if _, err := NewDecider(g.Header); err != nil {
		return nil, fmt.Errorf("replay: golden %s: %w", g.Path, err)
	}
	if err := g.settings(h); err != nil {
		return nil, err
	}
	return headerNotes(g.Header, h), nil
}

// settings refuses a run that is decided otherwise than the golden was, but for what another
// model's thresholds change.
func (g *Golden) settings(h perception.Header) error {
	was, is := g.Header.Replay, h.Replay
	var what []string
	differs := func(name string, a, b any) {
		if s, t := fmt.Sprint(a), fmt.Sprint(b); s != t {
			what = append(what, fmt.Sprintf("%s %s, now %s", name, s, t))
		}
	}
	if slices.Equal(g.Header.Labels, h.Labels) {
		for i := range min(len(was.Decide), len(is.Decide)) {
			differs(was.Decide[i].Label, decided(was.Decide[i]), decided(is.Decide[i]))
		}
	}
	differs("expiry (ms)", was.ExpiryMS, is.ExpiryMS)
	differs("guards", was.Guards, is.Guards)
	if len(what) == 0 {
		return nil
	}
	return fmt.Errorf("replay: golden %s was made under other settings: %s: replay with those (--config, --leave, --hold, --expiry, --guards), or --update the golden", g.Path, strings.Join(what, "; "))
}

// decided is how a label is decided, in words.
func decided(d perception.ReplayDecide) string {
	return fmt.Sprintf("on from %.4f, off below %.4f, held %g ms", d.Enter, d.Leave, d.HoldMS)
}

// headerNotes are the differences that may explain others.
func headerNotes(a, b perception.Header) (notes []string) {
	say := func(what string, x, y any) {
		if s, t := fmt.Sprint(x), fmt.Sprint(y); s != t {
			notes = append(notes, fmt.Sprintf("%s: golden %s, now %s", what, s, t))
		}
	}
	say("model", short(a.Model.GraphSHA256), short(b.Model.GraphSHA256))
	say("thresholds", a.Labels, b.Labels)
	if a.Replay != nil && b.Replay != nil {
		say("decisions", a.Replay.Decide, b.Replay.Decide)
		say("drops", short(a.Replay.Drops), short(b.Replay.Drops))
	}
	if a.Environment == nil || b.Environment == nil {
		return notes
	}
	x, y := *a.Environment, *b.Environment
	for _, f := range []struct {
		what string
		x, y any
	}{
		{"deterministic", x.Deterministic, y.Deterministic}, {"provider", x.Provider, y.Provider}, {"threads", x.Threads, y.Threads},
		{"decoder threads", x.DecoderThreads, y.DecoderThreads}, {"Go", x.Go, y.Go}, {"OpenCV", x.OpenCV, y.OpenCV},
		{"ONNX Runtime", x.ONNXRuntime, y.ONNXRuntime}, {"libraries", x.Libraries, y.Libraries}, {"system", x.OS + " " + x.Arch, y.OS + " " + y.Arch},
		{"processor", x.CPU, y.CPU}, {"its features", x.Features, y.Features},
	} {
		say(f.what, f.x, f.y)
	}
	return notes
}

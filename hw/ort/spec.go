package ort

import (
	"fmt"
	"strings"
)

// Spec is one input or output of a model.
type Spec struct {
	Name string
	Type DataType
	// Shape is the dimensions as the model declares them, -1 for one that is
	// free. Nil means that the model does not say.
	Shape []int64
}

// String is the name, type and shape: "frame" uint8[? 96 160 3].
func (s Spec) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %v", s.Name, s.Type)
	if s.Shape == nil {
		return b.String()
	}
	b.WriteByte('[')
	for i, d := range s.Shape {
		if i > 0 {
			b.WriteByte(' ')
		}
		if d < 0 {
			b.WriteByte('?')
		} else {
			fmt.Fprint(&b, d)
		}
	}
	b.WriteByte(']')
	return b.String()
}

func (s Spec) accepts(t *Tensor) bool {
	if t.dtype != s.Type {
		return false
	}
	if s.Shape == nil {
		return true
	}
	if len(t.shape) != len(s.Shape) {
		return false
	}
	for i, d := range s.Shape {
		if d >= 0 && d != t.shape[i] {
			return false
		}
	}
	return true
}

// misfits describes every tensor that does not fit, by name.
func misfits(what string, specs []Spec, ts []*Tensor) (out []string) {
	if len(ts) != len(specs) {
		return []string{fmt.Sprintf("%d %ss given, the model has %d (%s)",
			len(ts), what, len(specs), strings.Join(names(specs), ", "))}
	}
	for i, t := range ts {
		switch {
		case t == nil:
			out = append(out, fmt.Sprintf("%s %v is nil", what, specs[i]))
		case !specs[i].accepts(t):
			out = append(out, fmt.Sprintf("%s %v got %v", what, specs[i], t))
		}
	}
	return out
}

func names(specs []Spec) []string {
	out := make([]string, len(specs))
	for i, s := range specs {
		out[i] = s.Name
	}
	return out
}

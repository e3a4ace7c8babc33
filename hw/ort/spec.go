package ort

import (
	"errors"
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

// check reports every tensor that does not fit, by name.
func check(what string, specs []Spec, ts []*Tensor) error {
	if len(ts) != len(specs) {
		return fmt.Errorf("%w: %d %ss given, the model has %d (%s)",
			ErrMismatch, len(ts), what, len(specs), strings.Join(names(specs), ", "))
	}
	var errs []error
	for i, t := range ts {
		switch {
		case t == nil:
			errs = append(errs, fmt.Errorf("%w: %s %v is nil", ErrMismatch, what, specs[i]))
		case !specs[i].accepts(t):
			errs = append(errs, fmt.Errorf("%w: %s %v got %v", ErrMismatch, what, specs[i], t))
		}
	}
	return errors.Join(errs...)
}

func names(specs []Spec) []string {
	out := make([]string, len(specs))
	for i, s := range specs {
		out[i] = s.Name
	}
	return out
}

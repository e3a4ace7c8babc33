// Package export turns a trained network into a model file for the vehicle: its
// parameters become constants, what is constant is worked out, the contract and
// golden vectors are written into the file, and the file is compared with the
// training graph on real frames before anyone gets it.
package export

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
)

// Pass changes a model in place.
type Pass func(*onnx.Model) error

// Apply runs passes in order and checks the result.
func Apply(m *onnx.Model, passes ...Pass) error {
	for _, p := range passes {
		if err := p(m); err != nil {
			return err
		}
	}
	if err := onnx.Check(m); err != nil {
		return fmt.Errorf("export: the passes left a malformed model: %w", err)
	}
	return nil
}

// Freeze turns the graph inputs that have weights into constants. Every weight must
// have its input, of the same type.
func Freeze(weights map[string]*onnx.Tensor) Pass {
	return func(m *onnx.Model) error {
		g := m.GetGraph()
		left := maps.Clone(weights)
		var inputs []*onnx.ValueInfo
		var errs []error
		for _, in := range g.GetInput() {
			w, ok := weights[in.GetName()]
			if !ok {
				inputs = append(inputs, in)
				continue
			}
			delete(left, in.GetName())
			want, got := in.TensorType(), w.Type()
			if want.Elem != got.Elem || !slices.Equal(want.Shape, got.Shape) {
				errs = append(errs, fmt.Errorf("export: weight %q is %v%v, the graph wants %v%v", in.GetName(), got.Elem, got.Shape, want.Elem, want.Shape))
			}
			c := proto.CloneOf(w)
			c.Name = proto.String(in.GetName())
			g.Initializer = append(g.Initializer, c)
		}
		for _, name := range slices.Sorted(maps.Keys(left)) {
			errs = append(errs, fmt.Errorf("export: weight %q: the graph has no such input", name))
		}
		g.Input = inputs
		return errors.Join(errs...)
	}
}

// Prune takes out Identity nodes within the graph, and nodes and constants that no
// output needs.
func Prune(m *onnx.Model) error {
	g := m.GetGraph()
	bypass(g)
	needed := map[string]bool{}
	for _, out := range g.GetOutput() {
		needed[out.GetName()] = true
	}
	var kept []*onnx.Node
	for _, n := range slices.Backward(g.GetNode()) {
		if !slices.ContainsFunc(n.GetOutput(), func(s string) bool { return needed[s] }) {
			continue
		}
		for _, in := range n.GetInput() {
			needed[in] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.Node = kept
	g.Initializer = slices.DeleteFunc(g.GetInitializer(), func(t *onnx.Tensor) bool { return !needed[t.GetName()] })
	g.ValueInfo = slices.DeleteFunc(g.GetValueInfo(), func(v *onnx.ValueInfo) bool { return !needed[v.GetName()] })
	return nil
}

// bypass leads the readers of an Identity's result to its input. An Identity that makes
// a graph output gives the output's name to the node before it, where that node makes
// no output itself.
func bypass(g *onnx.Graph) {
	output := map[string]bool{}
	for _, out := range g.GetOutput() {
		output[out.GetName()] = true
	}
	made := map[string]*onnx.Node{} // nodes by their results
	var kept []*onnx.Node
	for _, n := range g.GetNode() {
		if n.GetOpType() != "Identity" || n.GetDomain() != "" || len(n.GetInput()) != 1 || len(n.GetOutput()) != 1 {
			for _, out := range n.GetOutput() {
				made[out] = n
			}
			kept = append(kept, n)
			continue
		}
		in, out := n.GetInput()[0], n.GetOutput()[0]
		from := made[in]
		switch {
		case !output[out]:
			rename(g, out, in)
		case from != nil && !output[in]:
			rename(g, in, out)
			for i, o := range from.Output {
				if o == in {
					from.Output[i] = out
				}
			}
			made[out] = from
		default: // an input or constant is an output, or one value is two outputs
			made[out] = n
			kept = append(kept, n)
		}
	}
	g.Node = kept
}

// rename makes the readers of a value read another one.
func rename(g *onnx.Graph, from, to string) {
	for _, n := range g.GetNode() {
		for i, in := range n.GetInput() {
			if in == from {
				n.Input[i] = to
			}
		}
	}
}

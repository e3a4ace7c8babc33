package trainer

import (
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// hoist finds the nodes that depend on weights alone and do not make them larger, and the
// values that a pass then needs from outside. The vector has room for float32 only.
func (s *stepBuilder) hoist() {
	fixed := map[string]bool{} // values that are known before the pass
	for _, in := range s.pass.Inputs() {
		fixed[in.Name()] = !slices.Contains(s.batch, in)
	}
	known := func(name string) bool { return name == "" || fixed[name] || s.pass.Const(graph.Named(name)) != nil }
	for _, n := range s.pass.Nodes() {
		var most int64
		for _, name := range n.GetInput() {
			most = max(most, s.size(name))
		}
		out := n.GetOutput()
		weights := slices.ContainsFunc(n.GetInput(), func(i string) bool { return fixed[i] })
		others := slices.ContainsFunc(n.GetInput(), func(i string) bool { return !known(i) })
		if weights && !others && len(out) == 1 && s.size(out[0]) <= most && s.pass.Elem(graph.Named(out[0])) == onnx.Tensor_FLOAT {
			fixed[out[0]] = true
			s.hoisted = append(s.hoisted, n)
			continue
		}
		s.inner = append(s.inner, n)
	}
	seen := map[string]bool{}
	var names []string
	for _, n := range s.inner {
		for _, name := range n.GetInput() {
			if fixed[name] && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	s.in = s.parts(names)
}

func (s *stepBuilder) size(name string) int64 {
	if name == "" {
		return 0
	}
	return s.pass.Size(graph.Named(name))
}

// parts lays values out in a vector. Those of odd sizes come last, so that the others
// begin on the boundaries of wide registers.
func (s *stepBuilder) parts(names []string) []Part {
	const wide = 16
	var even, odd []string
	for _, n := range names {
		if s.size(n)%wide == 0 {
			even = append(even, n)
		} else {
			odd = append(odd, n)
		}
	}
	var parts []Part
	var at int64
	for _, n := range append(even, odd...) {
		parts = append(parts, Part{n, s.pass.Shape(graph.Named(n)), at, s.size(n)})
		at += s.size(n)
	}
	return parts
}

func length(parts []Part) int64 {
	last := parts[len(parts)-1]
	return last.Offset + last.Size
}

// sink takes the nodes at the end of each gradient that only move numbers out of the pass.
func (s *stepBuilder) sink() {
	made, readers := map[string]*onnx.Node{}, map[string]int{}
	for _, n := range s.inner {
		for _, o := range n.GetOutput() {
			made[o] = n
		}
		for _, i := range n.GetInput() {
			readers[i]++
		}
	}
	moved := map[*onnx.Node]bool{}
	names := make([]string, len(s.grads))
	for i, g := range s.grads {
		if same := slices.Index(s.grads, g); same < i { // of two weights that are added, say
			names[i] = names[same]
			s.chains = append(s.chains, nil)
			continue
		}
		names[i] = g.Name()
		var chain []*onnx.Node
		for n := made[names[i]]; n != nil && (n.GetOpType() == "Transpose" || n.GetOpType() == "Reshape") && readers[names[i]] == 0; n = made[names[i]] {
			chain = append(chain, n)
			moved[n] = true
			names[i] = n.GetInput()[0]
			readers[names[i]]--
		}
		slices.Reverse(chain)
		s.chains = append(s.chains, chain)
	}
	s.inner = slices.DeleteFunc(s.inner, func(n *onnx.Node) bool { return moved[n] })
	var once []string
	for i, n := range names {
		if slices.Index(names, n) == i {
			once = append(once, n)
		}
	}
	s.out = s.parts(once)
}

package onnx

import (
	"errors"
	"fmt"
)

// maxIssues is where Check stops: after so many, the file is simply not a model.
const maxIssues = 20

// Check reports what makes a model malformed, joined, each fault by the name of its
// node or tensor: values that are used before they exist or made twice, domains
// without an operator set, attributes without a type, constants whose data does
// not fill their shape. It does not judge whether operators fit together; see
// InferShapes for that.
func Check(m *Model) error {
	c := checker{domains: map[string]bool{}}
	for _, o := range m.GetOpsetImport() {
		c.domains[domain(o.GetDomain())] = true
	}
	if len(c.domains) == 0 {
		c.bad("the model imports no operator set")
	}
	if m.GetGraph() == nil {
		c.bad("the model holds no graph")
	} else {
		c.graph(m.GetGraph(), nil, 0)
	}
	return errors.Join(c.errs...)
}

// domain gives the standard operator set one name.
func domain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}

type checker struct {
	domains map[string]bool
	errs    []error
}

func (c *checker) bad(format string, args ...any) {
	if len(c.errs) < maxIssues {
		c.errs = append(c.errs, fmt.Errorf("onnx: "+format, args...))
	}
}

// scope is the values that a graph sees: its own and those of the graphs around it.
type scope struct {
	names map[string]bool
	outer *scope
}

func (s *scope) has(name string) bool {
	return s != nil && (s.names[name] || s.outer.has(name))
}

// maxDepth bounds graphs within attributes of graphs.
const maxDepth = 32

func (c *checker) graph(g *Graph, outer *scope, depth int) {
	if depth > maxDepth {
		c.bad("graph %q: nested more than %d deep", g.GetName(), maxDepth)
		return
	}
	s := &scope{names: map[string]bool{}, outer: outer}
	for _, v := range g.GetInput() {
		if v.GetName() == "" || s.names[v.GetName()] {
			c.bad("graph input %q: no name, or one that is taken", v.GetName())
		}
		s.names[v.GetName()] = true
	}
	for _, name := range sparseNames(g) {
		s.names[name] = true
	}
	constants := map[string]bool{}
	for _, t := range g.GetInitializer() {
		// A constant may share its name with an input, whose default it then is.
		if constants[t.GetName()] {
			c.bad("constant %q is there twice", t.GetName())
		}
		constants[t.GetName()], s.names[t.GetName()] = true, true
		c.tensor(t)
	}
	for i, n := range g.GetNode() {
		c.node(n, i, s, depth)
	}
	for _, v := range g.GetOutput() {
		if !s.has(v.GetName()) {
			c.bad("graph output %q: no node makes it", v.GetName())
		}
	}
}

func (c *checker) node(n *Node, i int, s *scope, depth int) {
	if n.GetOpType() == "" {
		c.bad("%s: no operator", describe(n, i))
	}
	if !c.domains[domain(n.GetDomain())] {
		c.bad("%s: no operator set is imported for domain %q", describe(n, i), n.GetDomain())
	}
	for _, in := range n.GetInput() {
		if in != "" && !s.has(in) {
			c.bad("%s: input %q is not made before it", describe(n, i), in)
		}
	}
	for _, a := range n.GetAttribute() {
		switch {
		case a.GetName() == "":
			c.bad("%s: an attribute without a name", describe(n, i))
		case a.GetType() == Attribute_GRAPH && a.GetG() != nil:
			c.graph(a.GetG(), s, depth+1)
		case a.GetType() == Attribute_TENSOR && a.GetT() != nil:
			c.tensor(a.GetT())
		}
	}
	for _, out := range n.GetOutput() {
		if out == "" {
			continue
		}
		if s.names[out] {
			c.bad("%s: output %q exists already", describe(n, i), out)
		}
		s.names[out] = true
	}
}

func (c *checker) tensor(t *Tensor) {
	if t.GetDataLocation() == Tensor_EXTERNAL {
		c.bad("constant %q: its data lies in another file (%q); save the model with its weights inside", t.GetName(), location(t))
		return
	}
	n, err := t.Len()
	if err != nil {
		c.bad("constant %q: impossible shape %v", t.GetName(), t.GetDims())
		return
	}
	size := elemSize(Tensor_DataType(t.GetDataType()))
	if t.RawData != nil && size > 0 && int64(len(t.RawData)) != n*size {
		c.bad("constant %q: %d bytes of data for %v of %v", t.GetName(), len(t.RawData), Tensor_DataType(t.GetDataType()), t.GetDims())
	}
	if t.RawData == nil && size > 0 && int64(t.typedLen()) < n {
		c.bad("constant %q: %d elements of data for shape %v", t.GetName(), t.typedLen(), t.GetDims())
	}
}

// typedLen is how many elements lie outside raw_data.
func (x *Tensor) typedLen() int {
	return max(len(x.FloatData), len(x.Int32Data), len(x.Int64Data), len(x.DoubleData), len(x.Uint64Data))
}

// describe names a node for a person.
func describe(n *Node, i int) string {
	if n.GetName() != "" {
		return fmt.Sprintf("node %q (%s)", n.GetName(), n.GetOpType())
	}
	return fmt.Sprintf("node %d (%s)", i, n.GetOpType())
}

// location is the file that holds an external tensor's data.
func location(t *Tensor) string {
	for _, e := range t.GetExternalData() {
		if e.GetKey() == "location" {
			return e.GetValue()
		}
	}
	return ""
}

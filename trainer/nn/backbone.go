package nn

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Backbone names a network that came out of another tool, to be trained further:
// transfer learning. It is cut at one or more values, and heads are put on them.
type Backbone struct {
	// File is the ONNX file, SHA256 its hash: filled in when it is read, and checked
	// from then on.
	File   string `yaml:"file" json:"file"`
	SHA256 string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
	// Cut are the values that the heads read, float [N,C,h,w] at 1/8, 1/16, 1/32 … of the
	// input's size.
	Cut []string `yaml:"cut,flow" json:"cut"`
	// Color is the order of channels that the file wants, "bgr" (or "") or "rgb". Mean is
	// subtracted from its three channels, 0 to 255, and Std divides them: empty means 0 and 1.
	Color string    `yaml:"color,omitempty" json:"color,omitempty"`
	Mean  []float64 `yaml:"mean,omitempty,flow" json:"mean,omitempty"`
	Std   []float64 `yaml:"std,omitempty,flow" json:"std,omitempty"`
}

// ErrBackbone reports a file that cannot serve as a backbone, or a cut that it does not have.
var ErrBackbone = errors.New("nn: unusable backbone")

// backbonePrefix is in front of the names of imported parameters.
const backbonePrefix = "backbone."

// Trunk is a backbone that was read: the part of its graph above the cut.
type Trunk struct {
	cfg   Backbone
	model *onnx.Model
	types onnx.Types // of the file's own input size
	input string
	// weights are the initializers that are learned: what kernels, scales and biases are
	// made of. The others (shapes, bounds, running statistics) stay as they are.
	weights map[string]bool
}

// Hash is the SHA-256 of the file, in hexadecimal.
func (t *Trunk) Hash() string { return t.cfg.SHA256 }

// LoadBackbone reads the file and takes the part that the cut needs.
func LoadBackbone(cfg Backbone) (*Trunk, error) {
	data, err := os.ReadFile(cfg.File)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackbone, err)
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if cfg.SHA256 != "" && cfg.SHA256 != hash {
		return nil, fmt.Errorf("%w: %s: the file has changed since the run began (SHA-256 %.12s…, was %.12s…)", ErrBackbone, cfg.File, hash, cfg.SHA256)
	}
	cfg.SHA256 = hash
	t := &Trunk{cfg: cfg}
	if err := t.read(data); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBackbone, cfg.File, err)
	}
	return t, nil
}

func (t *Trunk) read(data []byte) (err error) {
	if err := t.cfg.validate(); err != nil {
		return err
	}
	if t.model, err = onnx.Parse(data); err != nil {
		return err
	}
	if err := onnx.Check(t.model); err != nil {
		return err
	}
	if err := onnx.Upgrade(t.model); err != nil {
		return err
	}
	if t.types, err = onnx.InferShapes(t.model); err != nil {
		return err
	}
	g := t.model.GetGraph()
	if err := above(g, t.cfg.Cut); err != nil {
		return err
	}
	t.classify(g)
	return t.frame(g)
}

func (c Backbone) validate() error {
	if len(c.Cut) == 0 {
		return errors.New("cut: no value named; look at the file in a viewer, or try one: the error lists what there is")
	}
	if c.Color != "" && c.Color != "bgr" && c.Color != "rgb" {
		return fmt.Errorf("color: %q is neither bgr nor rgb", c.Color)
	}
	for _, l := range []struct {
		key string
		v   []float64
	}{{"mean", c.Mean}, {"std", c.Std}} {
		if len(l.v) != 0 && len(l.v) != 3 {
			return fmt.Errorf("%s: %d numbers, want 3", l.key, len(l.v))
		}
	}
	for _, v := range c.Std {
		if !(v > 0) {
			return fmt.Errorf("std: %g is not above 0", v)
		}
	}
	return nil
}

// above keeps the nodes that the values need, and says which there are when one is not.
func above(g *onnx.Graph, values []string) error {
	needed, made := map[string]bool{}, map[string]bool{}
	for _, v := range values {
		needed[v] = true
	}
	var kept []*onnx.Node
	for _, n := range slices.Backward(g.GetNode()) {
		for _, o := range n.GetOutput() {
			made[o] = true
		}
		if slices.ContainsFunc(n.GetOutput(), func(s string) bool { return needed[s] }) {
			for _, in := range n.GetInput() {
				needed[in] = true
			}
			kept = append(kept, n)
		}
	}
	for _, v := range values {
		if !made[v] {
			return fmt.Errorf("cut: no value %q; the file's convolutions make %s", v, convolutions(g))
		}
	}
	slices.Reverse(kept)
	g.Node = kept
	g.Initializer = slices.DeleteFunc(g.GetInitializer(), func(t *onnx.Tensor) bool { return !needed[t.GetName()] })
	return nil
}

// convolutions are names that a cut may mean.
func convolutions(g *onnx.Graph) string {
	var names []string
	for _, n := range g.GetNode() {
		if n.GetOpType() == "Conv" {
			names = append(names, n.GetOutput()[0])
		}
	}
	const some = 12
	if len(names) > some {
		names = append([]string{"…"}, names[len(names)-some:]...)
	}
	return strings.Join(names, ", ")
}

// learned are the inputs of an operator that hold parameters.
var learned = map[string][]int{
	"Conv": {1, 2}, "ConvTranspose": {1, 2}, "Gemm": {1, 2}, "MatMul": {0, 1}, "PRelu": {1},
	"BatchNormalization": {1, 2}, "InstanceNormalization": {1, 2}, "LayerNormalization": {1, 2},
	"Add": {0, 1}, "Mul": {0, 1},
}

// classify finds the parameters among the constants.
func (t *Trunk) classify(g *onnx.Graph) {
	large := map[string]bool{}
	for _, c := range g.GetInitializer() {
		n, err := c.Len()
		large[c.GetName()] = err == nil && n > 1 && onnx.Tensor_DataType(c.GetDataType()) == onnx.Tensor_FLOAT
	}
	t.weights = map[string]bool{}
	for _, n := range g.GetNode() {
		for _, i := range learned[n.GetOpType()] {
			if i < len(n.GetInput()) && large[n.GetInput()[i]] {
				t.weights[n.GetInput()[i]] = true
			}
		}
	}
}

// frame finds the input that takes the picture.
func (t *Trunk) frame(g *onnx.Graph) error {
	constant := map[string]bool{}
	for _, c := range g.GetInitializer() {
		constant[c.GetName()] = true
	}
	for _, in := range g.GetInput() {
		used := slices.ContainsFunc(g.GetNode(), func(n *onnx.Node) bool { return slices.Contains(n.GetInput(), in.GetName()) })
		if constant[in.GetName()] || !used {
			continue
		}
		if t.input != "" {
			return fmt.Errorf("two inputs, %q and %q, are needed for the cut: want the picture alone", t.input, in.GetName())
		}
		t.input = in.GetName()
		ty := in.TensorType()
		if ty.Elem != onnx.Tensor_FLOAT || len(ty.Shape) != 4 || ty.Shape[1] != 3 {
			return fmt.Errorf("input %q is %v%v, want a float picture [N,3,H,W]", t.input, ty.Elem, ty.Shape)
		}
	}
	if t.input == "" {
		return errors.New("the cut does not depend on a picture")
	}
	return nil
}

// Features adds the trunk to a graph: from the frame, uint8 [N,H,W,3] blue-green-red,
// to the values at the cut. Parameters are asked for by their names in the file.
func (t *Trunk) Features(m Module, frame graph.Value) []graph.Value {
	r := replay{Trunk: t, m: m, values: map[string]graph.Value{t.input: t.normalise(m, frame)}}
	for _, c := range t.model.GetGraph().GetInitializer() {
		r.values[c.GetName()] = r.constant(c)
	}
	for _, n := range t.model.GetGraph().GetNode() {
		r.node(n)
	}
	out := make([]graph.Value, len(t.cfg.Cut))
	for i, name := range t.cfg.Cut {
		out[i] = r.values[name]
	}
	return out
}

// normalise makes the picture what the file was trained on.
func (t *Trunk) normalise(m Module, frame graph.Value) graph.Value {
	x := m.Cast(m.Transpose(frame, 0, 3, 1, 2), onnx.Tensor_FLOAT)
	if t.cfg.Color == "rgb" {
		x = m.Slice(x, 1, -1, -4, -1)
	}
	per := func(v []float64, invert bool) graph.Value {
		out := make([]float32, 3)
		for i := range out {
			if out[i] = float32(v[i]); invert {
				out[i] = float32(1 / v[i])
			}
		}
		return m.Float32(out, 1, 3, 1, 1)
	}
	if len(t.cfg.Mean) > 0 {
		x = m.Sub(x, per(t.cfg.Mean, false))
	}
	if len(t.cfg.Std) > 0 {
		x = m.Mul(x, per(t.cfg.Std, true))
	}
	return x
}

// replay adds the file's nodes to another graph, for another batch and picture size.
type replay struct {
	*Trunk
	m      Module
	values map[string]graph.Value
}

func (r *replay) constant(c *onnx.Tensor) graph.Value {
	if r.weights[c.GetName()] {
		init, err := c.Float32s()
		if err != nil {
			r.m.Failf("%w: %q: %w", ErrBackbone, c.GetName(), err)
			return graph.Value{}
		}
		return r.m.Param(Param{Name: backbonePrefix + c.GetName(), Shape: c.GetDims(), Values: init, Decay: len(c.GetDims()) > 1})
	}
	c = proto.CloneOf(c)
	c.Name = proto.String(backbonePrefix + c.GetName())
	return r.m.Initializer(c)
}

func (r *replay) node(n *onnx.Node) {
	if r.m.Err() != nil {
		return
	}
	if n.GetDomain() != "" && n.GetDomain() != "ai.onnx" {
		r.m.Failf("%w: %s (node %q) is of domain %q: only the standard operators", ErrBackbone, n.GetOpType(), n.GetName(), n.GetDomain())
		return
	}
	in := make([]graph.Value, len(n.GetInput()))
	for i, name := range n.GetInput() {
		in[i] = r.values[name]
	}
	attrs := n.GetAttribute()
	switch n.GetOpType() {
	case "Reshape":
		in = r.reshape(n, in)
	case "Resize":
		in = r.resize(n, in)
	}
	var out []graph.Value
	r.m.Scope("backbone", func() { out = r.m.Ops(n.GetOpType(), len(n.GetOutput()), in, attrs...) })
	for i, name := range n.GetOutput() {
		r.values[name] = out[i]
	}
}

// reshape replaces the batch and the picture size in a constant shape by what they are
// here. (Channel shuffles are written so, for one picture of one size.)
func (r *replay) reshape(n *onnx.Node, in []graph.Value) []graph.Value {
	old, to, now := r.types[n.GetInput()[0]].Shape, r.types[n.GetOutput()[0]].Shape, r.m.Shape(in[0])
	if r.m.Const(in[1]) == nil || len(old) != len(now) || slices.Contains(old, -1) || slices.Contains(to, -1) {
		return in
	}
	return []graph.Value{in[0], r.m.Int64(r.reshaped(old, now, to)...)}
}

// reshaped is the shape that has the place of to, now that old has become now. Axes of
// both are paired off in groups of equal size; within one that is cut into several, rows
// and columns are told by how the picture's have changed, and a larger batch goes first.
func (r *replay) reshaped(old, now, to []int64) []int64 {
	out := slices.Clone(to)
	for i, j := 0, 0; i < len(old) && j < len(to); {
		a, b := i+1, j+1
		for product(old[i:a]) != product(to[j:b]) || (a < len(old) && b < len(to) && old[a] != to[b] && old[a-1] == 1) {
			switch {
			case product(old[i:a]) <= product(to[j:b]) && a < len(old):
				a++
			case b < len(to):
				b++
			default:
				return out // the runtime says what does not fit
			}
		}
		r.scale(out[j:b], product(old[i:a]), product(now[i:a]))
		i, j = a, b
	}
	return out
}

// scale changes sizes whose product was before so that it is after.
func (r *replay) scale(sizes []int64, before, after int64) {
	if n := len(sizes); n > 1 {
		was, is := r.types[r.input].Shape, r.m.Shape(r.values[r.input])
		rows, columns := sizes[n-2]*is[2]/was[2], sizes[n-1]*is[3]/was[3]
		if rest := before / (sizes[n-2] * sizes[n-1]); before != after && rest*rows*columns == after {
			sizes[n-2], sizes[n-1] = rows, columns
			return
		}
	}
	sizes[0] = sizes[0] * after / before
}

// resize asks for factors where the file asks for the sizes of its own input.
func (r *replay) resize(n *onnx.Node, in []graph.Value) []graph.Value {
	if len(in) < 4 || in[3].IsZero() {
		return in
	}
	from, to := r.types[n.GetInput()[0]].Shape, r.types[n.GetOutput()[0]].Shape
	if len(from) != 4 || len(to) != 4 {
		return in
	}
	scales := make([]float32, 4)
	for i := range scales {
		scales[i] = float32(to[i]) / float32(from[i])
	}
	return []graph.Value{in[0], {}, r.m.Float32(scales, 4)}
}

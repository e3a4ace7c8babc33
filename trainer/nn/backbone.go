package nn

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"perceive/export/onnx"
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
	// subtracted from its three channels, in that order, 0 to 255, and Std divides them: empty
	// means 0 and 1.
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

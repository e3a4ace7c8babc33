package onnx

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
)

// ErrUpgrade reports a node whose old form has no counterpart that Upgrade knows.
var ErrUpgrade = errors.New("onnx: cannot be read as a newer operator set")

// Upgrade rewrites a model of the standard operator set 7 to 16 in place into the forms
// of set 17: what was an attribute and became an input is a constant, Upsample is
// Resize, and Dropout, which does nothing in a file for inference, is Identity. Constant
// nodes become initializers. A newer model only gets that last change.
//
// The sources are the version tables of the ONNX operator specification.
func Upgrade(m *Model) error {
	version := m.Opset()
	if version < 7 {
		return fmt.Errorf("%w: operator set %d, want 7 or newer: convert the model with the tool that made it", ErrUpgrade, version)
	}
	u := upgrader{graph: m.GetGraph(), from: version}
	var nodes []*Node
	for i, n := range u.graph.GetNode() {
		if domain(n.GetDomain()) == "" && n.GetOpType() == "Constant" {
			if t := constantValue(n); t != nil {
				t = proto.CloneOf(t)
				t.Name = proto.String(n.GetOutput()[0])
				u.graph.Initializer = append(u.graph.Initializer, t)
				continue
			}
		}
		if up, ok := upgrades[n.GetOpType()]; ok && domain(n.GetDomain()) == "" && version < up.since {
			if err := up.change(&u, n); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrUpgrade, describe(n, i), err)
			}
		}
		nodes = append(nodes, n)
	}
	u.graph.Node = nodes
	if version < 17 {
		for _, o := range m.GetOpsetImport() {
			if domain(o.GetDomain()) == "" {
				o.Version = proto.Int64(17)
			}
		}
		m.IrVersion = proto.Int64(max(8, m.GetIrVersion()))
	}
	return nil
}

type upgrader struct {
	graph *Graph
	from  int64
	made  int
}

// upgrade is how a node of before version since is changed.
type upgrade struct {
	since  int64
	change func(u *upgrader, n *Node) error
}

var upgrades = map[string]upgrade{
	"Squeeze":    {13, func(u *upgrader, n *Node) error { return u.lists(n, 1, "axes") }},
	"Unsqueeze":  {13, func(u *upgrader, n *Node) error { return u.lists(n, 1, "axes") }},
	"ReduceSum":  {13, func(u *upgrader, n *Node) error { return u.lists(n, 1, "axes") }},
	"Split":      {13, func(u *upgrader, n *Node) error { return u.lists(n, 1, "split") }},
	"Slice":      {10, func(u *upgrader, n *Node) error { return u.lists(n, 1, "starts", "ends", "axes") }},
	"Clip":       {11, upgradeClip},
	"Pad":        {11, upgradePad},
	"Resize":     {11, upgradeResize},
	"Upsample":   {17, upgradeResize},
	"Dropout":    {12, upgradeDropout},
	"Softmax":    {13, upgradeSoftmax},
	"LogSoftmax": {13, upgradeSoftmax},
	"BatchNormalization": {14, func(_ *upgrader, n *Node) error {
		if n.AttrInt("spatial", 1) == 0 {
			return errors.New("spatial is 0: statistics of each pixel")
		}
		drop(n, "spatial")
		n.Output = n.Output[:1] // the others were for training
		return nil
	}},
}

// lists turns list attributes into inputs from position at on. One that is absent is
// left out with all that follow it.
func (u *upgrader) lists(n *Node, at int, attrs ...string) error {
	for i, name := range attrs {
		v := n.AttrInts(name)
		if v == nil {
			break
		}
		u.input(n, at+i, NewTensorInt64("", []int64{int64(len(v))}, v))
		drop(n, name)
	}
	return nil
}

// input sets input i of a node to a new constant.
func (u *upgrader) input(n *Node, i int, t *Tensor) {
	for len(n.Input) <= i {
		n.Input = append(n.Input, "")
	}
	u.made++
	t.Name = proto.String(fmt.Sprintf("upgrade/%d", u.made))
	u.graph.Initializer = append(u.graph.Initializer, t)
	n.Input[i] = t.GetName()
}

func drop(n *Node, attr string) {
	n.Attribute = slices.DeleteFunc(n.Attribute, func(a *Attribute) bool { return a.GetName() == attr })
}

func upgradeClip(u *upgrader, n *Node) error {
	for i, name := range []string{"min", "max"} {
		if a := n.Attr(name); a != nil {
			u.input(n, i+1, NewTensorFloat32("", nil, []float32{a.GetF()}))
			drop(n, name)
		}
	}
	return nil
}

func upgradePad(u *upgrader, n *Node) error {
	value := n.AttrFloat("value", 0)
	if err := u.lists(n, 1, "pads"); err != nil {
		return err
	}
	drop(n, "value")
	u.input(n, 2, NewTensorFloat32("", nil, []float32{value}))
	return nil
}

// upgradeResize: before 11 the scales were the second input and pixels were mapped
// without shifting; now there is a region of interest before them.
func upgradeResize(u *upgrader, n *Node) error {
	if a := n.Attr("scales"); a != nil {
		u.input(n, 1, NewTensorFloat32("", []int64{int64(len(a.GetFloats()))}, a.GetFloats()))
		drop(n, "scales")
	}
	if len(n.Input) != 2 {
		return fmt.Errorf("%d inputs, want the picture and its scales", len(n.Input))
	}
	n.OpType = proto.String("Resize")
	n.Input = []string{n.Input[0], "", n.Input[1]}
	n.Attribute = append(n.Attribute, String("coordinate_transformation_mode", "asymmetric"), String("nearest_mode", "floor"))
	return nil
}

func upgradeDropout(_ *upgrader, n *Node) error {
	n.OpType, n.Attribute, n.Input, n.Output = proto.String("Identity"), nil, n.Input[:1], n.Output[:1]
	return nil
}

// upgradeSoftmax: before 13 all axes from the given one on were taken together. That is
// the new meaning where it is the last.
func upgradeSoftmax(u *upgrader, n *Node) error {
	axis := n.AttrInt("axis", 1)
	if axis == -1 {
		return nil
	}
	types, err := InferShapes(&Model{Graph: u.graph, OpsetImport: []*OperatorSet{{Version: proto.Int64(u.from)}}})
	if err != nil {
		return err
	}
	in, ok := types[n.GetInput()[0]]
	if !ok || in.Shape == nil {
		return errors.New("the rank of its input is not known")
	}
	tail := in.Shape[min(max(0, axis)+1, int64(len(in.Shape))):]
	if slices.ContainsFunc(tail, func(d int64) bool { return d != 1 }) {
		return fmt.Errorf("axis %d of %d: several axes taken together", axis, len(in.Shape))
	}
	drop(n, "axis")
	n.Attribute = append(n.Attribute, Int("axis", axis))
	return nil
}

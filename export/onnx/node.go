package onnx

import "slices"

// NewNode is a node of the standard operator set.
func NewNode(op, name string, in, out []string, attrs ...*Attribute) *Node {
	return &Node{OpType: &op, Name: &name, Input: in, Output: out, Attribute: attrs}
}

// Int is an attribute of one integer.
func Int(name string, v int64) *Attribute {
	return &Attribute{Name: &name, I: &v, Type: Attribute_INT.Enum()}
}

// Ints is an attribute of a list of integers.
func Ints(name string, v ...int64) *Attribute {
	return &Attribute{Name: &name, Ints: slices.Clone(v), Type: Attribute_INTS.Enum()}
}

// Float is an attribute of one number.
func Float(name string, v float32) *Attribute {
	return &Attribute{Name: &name, F: &v, Type: Attribute_FLOAT.Enum()}
}

// String is an attribute of a text.
func String(name, v string) *Attribute {
	return &Attribute{Name: &name, S: []byte(v), Type: Attribute_STRING.Enum()}
}

// Attr is the attribute of a name, nil if the node has none.
func (x *Node) Attr(name string) *Attribute {
	for _, a := range x.GetAttribute() {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}

// AttrInt is an integer attribute, or def where it is absent.
func (x *Node) AttrInt(name string, def int64) int64 {
	if a := x.Attr(name); a != nil {
		return a.GetI()
	}
	return def
}

// AttrInts is a list attribute, nil where it is absent.
func (x *Node) AttrInts(name string) []int64 { return x.Attr(name).GetInts() }

// AttrFloat is a number attribute, or def where it is absent.
func (x *Node) AttrFloat(name string, def float32) float32 {
	if a := x.Attr(name); a != nil {
		return a.GetF()
	}
	return def
}

// AttrString is a text attribute, or def where it is absent.
func (x *Node) AttrString(name, def string) string {
	if a := x.Attr(name); a != nil {
		return string(a.GetS())
	}
	return def
}

// NewValueInfo declares a tensor of a graph's input or output; -1 is a free dimension.
func NewValueInfo(name string, elem Tensor_DataType, dims ...int64) *ValueInfo {
	shape := &Shape{}
	for _, d := range dims {
		dim := &Shape_Dimension{}
		if d >= 0 {
			dim.Value = &Shape_Dimension_DimValue{DimValue: d}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	e := int32(elem)
	return &ValueInfo{Name: &name, Type: &Type{TensorType: &Type_TensorType{ElemType: &e, Shape: shape}}}
}

// TensorType is what the declaration says. A dimension without a number is -1.
func (x *ValueInfo) TensorType() TensorType {
	tt := x.GetType().GetTensorType()
	out := TensorType{Elem: Tensor_DataType(tt.GetElemType())}
	if tt.GetShape() == nil {
		return out
	}
	out.Shape = []int64{}
	for _, d := range tt.GetShape().GetDim() {
		v, ok := d.GetValue().(*Shape_Dimension_DimValue)
		if !ok || v.DimValue < 0 {
			out.Shape = append(out.Shape, -1)
			continue
		}
		out.Shape = append(out.Shape, v.DimValue)
	}
	return out
}

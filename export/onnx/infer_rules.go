package onnx

import (
	"fmt"
	"slices"
)

// rule infers one operator's results from at least min inputs.
type rule struct {
	min   int
	infer func(site) ([]TensorType, error)
}

// rules by operator. The shapes are those of the ONNX operator specification; where
// a newer operator set made an attribute an input, both are read.
var rules map[string]rule

func init() {
	rules = map[string]rule{
		"Cast":     {1, inferCast},
		"MatMul":   {2, inferMatMul},
		"Gemm":     {2, inferGemm},
		"Where":    {3, inferWhere},
		"Constant": {0, inferConstant},

		"Conv": {2, inferConv}, "ConvTranspose": {2, inferConvTranspose},
		"MaxPool": {1, inferPool}, "AveragePool": {1, inferPool},
		"GlobalAveragePool": {1, inferGlobalPool}, "GlobalMaxPool": {1, inferGlobalPool},
		"SpaceToDepth": {1, inferSpaceToDepth}, "DepthToSpace": {1, inferDepthToSpace},
		"Resize": {1, inferResize}, "Upsample": {1, inferResize},

		"Reshape": {1, inferReshape}, "Flatten": {1, inferFlatten},
		"Squeeze": {1, inferSqueeze}, "Unsqueeze": {1, inferUnsqueeze},
		"Transpose": {1, inferTranspose}, "Concat": {1, inferConcat}, "Split": {1, inferSplit},
		"Slice": {1, inferSlice}, "Pad": {1, inferPad}, "Expand": {2, inferExpand}, "Tile": {2, inferTile},
		"Gather": {2, inferGather}, "Shape": {1, inferShape}, "ConstantOfShape": {1, inferConstantOfShape},
		"ArgMax": {1, inferArg}, "ArgMin": {1, inferArg},

		"BatchNormalization": {5, inferBatchNorm}, "LayerNormalization": {2, inferLayerNorm}, "Dropout": {1, inferDropout},
		"QuantizeLinear": {2, inferQuantize}, "DequantizeLinear": {2, inferDequantize},
	}
	for _, op := range []string{"Identity", "Neg", "Abs", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Erf",
		"Relu", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus", "Softmax", "LogSoftmax", "Clip",
		"LRN", "InstanceNormalization", "ScatterElements", "ScatterND"} {
		rules[op] = rule{1, inferSame}
	}
	for _, op := range []string{"Add", "Sub", "Mul", "Div", "Pow", "Mod"} {
		rules[op] = rule{2, inferBroadcast}
	}
	for _, op := range []string{"Min", "Max", "Sum", "Mean"} {
		rules[op] = rule{1, inferBroadcast}
	}
	for _, op := range []string{"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf"} {
		rules[op] = rule{1, inferCompare}
	}
	for _, op := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
		"ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"} {
		rules[op] = rule{1, inferReduce}
	}
}

func inferSame(s site) ([]TensorType, error) { return s.in[:1:1], nil }

func inferBroadcast(s site) ([]TensorType, error) {
	shapes := make([][]int64, len(s.in))
	for i := range s.in {
		shapes[i] = s.shape(i)
	}
	out, err := broadcast(shapes...)
	return s.like(out), err
}

func inferCompare(s site) ([]TensorType, error) {
	out, err := inferBroadcast(s)
	if err == nil {
		out[0].Elem = Tensor_BOOL
	}
	return out, err
}

func inferWhere(s site) ([]TensorType, error) {
	out, err := broadcast(s.shape(0), s.shape(1), s.shape(2))
	return []TensorType{{s.in[1].Elem, out}}, err
}

func inferCast(s site) ([]TensorType, error) {
	return []TensorType{{Tensor_DataType(s.AttrInt("to", 0)), s.shape(0)}}, nil
}

func inferConstant(s site) ([]TensorType, error) {
	if t := constantValue(s.Node); t != nil {
		return []TensorType{t.Type()}, nil
	}
	return []TensorType{{}}, nil
}

func inferMatMul(s site) ([]TensorType, error) {
	a, b := s.shape(0), s.shape(1)
	if a == nil || b == nil {
		return s.like(nil), nil
	}
	if len(a) == 0 || len(b) == 0 {
		return nil, fmt.Errorf("a scalar (%v × %v)", a, b)
	}
	// A vector counts as a matrix of one row (left) or column (right), which the
	// result then lacks.
	row, col := len(a) == 1, len(b) == 1
	if row {
		a = []int64{1, a[0]}
	}
	if col {
		b = []int64{b[0], 1}
	}
	i, j := len(a)-2, len(b)-2
	if k, l := a[i+1], b[j]; k >= 0 && l >= 0 && k != l {
		return nil, fmt.Errorf("%v × %v: %d columns meet %d rows", a, b, k, l)
	}
	out, err := broadcast(a[:i], b[:j])
	if err != nil {
		return nil, err
	}
	if !row {
		out = append(out, a[i])
	}
	if !col {
		out = append(out, b[j+1])
	}
	return s.like(out), nil
}

func inferGemm(s site) ([]TensorType, error) {
	a, b := s.shape(0), s.shape(1)
	if a == nil || b == nil {
		return s.like([]int64{-1, -1}), nil
	}
	if len(a) != 2 || len(b) != 2 {
		return nil, fmt.Errorf("%v × %v: want matrices", a, b)
	}
	m, k, l, n := a[0], a[1], b[0], b[1]
	if s.AttrInt("transA", 0) != 0 {
		m, k = k, m
	}
	if s.AttrInt("transB", 0) != 0 {
		l, n = n, l
	}
	if k >= 0 && l >= 0 && k != l {
		return nil, fmt.Errorf("%v × %v: %d columns meet %d rows", a, b, k, l)
	}
	return s.like([]int64{m, n}), nil
}

func inferReduce(s site) ([]TensorType, error) {
	in := s.shape(0)
	axes, _, ok := s.list("axes", 1)
	if in == nil || !ok {
		return s.like(nil), nil
	}
	if len(axes) == 0 {
		if s.AttrInt("noop_with_empty_axes", 0) != 0 {
			return s.like(in), nil
		}
		for i := range in {
			axes = append(axes, int64(i))
		}
	}
	return s.reduced(in, axes)
}

func (s site) reduced(in, axes []int64) ([]TensorType, error) {
	gone := make([]bool, len(in))
	for _, a := range axes {
		i, err := axis(a, len(in))
		if err != nil {
			return nil, err
		}
		gone[i] = true
	}
	out := []int64{}
	for i, d := range in {
		switch {
		case !gone[i]:
			out = append(out, d)
		case s.AttrInt("keepdims", 1) != 0:
			out = append(out, 1)
		}
	}
	return s.like(out), nil
}

func inferArg(s site) ([]TensorType, error) {
	in := s.shape(0)
	if in == nil {
		return []TensorType{{Elem: Tensor_INT64}}, nil
	}
	out, err := s.reduced(in, []int64{s.AttrInt("axis", 0)})
	if err == nil {
		out[0].Elem = Tensor_INT64
	}
	return out, err
}

func inferDropout(s site) ([]TensorType, error) {
	return []TensorType{s.in[0], {Tensor_BOOL, s.shape(0)}}, nil
}

// inferBatchNorm: in training mode the running statistics come out too.
func inferBatchNorm(s site) ([]TensorType, error) {
	if s.AttrInt("training_mode", 0) == 0 {
		return inferSame(s)
	}
	return []TensorType{s.in[0], s.in[3], s.in[4]}, nil
}

// inferLayerNorm: the mean and 1/√variance of each group come out too, in float
// unless stash_type says otherwise.
func inferLayerNorm(s site) ([]TensorType, error) {
	in, stash := s.shape(0), Tensor_DataType(s.AttrInt("stash_type", int64(Tensor_FLOAT)))
	if in == nil {
		return []TensorType{s.in[0], {Elem: stash}, {Elem: stash}}, nil
	}
	from, err := axis(s.AttrInt("axis", -1), len(in))
	if err != nil {
		return nil, err
	}
	stat := slices.Clone(in)
	for i := range stat[from:] {
		stat[from+i] = 1
	}
	return []TensorType{s.in[0], {stash, stat}, {stash, stat}}, nil
}

func inferQuantize(s site) ([]TensorType, error) {
	elem := Tensor_UINT8
	if len(s.in) > 2 {
		elem = s.in[2].Elem
	}
	return []TensorType{{elem, s.shape(0)}}, nil
}

func inferDequantize(s site) ([]TensorType, error) {
	return []TensorType{{s.in[1].Elem, s.shape(0)}}, nil
}

func inferTranspose(s site) ([]TensorType, error) {
	in := s.shape(0)
	if in == nil {
		return s.like(nil), nil
	}
	perm := s.AttrInts("perm")
	if s.Attr("perm") == nil {
		for i := range in {
			perm = append(perm, int64(len(in)-1-i))
		}
	}
	if sorted := slices.Sorted(slices.Values(perm)); len(perm) != len(in) || !isIota(sorted) {
		return nil, fmt.Errorf("perm %v does not permute the axes of %v", perm, in)
	}
	out := make([]int64, len(in))
	for i, p := range perm {
		out[i] = in[p]
	}
	return s.like(out), nil
}

func isIota(v []int64) bool {
	for i, x := range v {
		if x != int64(i) {
			return false
		}
	}
	return true
}

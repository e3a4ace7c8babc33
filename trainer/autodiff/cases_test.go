package autodiff_test

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Cases of TestRules by theme.

func moreCases() []rule {
	return slices.Concat(elementCases(), activationCases(), productCases(), reduceCases(), normCases(), shapeCases(),
		convCases(), poolCases(), resizeCases())
}

// opCase is one node whose inputs are all differentiated.
func opCase(name, op string, shapes [][]int64, attrs ...*onnx.Attribute) rule {
	return rule{name: op + " " + name, shapes: shapes, build: func(b *graph.Builder, x []graph.Value) graph.Value {
		return b.Op(op, x, attrs...)
	}}
}

// built is a case of one input with code of its own.
func built(name string, shape []int64, f func(b *graph.Builder, x graph.Value) graph.Value) rule {
	return rule{name: name, shapes: [][]int64{shape}, build: func(b *graph.Builder, x []graph.Value) graph.Value { return f(b, x[0]) }}
}

func elementCases() []rule {
	power := func(name string, k func(b *graph.Builder) graph.Value) rule {
		c := built("Pow "+name, []int64{2, 3}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Pow", []graph.Value{x, k(b)})
		})
		c.positive = true
		return c
	}
	cs := []rule{
		opCase("", "Erf", [][]int64{{3, 4}}),
		power("2", func(b *graph.Builder) graph.Value { return b.Scalar(2) }),
		power("1", func(b *graph.Builder) graph.Value { return b.Scalar(1) }),
		power("0", func(b *graph.Builder) graph.Value { return b.Scalar(0) }),
		power("-1.5", func(b *graph.Builder) graph.Value { return b.Scalar(-1.5) }),
		power("whole number", func(b *graph.Builder) graph.Value { return b.Int64(3) }),
		power("different constants", func(b *graph.Builder) graph.Value { return b.Float32([]float32{1, 2, 3.5}, 3) }),
		{name: "Pow both inputs", shapes: [][]int64{{2, 3}, {3}}, positive: true, build: func(b *graph.Builder, x []graph.Value) graph.Value {
			return b.Op("Pow", x)
		}},
		built("Pow of negative numbers", []int64{5}, func(b *graph.Builder, x graph.Value) graph.Value { return b.Op("Pow", []graph.Value{x, b.Scalar(3)}) }),
		{name: "Where", shapes: [][]int64{{2, 3}, {3}}, build: func(b *graph.Builder, x []graph.Value) graph.Value {
			c := b.Op("Not", []graph.Value{b.Op("GreaterOrEqual", []graph.Value{x[0], x[1]})})
			return b.Op("Where", []graph.Value{c, x[1], b.Square(x[0])})
		}},
		built("Cast through whole numbers and truth", []int64{2, 3}, func(b *graph.Builder, x graph.Value) graph.Value {
			whole := b.Cast(b.Cast(b.Scale(x, 5), onnx.Tensor_INT64), onnx.Tensor_FLOAT)
			odd := b.Op("Or", []graph.Value{b.Op("Equal", []graph.Value{whole, b.Scalar(3)}), b.Op("Less", []graph.Value{x, b.Scalar(0)})})
			return b.Mul(b.Add(whole, b.Cast(odd, onnx.Tensor_FLOAT)), x)
		}),
	}
	for _, op := range []string{"Min", "Max", "Sum", "Mean"} {
		cs = append(cs, opCase("of two", op, [][]int64{{2, 3}, {3}}), opCase("of four", op, [][]int64{{2, 3}, {3}, {2, 1}, {1}}),
			opCase("of one", op, [][]int64{{2, 3}}))
	}
	return cs
}

func activationCases() []rule {
	attrs := func(op string, a ...*onnx.Attribute) rule {
		return opCase("with attributes", op, [][]int64{{3, 5}}, a...)
	}
	cs := []rule{
		opCase("", "LeakyRelu", [][]int64{{3, 5}}), attrs("LeakyRelu", onnx.Float("alpha", 0.3)),
		opCase("a slope a channel", "PRelu", [][]int64{{2, 3, 4}, {3, 1}}), opCase("one slope", "PRelu", [][]int64{{2, 3}, {1}}),
		opCase("", "Elu", [][]int64{{3, 5}}), attrs("Elu", onnx.Float("alpha", 0.7)),
		built("HardSigmoid", []int64{4, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("HardSigmoid", []graph.Value{b.Scale(x, 4)})
		}),
		attrs("HardSigmoid", onnx.Float("alpha", 1.1), onnx.Float("beta", 0.3)),
		built("HardSwish", []int64{4, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("HardSwish", []graph.Value{b.Scale(x, 4)})
		}),
		built("SiLU", []int64{3, 5}, func(b *graph.Builder, x graph.Value) graph.Value { return b.Mul(x, b.Sigmoid(x)) }),
		built("GELU", []int64{3, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Mul(b.Scale(x, 0.5), b.Shift(b.Op("Erf", []graph.Value{b.Scale(x, 0.7071068)}), 1))
		}),
		clipCase("both", -0.4, 0.6), clipCase("relu6", 0, 6), clipCase("written as no bound", 0.25, 3.4028234e38),
		built("Clip above alone", []int64{3, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Clip", []graph.Value{x, {}, b.Float32([]float32{0.5})})
		}),
		{name: "Clip with bounds that learn", shapes: [][]int64{{3, 5}, {1}, {1}}, positive: true, build: func(b *graph.Builder, x []graph.Value) graph.Value {
			return b.Op("Clip", []graph.Value{x[0], b.Reshape(b.Scale(x[1], 0.4)), b.Reshape(b.Shift(x[2], 0.3))})
		}},
		built("Dropout in inference", []int64{3, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Dropout", []graph.Value{x, b.Float32([]float32{0.7})})
		}),
		built("Dropout switched off", []int64{3, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Dropout", []graph.Value{x, b.Float32([]float32{0.7}), truth(b, false)})
		}),
		built("Dropout of nothing", []int64{3, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Dropout", []graph.Value{x, b.Float32([]float32{0}), truth(b, true)})
		}),
	}
	for _, op := range []string{"Softmax", "LogSoftmax"} {
		cs = append(cs, opCase("last axis", op, [][]int64{{2, 3, 4}}), opCase("axis 1", op, [][]int64{{2, 3, 4}}, onnx.Int("axis", 1)),
			opCase("axis -3", op, [][]int64{{2, 3, 4}}, onnx.Int("axis", -3)))
	}
	return cs
}

func clipCase(name string, low, high float32) rule {
	return built("Clip "+name, []int64{4, 5}, func(b *graph.Builder, x graph.Value) graph.Value {
		return b.Op("Clip", []graph.Value{x, b.Float32([]float32{low}), b.Float32([]float32{high})})
	})
}

func truth(b *graph.Builder, v bool) graph.Value {
	var raw byte
	if v {
		raw = 1
	}
	return b.Initializer(onnx.NewTensorRaw(fmt.Sprint(v), onnx.Tensor_BOOL, nil, []byte{raw}))
}

func productCases() []rule {
	cs := []rule{
		opCase("vector × matrix", "MatMul", [][]int64{{3}, {3, 4}}), opCase("matrix × vector", "MatMul", [][]int64{{2, 3}, {3}}),
		opCase("vector × batch", "MatMul", [][]int64{{3}, {2, 3, 4}}), opCase("batch × vector", "MatMul", [][]int64{{5, 2, 3}, {3}}),
		opCase("vector × vector", "MatMul", [][]int64{{3}, {3}}),
		opCase("two broadcast axes", "MatMul", [][]int64{{2, 1, 3, 4}, {5, 4, 2}}),
	}
	for _, c := range [][]int64{nil, {4}, {2, 1}, {2, 4}, {1}} {
		for _, ta := range []int64{0, 1} {
			for _, tb := range []int64{0, 1} {
				a, b := []int64{2, 3}, []int64{3, 4}
				if ta == 1 {
					a = []int64{3, 2}
				}
				if tb == 1 {
					b = []int64{4, 3}
				}
				shapes := [][]int64{a, b}
				if c != nil {
					shapes = append(shapes, c)
				}
				cs = append(cs, opCase(fmt.Sprintf("transA=%d transB=%d C%v", ta, tb, c), "Gemm", shapes, onnx.Int("transA", ta), onnx.Int("transB", tb),
					onnx.Float("alpha", 0.5), onnx.Float("beta", float32(1+ta))))
			}
		}
	}
	return cs
}

func reduceCases() []rule {
	var cs []rule
	for _, op := range []string{"ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"} {
		for _, keep := range []int64{0, 1} {
			cs = append(cs, opCase(fmt.Sprintf("keepdims=%d", keep), op, [][]int64{{2, 3, 4}}, onnx.Ints("axes", -1, 0), onnx.Int("keepdims", keep)))
		}
		cs = append(cs, opCase("of all", op, [][]int64{{2, 3}}, onnx.Int("keepdims", 0)))
	}
	for _, op := range []string{"GlobalAveragePool", "GlobalMaxPool"} {
		cs = append(cs, opCase("", op, [][]int64{{2, 3, 4, 5}}), opCase("1-D", op, [][]int64{{2, 3, 4}}))
	}
	return cs
}

func normCases() []rule {
	// Inputs 1… are positive, so that input 4 can be a variance.
	norm := func(name, op string, positive bool, shapes [][]int64, attrs ...*onnx.Attribute) rule {
		c := opCase(name, op, shapes, attrs...)
		c.positive = positive
		return c
	}
	batch := func(x ...int64) [][]int64 { return [][]int64{x, {x[1]}, {x[1]}, {x[1]}, {x[1]}} }
	return []rule{
		norm("frozen", "BatchNormalization", true, batch(2, 3, 4, 5), onnx.Float("epsilon", 1e-3)),
		norm("frozen, a matrix", "BatchNormalization", true, batch(4, 3)),
		trainNorm(2, 3, 4, 5), trainNorm(4, 3, 5), trainNorm(6, 2),
		norm("", "InstanceNormalization", false, [][]int64{{2, 3, 4, 5}, {3}, {3}}, onnx.Float("epsilon", 1e-3)),
		norm("1-D", "InstanceNormalization", false, [][]int64{{2, 3, 5}, {3}, {3}}),
		norm("last axis", "LayerNormalization", false, [][]int64{{2, 3, 5}, {5}, {5}}),
		norm("two axes, epsilon", "LayerNormalization", false, [][]int64{{2, 3, 5}, {3, 5}, {3, 5}}, onnx.Int("axis", 1), onnx.Float("epsilon", 1e-2)),
		norm("no bias", "LayerNormalization", false, [][]int64{{3, 5}, {5}}, onnx.Int("axis", -1)),
	}
}

// trainNorm has constant running statistics: the result does not depend on them.
func trainNorm(x ...int64) rule {
	return rule{name: fmt.Sprint("BatchNormalization in training ", x), shapes: [][]int64{x, {x[1]}, {x[1]}}, build: func(b *graph.Builder, v []graph.Value) graph.Value {
		run := b.Float32(slices.Repeat([]float32{0.5}, int(x[1])), x[1])
		return b.Ops("BatchNormalization", 3, append(slices.Clone(v), run, run), onnx.Int("training_mode", 1), onnx.Float("epsilon", 1e-3))[0]
	}}
}

func shapeCases() []rule {
	with := func(op, name string, shape []int64, consts func(b *graph.Builder) []graph.Value, attrs ...*onnx.Attribute) rule {
		return built(op+" "+name, shape, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op(op, append([]graph.Value{x}, consts(b)...), attrs...)
		})
	}
	list := func(v ...[]int64) func(b *graph.Builder) []graph.Value {
		return func(b *graph.Builder) (out []graph.Value) {
			for _, l := range v {
				if l == nil {
					out = append(out, graph.Value{})
					continue
				}
				out = append(out, b.Int64(l...))
			}
			return out
		}
	}
	return []rule{
		opCase("default order", "Transpose", [][]int64{{2, 3, 4}}),
		opCase("negative axis", "Concat", [][]int64{{2, 3}, {2, 1}}, onnx.Int("axis", -1)),
		opCase("all of 1", "Squeeze", [][]int64{{1, 3, 1, 2}}),
		built("Split, equal parts", []int64{4, 3}, func(b *graph.Builder, x graph.Value) graph.Value {
			p := b.Ops("Split", 2, []graph.Value{x}, onnx.Int("axis", -2))
			return b.Mul(p[0], p[1])
		}),
		with("Slice", "no axes", []int64{4, 5}, list([]int64{1, 0}, []int64{3, 4})),
		with("Slice", "no axes but steps", []int64{4, 5}, list([]int64{1, 0}, []int64{4, 5}, nil, []int64{1, 2})),
		with("Slice", "to the end", []int64{4, 5}, list([]int64{-3}, []int64{1 << 62}, []int64{-1})),
		with("Pad", "that cuts", []int64{4, 5}, list([]int64{-1, 2, 1, -2})),
		built("Pad with ones", []int64{2, 3}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Pad", []graph.Value{x, b.Int64(1, 0, 0, 2), b.Float32([]float32{1})})
		}),
		with("Tile", "", []int64{2, 3}, list([]int64{3, 2})),
		with("Tile", "one axis", []int64{2, 1, 3}, list([]int64{1, 4, 1})),
		with("Gather", "rows, one twice", []int64{4, 3}, list([]int64{2, -1, 2})),
		with("Gather", "columns", []int64{2, 4, 3}, list([]int64{0, 3}), onnx.Int("axis", 1)),
		with("Gather", "last axis", []int64{2, 4, 3}, list([]int64{1}), onnx.Int("axis", -1)),
		built("Gather one, a number as index", []int64{2, 4, 3}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Gather", []graph.Value{x, b.Initializer(onnx.NewTensorInt64("two", nil, []int64{2}))}, onnx.Int("axis", 1))
		}),
		built("Gather by a table", []int64{5, 2}, func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Gather", []graph.Value{x, b.Reshape(b.Int64(0, 4, 4, 1, 2, 0), 2, 3)})
		}),
		opCase("", "SpaceToDepth", [][]int64{{2, 3, 4, 6}}, onnx.Int("blocksize", 2)),
		opCase("", "DepthToSpace", [][]int64{{2, 8, 2, 3}}, onnx.Int("blocksize", 2)),
		opCase("CRD", "DepthToSpace", [][]int64{{2, 18, 2, 3}}, onnx.Int("blocksize", 3), onnx.String("mode", "CRD")),
	}
}

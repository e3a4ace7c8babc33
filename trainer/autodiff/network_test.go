package autodiff_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/floats/scalar"

	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
)

// Whole networks: rules that are right one by one must also be put together
// right. A gradient of thousands of numbers is compared along random directions d:
// ONNX Runtime's g·d against the reference's (L(p+hd) − L(p−hd))/2h.
func TestNetworks(t *testing.T) {
	for name, build := range map[string]func(n *network) graph.Value{"mobile": mobile, "attention": attention} {
		t.Run(name, func(t *testing.T) {
			n := &network{Builder: graph.New(name), rng: rand.New(rand.NewPCG(3, 4)), values: map[string]ref.Tensor{}}
			checkNetwork(t, n, build(n))
		})
	}
}

// network is a graph whose parameters are inputs with random values.
type network struct {
	*graph.Builder
	rng    *rand.Rand
	params []graph.Value
	values map[string]ref.Tensor
}

// param is a new input, normal around mean.
func (n *network) param(mean, spread float64, shape ...int64) graph.Value {
	v := n.Input(fmt.Sprintf("p%d", len(n.params)), onnx.Tensor_FLOAT, shape...)
	x := random(n.rng, shape, false)
	for i := range x.Data {
		x.Data[i] = float64(float32(mean + spread*n.rng.NormFloat64()))
	}
	n.params, n.values[v.Name()] = append(n.params, v), x
	return v
}

// conv is a convolution without bias, then batch norm on the batch's statistics.
func (n *network) conv(x graph.Value, k, size, stride, group int64, attrs ...*onnx.Attribute) graph.Value {
	w := n.param(0, 0.4, k, n.Shape(x)[1]/group, size, size)
	pad := size / 2
	y := n.Op("Conv", []graph.Value{x, w}, append(attrs, onnx.Ints("strides", stride, stride), onnx.Ints("pads", pad, pad, pad, pad), onnx.Int("group", group))...)
	run := n.Float32(slices.Repeat([]float32{1}, int(k)), k)
	return n.Ops("BatchNormalization", 3, []graph.Value{y, n.param(1, 0.2, k), n.param(0, 0.2, k), run, run}, onnx.Int("training_mode", 1))[0]
}

func (n *network) op(name string, x graph.Value, attrs ...*onnx.Attribute) graph.Value {
	return n.Op(name, []graph.Value{x}, attrs...)
}

func (n *network) dense(x graph.Value, out int64) graph.Value {
	return n.Op("Gemm", []graph.Value{x, n.param(0, 0.5, out, n.Shape(x)[1]), n.param(0, 0.5, out)}, onnx.Int("transB", 1))
}

// crossEntropy of the first classes as targets.
func (n *network) crossEntropy(logits graph.Value) graph.Value {
	s := n.Shape(logits)
	target := make([]float32, s[0]*s[1])
	for i := range s[0] {
		target[i*s[1]+i%s[1]] = 1
	}
	logp := n.op("LogSoftmax", logits, onnx.Int("axis", 1))
	return n.Reshape(n.Neg(n.ReduceMean(n.Mul(logp, n.Float32(target, s...)), 0, 1)), 1)
}

// mobile is a small MobileNetV3: an inverted residual with squeeze and excitation,
// then a second scale that is enlarged and joined with the first.
func mobile(n *network) graph.Value {
	x := n.param(0, 1, 2, 3, 16, 16)
	stem := n.op("HardSwish", n.conv(x, 6, 3, 2, 1))
	y := n.op("HardSwish", n.conv(stem, 12, 1, 1, 1))
	y = n.op("HardSwish", n.conv(y, 12, 3, 1, 12))
	squeezed := n.op("Flatten", n.op("GlobalAveragePool", y))
	excited := n.op("HardSigmoid", n.dense(n.Relu(n.dense(squeezed, 4)), 12), onnx.Float("alpha", 1./6))
	y = n.Mul(y, n.Reshape(excited, 2, 12, 1, 1))
	near := n.Add(stem, n.conv(y, 6, 1, 1, 1))

	far := n.op("MaxPool", near, onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2), onnx.Ints("pads", 1, 1, 1, 1))
	far = n.Op("Clip", []graph.Value{n.conv(far, 8, 3, 2, 2), n.Float32([]float32{0}), n.Float32([]float32{6})})
	far = n.Op("Resize", []graph.Value{far, {}, n.Float32([]float32{1, 1, 4, 4}, 4)}, onnx.String("mode", "linear"))
	y = n.op("LeakyRelu", n.conv(n.Concat(1, near, far), 8, 1, 1, 1))
	y = n.Op("ConvTranspose", []graph.Value{n.op("AveragePool", y, onnx.Ints("kernel_shape", 2, 2), onnx.Ints("strides", 2, 2)), n.param(0, 0.3, 8, 3, 2, 2)},
		onnx.Ints("strides", 2, 2), onnx.Int("group", 2))
	pixels := n.op("Softmax", y, onnx.Int("axis", 1))
	return n.Add(n.crossEntropy(n.dense(n.pooled(y), 4)), n.Reshape(n.ReduceMean(n.Square(pixels), 0, 1, 2, 3), 1))
}

// pooled is global average pooling, without the axes it reduces.
func (n *network) pooled(x graph.Value) graph.Value {
	return n.op("ReduceMean", x, onnx.Ints("axes", 2, 3), onnx.Int("keepdims", 0))
}

// attention is a vision transformer's block on 4×4 patches.
func attention(n *network) graph.Value {
	const patches, width = 16, 8
	x := n.param(0, 1, 2, 3, 16, 16)
	y := n.op("SpaceToDepth", x, onnx.Int("blocksize", 4))
	y = n.Transpose(n.Reshape(y, 2, 48, patches), 0, 2, 1)
	y = n.Add(n.MatMul(y, n.param(0, 0.15, 48, width)), n.param(0, 0.3, patches, width))
	norm := func(x graph.Value) graph.Value {
		return n.Op("LayerNormalization", []graph.Value{x, n.param(1, 0.2, width), n.param(0, 0.2, width)})
	}
	qkv := n.Split(n.MatMul(norm(y), n.param(0, 0.4, width, 3*width)), 2, width, width, width)
	weights := n.op("Softmax", n.Scale(n.MatMul(qkv[0], n.Transpose(qkv[1], 0, 2, 1)), 0.35))
	y = n.Add(y, n.MatMul(n.MatMul(weights, qkv[2]), n.param(0, 0.4, width, width)))
	h := n.MatMul(norm(y), n.param(0, 0.4, width, 2*width))
	h = n.Mul(n.Scale(h, 0.5), n.Shift(n.op("Erf", n.Scale(h, 0.70710678)), 1))
	y = n.Add(y, n.MatMul(h, n.param(0, 0.4, 2*width, width)))
	first := n.Op("Gather", []graph.Value{y, n.Initializer(onnx.NewTensorInt64("first", nil, []int64{0}))}, onnx.Int("axis", 1))
	return n.crossEntropy(n.dense(first, 4))
}

func checkNetwork(t *testing.T, n *network, loss graph.Value) {
	const step, tol = 1e-6, 1e-4
	forward := len(n.Nodes())
	for i, g := range autodiff.Gradients(n.Builder, loss, n.params) {
		n.Output("d"+n.params[i].Name(), g)
	}
	n.Output("loss", loss)
	m, err := n.Model()
	if err != nil {
		t.Fatal(err)
	}
	got := runORT(t, m, n.values)
	compare(t, "loss", got["loss"], []float64{lossOf(t, m, forward, n.values, loss)}, tolForward)
	// along takes a step for some parameters at once.
	along := func(what string, params ...graph.Value) {
		moved, slope := []map[string]ref.Tensor{maps.Clone(n.values), maps.Clone(n.values)}, 0.0
		for _, p := range params {
			x := n.values[p.Name()]
			d := make([]float64, len(x.Data))
			for i := range d {
				d[i] = n.rng.NormFloat64()
			}
			slope += floats.Dot(got["d"+p.Name()], d)
			for i, sign := range []float64{1, -1} {
				moved[i][p.Name()] = ref.Tensor{Shape: x.Shape, Data: floats.AddScaledTo(make([]float64, len(d)), x.Data, sign*step, d)}
			}
		}
		want := (lossOf(t, m, forward, moved[0], loss) - lossOf(t, m, forward, moved[1], loss)) / (2 * step)
		if !scalar.EqualWithinAbsOrRel(slope, want, tol/100, tol) {
			t.Errorf("slope along %s is %g, want %g", what, slope, want)
		}
	}
	for _, p := range n.params {
		along(fmt.Sprint(p.Name(), n.Shape(p)), p)
	}
	for i := range 3 {
		along(fmt.Sprint("all parameters, direction ", i), n.params...)
	}
}

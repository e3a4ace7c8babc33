package quant_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/export/quant"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/graph"
)

const side = 32

// builder makes networks with random weights.
type builder struct {
	*graph.Builder
	r *rand.Rand
}

func (b builder) conv(x graph.Value, out, k, stride, group int64) graph.Value {
	in := b.Shape(x)[1] / group
	w := make([]float32, out*in*k*k)
	for i := range w {
		// Channels differ in scale, so that one scale for all would show.
		w[i] = float32(b.r.NormFloat64() * math.Sqrt(2/float64(in*k*k)) * math.Exp2(float64(int64(i)/(in*k*k)%3)-1))
	}
	bias := make([]float32, out)
	for i := range bias {
		bias[i] = float32(b.r.NormFloat64()) / 4
	}
	spec := graph.ConvSpec{Stride: stride, Group: group}
	if k%2 == 1 {
		spec.Pads = [4]int64{k / 2, k / 2, k / 2, k / 2}
	}
	return b.Conv(x, b.Float32(w, out, in, k, k), b.Float32(bias, out), spec)
}

// patches is the front that the road family has; parts are all operators with integer
// kernels and some that have none.
func patches(b builder, frame graph.Value) graph.Value {
	x := b.Cast(b.Transpose(frame, 0, 3, 1, 2), onnx.Tensor_FLOAT)
	return b.Op("SpaceToDepth", []graph.Value{b.Scale(b.Shift(x, -114), 1.0/64)}, onnx.Int("blocksize", 4))
}

func network(t testing.TB, seed uint64, front func(b builder, frame graph.Value) graph.Value) *onnx.Model {
	t.Helper()
	b := builder{graph.New("net"), rand.New(rand.NewPCG(seed, 1))}
	x := b.Relu(b.conv(front(b, b.Input("frame", onnx.Tensor_UINT8, 1, side, side, 3)), 16, 3, 1, 1))
	y := b.conv(b.Relu(b.conv(x, 8, 1, 1, 1)), 16, 3, 1, 1)
	x = b.Relu(b.Add(x, b.Op("Tanh", []graph.Value{y}))) // which has no integer kernel
	y = b.conv(b.Relu(b.conv(x, 16, 3, 1, 16)), 16, 1, 1, 1)
	x = b.Relu(b.Add(x, y))
	down := b.Relu(b.conv(x, 16, 2, 2, 1))
	pool := b.Op("MaxPool", []graph.Value{x}, onnx.Ints("kernel_shape", 2, 2), onnx.Ints("strides", 2, 2))
	low := b.conv(b.Concat(1, down, pool), 16, 1, 1, 1)
	up := b.Op("Resize", []graph.Value{low, {}, b.Float32([]float32{1, 1, 2, 2}, 4)}, onnx.String("mode", "nearest"),
		onnx.String("coordinate_transformation_mode", "asymmetric"), onnx.String("nearest_mode", "floor"))
	head := b.Relu(b.conv(b.Relu(b.Add(up, b.conv(x, 16, 1, 1, 1))), 16, 3, 1, 1))
	maps := b.conv(head, 2, 1, 1, 1)
	b.Output("maps", b.Scale(maps, 0.1))
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// noise are n frames of smooth noise.
func noise(seed uint64, n int) [][]byte {
	r := rand.New(rand.NewPCG(seed, 2))
	out := make([][]byte, n)
	for i := range out {
		level := r.Float64() * 200
		for range 3 * side * side {
			level = min(max(level+r.NormFloat64()*20, 0), 255)
			out[i] = append(out[i], byte(level))
		}
	}
	return out
}

// results runs a model on frames: all outputs of all frames, in order.
func results(t testing.TB, m *onnx.Model, opts ort.Options, frames [][]byte) (out []float32) {
	t.Helper()
	text, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	opts.Threads = 1
	s, err := orttest.Runtime(t).NewSession(text, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var tensors []*ort.Tensor
	for _, spec := range slices.Concat(s.Inputs(), s.Outputs()) {
		x, err := ort.NewTensorFor(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		tensors = append(tensors, x)
	}
	for _, f := range frames {
		copy(tensors[0].Uint8(), f)
		if err := s.Run(t.Context(), tensors[:1], tensors[1:]); err != nil {
			t.Fatal(err)
		}
		for _, x := range tensors[1:] {
			out = append(out, x.Float32()...)
		}
	}
	return out
}

// apart is the largest and the mean difference, and the mean magnitude of the first.
func apart(a, b []float32) (worst, mean, size float64) {
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		worst, mean, size = max(worst, d), mean+d, size+math.Abs(float64(a[i]))
	}
	return worst, mean / float64(len(a)), size / float64(len(a))
}

// quantised is a network after Frame (on the CPU) and Int8, with min-max ranges of 20 frames.
func quantised(t testing.TB, m *onnx.Model, target quant.Target, float map[string]bool) *onnx.Model {
	t.Helper()
	if target == quant.CPU {
		if err := quant.Frame(m); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := quant.Observe(t.Context(), orttest.Runtime(t), m, slices.Values(noise(7, 20)))
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := seen.Ranges(quant.Methods()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Apply(m, quant.Int8(quant.Config{Target: target, Ranges: ranges, Float: float}), export.Prune); err != nil {
		t.Fatal(err)
	}
	return m
}

// What is quantised stays near what it was, on both targets and whether ONNX Runtime fuses
// kernels or runs the nodes as they are written.
func TestInt8StaysNear(t *testing.T) {
	frames := noise(1, 10)
	for seed := range uint64(3) {
		want := results(t, network(t, seed, patches), ort.Options{}, frames)
		for _, target := range []quant.Target{quant.CPU, quant.TensorRT} {
			m := quantised(t, network(t, seed, patches), target, nil)
			for _, level := range []ort.Level{ort.OptimizeAll, ort.OptimizeNone} {
				worst, mean, size := apart(want, results(t, m, ort.Options{Optimize: level}, frames))
				// int8 without a zero point has half the levels behind a rectifier.
				if limit := map[quant.Target]float64{quant.CPU: 0.08, quant.TensorRT: 0.12}[target]; !(mean < limit*size) || !(worst < 20*limit*size) {
					t.Errorf("network %d, %s, level %v: results of %.3g are off by %.3g, at most %.3g", seed, target, level, size, mean, worst)
				}
			}
		}
	}
}

// Two products of a byte and a weight fit 16 bits in a file for the CPU, so that processors without
// VNNI do not cut their sum off: 2·255·64 is below 2¹⁵. TensorRT adds in 32 bits.
func TestWeightsDoNotOverflow(t *testing.T) {
	for target, want := range map[quant.Target]int8{quant.CPU: 64, quant.TensorRT: 127} {
		var most int8
		for _, c := range quantised(t, network(t, 1, patches), target, nil).GetGraph().GetInitializer() {
			if !strings.HasSuffix(c.GetName(), ":weight") {
				continue
			}
			for _, b := range c.GetRawData() {
				q := int8(b)
				most = max(most, q, -q)
			}
		}
		if most != want {
			t.Errorf("%s: weights up to %d, want %d", target, most, want)
		}
	}
}

// On the CPU every layer ends in an integer kernel, and the frame is not converted first.
func TestInt8IsFused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fused.onnx")
	results(t, quantised(t, network(t, 1, patches), quant.CPU, nil), ort.Options{Optimize: ort.OptimizeExtended, OptimizedModel: path}, noise(1, 1))
	m, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, n := range m.GetGraph().GetNode() {
		count[n.GetOpType()]++
	}
	// Two layers stay in float: the one in front of Tanh, and the maps.
	for op, want := range map[string]int{"QLinearConv": 8, "QLinearAdd": 3, "QLinearConcat": 1, "MaxPool": 1, "Resize": 1, "Relu": 0, "Add": 0, "SpaceToDepth": 0, "Cast": 0} {
		if count[op] != want {
			t.Errorf("%d %s, want %d, in %v", count[op], op, want, count)
		}
	}
}

// Layers that are named keep their weights.
func TestFloatLayers(t *testing.T) {
	m := network(t, 2, patches)
	layers, err := quant.Layers(m, quant.CPU)
	if err != nil || len(layers) != 8 {
		t.Fatalf("%v: layers %q, want 8", err, layers)
	}
	float := map[string]bool{layers[0]: true, layers[3]: true}
	var names []string
	for _, c := range quantised(t, m, quant.CPU, float).GetGraph().GetInitializer() {
		names = append(names, c.GetName())
	}
	for _, l := range layers {
		if slices.Contains(names, l+":weight") == float[l] {
			t.Errorf("layer %q: in float %v, want %v", l, !float[l], float[l])
		}
	}
}

func TestInt8Refuses(t *testing.T) {
	m := network(t, 1, patches)
	err := quant.Int8(quant.Config{Target: quant.CPU})(m)
	if !errors.Is(err, quant.ErrRange) || !strings.Contains(err.Error(), `"SpaceToDepth"`) {
		t.Errorf("error %v, want ErrRange with the value's name", err)
	}
	if _, err := quant.Observe(t.Context(), orttest.Runtime(t), m, slices.Values([][]byte{{1}})); err == nil || !strings.Contains(err.Error(), "1 bytes") {
		t.Errorf("a short frame: error %v", err)
	}
	if _, err := quant.Observe(t.Context(), orttest.Runtime(t), m, slices.Values([][]byte(nil))); err == nil || !strings.Contains(err.Error(), "no frames") {
		t.Errorf("no frames: error %v", err)
	}
}

// Fronts of all kinds give the same results to float32's rounding as before, and those
// that are a scale and a zero point lose their arithmetic.
func TestFrame(t *testing.T) {
	channels := func(b builder, frame graph.Value) graph.Value { return b.Transpose(frame, 0, 3, 1, 2) }
	for _, tc := range []struct {
		name  string
		front func(b builder, frame graph.Value) graph.Value
		bytes bool // only bytes are left in front of the first layer
	}{
		{"patches", patches, true},
		{"over 255", func(b builder, f graph.Value) graph.Value {
			return b.Scale(b.Cast(channels(b, f), onnx.Tensor_FLOAT), 1./255)
		}, true},
		{"cast first", func(b builder, f graph.Value) graph.Value {
			x := b.Div(b.Sub(b.Cast(f, onnx.Tensor_FLOAT), b.Scalar(128)), b.Scalar(128))
			return b.Op("SpaceToDepth", []graph.Value{channels(b, x)}, onnx.Int("blocksize", 2))
		}, true},
		{"patches of channels", func(b builder, f graph.Value) graph.Value {
			x := b.Op("SpaceToDepth", []graph.Value{b.Cast(channels(b, f), onnx.Tensor_FLOAT)}, onnx.Int("blocksize", 2))
			return b.Op("SpaceToDepth", []graph.Value{x}, onnx.Int("blocksize", 2))
		}, true},
		{"a mean for each channel", func(b builder, f graph.Value) graph.Value {
			return b.Sub(b.Cast(channels(b, f), onnx.Tensor_FLOAT), b.Float32([]float32{103, 116, 123}, 3, 1, 1))
		}, true},
		{"one number for each channel", func(b builder, f graph.Value) graph.Value {
			return b.Div(b.Cast(channels(b, f), onnx.Tensor_FLOAT), b.Float32([]float32{255, 255, 255}, 3, 1, 1))
		}, true},
		{"no zero point", func(b builder, f graph.Value) graph.Value {
			return b.Shift(b.Scale(b.Cast(channels(b, f), onnx.Tensor_FLOAT), 1./255), -0.4773)
		}, false},
		{"falling", func(b builder, f graph.Value) graph.Value {
			return b.Sub(b.Scalar(255), b.Cast(channels(b, f), onnx.Tensor_FLOAT))
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, frames := network(t, 3, tc.front), noise(4, 5)
			want := results(t, m, ort.Options{}, frames)
			if err := export.Apply(m, quant.Frame, export.Prune); err != nil {
				t.Fatal(err)
			}
			worst, _, size := apart(want, results(t, m, ort.Options{}, frames))
			if !(worst <= 1e-4*size) {
				t.Errorf("off by %.3g where results are %.3g", worst, size)
			}
			casts := slices.ContainsFunc(m.GetGraph().GetNode(), func(n *onnx.Node) bool { return n.GetOpType() == "DequantizeLinear" })
			if casts != tc.bytes {
				t.Errorf("a DequantizeLinear: %v, want %v", casts, tc.bytes)
			}
		})
	}
}

package autodiff_test

import (
	"slices"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
)

// portable are the operators that gradients are made of. All are in the tables of
// float32 kernels of both the CPU and the CUDA provider (ONNX Runtime's
// docs/OperatorKernels.md): look there before adding one.
var portable = strings.Fields(`Add AveragePool Cast Concat Conv ConvTranspose DepthToSpace Div Exp Expand Gather Gemm HardSigmoid
	Log MatMul Max Min Mul Neg Pad Pow Reciprocal ReduceMean ReduceSum Reshape ScatterElements Sigmoid Sign Slice
	SpaceToDepth Sqrt Sub Transpose Where`)

func TestGradientsArePortable(t *testing.T) {
	for _, c := range slices.Concat(cases(), moreCases()) {
		b := graph.New("list")
		var xs []graph.Value
		for _, s := range c.shapes {
			xs = append(xs, b.Input(strings.Repeat("x", len(xs)+1), onnx.Tensor_FLOAT, s...))
		}
		loss := b.Reshape(b.ReduceSum(c.build(b, xs)), 1)
		forward := len(b.Nodes())
		autodiff.Gradients(b, loss, xs)
		for _, n := range b.Nodes()[forward:] {
			if !slices.Contains(portable, n.GetOpType()) || n.GetDomain() != "" {
				t.Errorf("%s: its gradient has a node %s of domain %q", c.name, n.GetOpType(), n.GetDomain())
			}
		}
	}
}

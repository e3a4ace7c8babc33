package ort

import (
	"maps"
	"testing"

	"perceive/hw"
)

// trace was cut down from profiles of ONNX Runtime 1.27; the CUDA entries follow its
// source, where a fused node's name carries the provider.
const trace = `[
{"cat" : "Session","dur" :3565,"ph" : "X","name" :"model_loading_array","args" : {}},
{"cat" : "Node","ph" : "X","name" :"Transpose_kernel_time","args" : {"provider" : "CPUExecutionProvider","node_index" : "0","thread_scheduling_stats" : {"main_thread": {"block_size": [1]}}}},
{"cat" : "Node","ph" : "X","name" :"Transpose_kernel_time","args" : {"provider" : "CPUExecutionProvider","node_index" : "0"}},
{"cat" : "Node","ph" : "X","name" :"Transpose_fence_before","args" : {"provider" : "CPUExecutionProvider","node_index" : "0"}},
{"cat" : "Node","ph" : "X","name" :"Conv_kernel_time","args" : {"provider" : "CUDAExecutionProvider","node_index" : "1"}},
{"cat" : "Node","ph" : "X","name" :"Conv_kernel_time","args" : {"provider" : "CUDAExecutionProvider","node_index" : "2"}},
{"cat" : "Node","ph" : "X","name" :"TRTKernel_kernel_time","args" : {"provider" : "TensorrtExecutionProvider","node_index" : "3"}},
{"cat" : "Kernel","ph" : "X","name" :"implicit_convolve_sgemm","args" : {"provider" : "CUDAExecutionProvider"}},
{"cat" : "Session","ph" : "X","name" :"model_run","args" : {}}
]`

func TestNodesOf(t *testing.T) {
	got, err := nodesOf([]byte(trace))
	if want := map[hw.Provider]int{hw.CPU: 1, hw.CUDA: 2, hw.TensorRT: 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if _, err := nodesOf([]byte(trace[:len(trace)/2])); err == nil {
		t.Error("a trace that is cut short gave no error")
	}
}

func FuzzNodesOf(f *testing.F) {
	f.Add([]byte(trace))
	f.Add([]byte(`[{"cat":"Node","name":"_kernel_time","args":{"provider":"ExecutionProvider"}}]`))
	f.Add([]byte(`[null,{}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		nodes, err := nodesOf(text)
		for p, n := range nodes {
			if n < 1 || err != nil {
				t.Errorf("%d nodes of %q, error %v", n, p, err)
			}
		}
	})
}

package ort_test

import (
	"context"
	"fmt"

	"perceive/hw/ort"
)

// A loop runs a Binding: the tensors are fixed, their elements change.
func ExampleSession_Bind() {
	rt, err := ort.Open(ort.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rt.Close()
	session, err := rt.NewSession(addModel(), ort.Options{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	fmt.Println(session.Inputs(), "->", session.Outputs())

	var tensors []*ort.Tensor
	for _, spec := range append(session.Inputs(), session.Outputs()...) {
		t, err := ort.NewTensorFor(spec, 1) // the free dimension is the batch
		if err != nil {
			fmt.Println(err)
			return
		}
		defer t.Close()
		tensors = append(tensors, t)
	}
	a, b, sum := tensors[0].Float32(), tensors[1].Float32(), tensors[2].Float32()
	binding, err := session.Bind(tensors[:2], tensors[2:])
	if err != nil {
		fmt.Println(err)
		return
	}
	defer binding.Close()
	for i := range 2 {
		copy(a, []float32{1, 2, 3})
		copy(b, []float32{float32(i), 0, 0})
		if err := binding.Run(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(sum)
	}
	// Output:
	// ["a" float32[? 3] "b" float32[? 3]] -> ["sum" float32[? 3]]
	// [1 2 3]
	// [2 2 3]
}

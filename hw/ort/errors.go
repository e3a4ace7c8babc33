package ort

import "errors"

var (
	// ErrUnavailable reports that no usable ONNX Runtime library was found on
	// this machine. The message says how to get one; retrying does not help.
	ErrUnavailable = errors.New("ONNX Runtime unavailable")
	// ErrProvider reports that the required execution provider cannot be used.
	// Ask for another provider, or for the policy "prefer".
	ErrProvider = errors.New("provider cannot be used")
	// ErrModel reports bytes that ONNX Runtime cannot load as a model.
	ErrModel = errors.New("bad model")
	// ErrMismatch reports a tensor whose type or shape is not the model's.
	ErrMismatch = errors.New("tensor does not fit the model")
	// ErrClosed reports the use of a tensor, session or runtime after Close.
	ErrClosed = errors.New("used after Close")
)

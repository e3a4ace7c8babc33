package ort

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"
)

// align is what ONNX Runtime's own allocator promises to its kernels.
const align = 64

// maxBytes bounds one tensor (1 TiB): beyond it a shape is a mistake, and
// make would panic instead of returning an error.
const maxBytes = 1 << 40

// Tensor is a dense array in memory that both Go and ONNX Runtime read and
// write: row-major, 64-byte aligned, zero at first. It belongs to whoever made
// it. Close may be called at any time: a binding that uses the tensor keeps
// the memory alive for itself.
//
// The methods are safe for concurrent use; the elements are as safe as any
// slice, and must not be touched by Go while a Run uses them.
type Tensor struct {
	dtype DataType
	shape []int64
	data  []byte // exactly the elements

	mu     sync.Mutex
	body   *body
	refs   int // bindings that hold the tensor
	closed bool
	stop   runtime.Cleanup
}

// body is what must be given back. It is apart from Tensor so that a cleanup
// can hold it after the last reference to the Tensor has gone.
type body struct {
	value  *ortgo.CustomDataTensor
	handle unsafe.Pointer // the library's OrtValue
	pin    runtime.Pinner // C keeps a pointer to Go memory between calls
}

func (b *body) free() {
	b.value.Destroy()
	b.pin.Unpin()
}

// NewTensor makes a tensor of zeros. Every dimension is at least 1; a scalar is
// written [1]. A Runtime must be open.
func NewTensor(t DataType, shape ...int64) (*Tensor, error) {
	n, err := byteSize(t, shape)
	if err != nil {
		return nil, fmt.Errorf("ort: new tensor %v%v: %w", t, shape, err)
	}
	// Go aligns large blocks to pages but small ones only to their size class.
	buf := make([]byte, n+align-1)
	skip := int(-uintptr(unsafe.Pointer(&buf[0])) % align)
	return newTensor(t, buf[skip:skip+n:skip+n], shape)
}

// NewTensorFor makes a tensor for a model's input or output. Values of free
// replace the free dimensions (-1) in order; all must be given.
func NewTensorFor(s Spec, free ...int64) (*Tensor, error) {
	shape, used := slices.Clone(s.Shape), 0
	for i, d := range shape {
		if d < 0 && used < len(free) {
			shape[i], used = free[used], used+1
		}
	}
	if used != len(free) || slices.Contains(shape, -1) {
		return nil, fmt.Errorf("ort: new tensor for %v: %d values given for its free dimensions", s, len(free))
	}
	return NewTensor(s.Type, shape...)
}

// NewTensorsFor makes a tensor for each of a model's inputs or outputs, in order; none if
// one cannot be made.
func NewTensorsFor(specs []Spec) (_ []*Tensor, err error) {
	out := make([]*Tensor, len(specs))
	for i, s := range specs {
		if out[i], err = NewTensorFor(s); err != nil {
			for _, t := range out[:i] {
				t.Close()
			}
			return nil, err
		}
	}
	return out, nil
}

// TensorOver lays a tensor over memory that exists, without a copy: pixels of
// a camera frame, for example. The memory must stay valid and in place until
// the tensor and every binding that uses it are closed. len(mem) must be the
// exact size in bytes, and mem aligned to the element.
func TensorOver(t DataType, mem []byte, shape ...int64) (*Tensor, error) {
	n, err := byteSize(t, shape)
	switch {
	case err != nil:
	case n != len(mem):
		err = fmt.Errorf("%d bytes of memory given, want %d", len(mem), n)
	case uintptr(unsafe.Pointer(&mem[0]))%uintptr(t.Size()) != 0:
		err = fmt.Errorf("memory is not aligned to %d bytes", t.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("ort: tensor over memory %v%v: %w", t, shape, err)
	}
	return newTensor(t, mem, shape)
}

func newTensor(t DataType, data []byte, shape []int64) (*Tensor, error) {
	b := &body{}
	b.pin.Pin(&data[0])
	v, err := ortgo.NewCustomDataTensor(shape, data, ortgo.TensorElementDataType(t))
	if err != nil {
		b.pin.Unpin()
		if !ortgo.IsInitialized() {
			err = fmt.Errorf("%w: call ort.Open first", ErrUnavailable)
		}
		return nil, fmt.Errorf("ort: new tensor %v%v: %w", t, shape, err)
	}
	b.value, b.handle = v, handleOf(v)
	out := &Tensor{dtype: t, shape: slices.Clone(shape), data: data, body: b}
	// A forgotten Close must cost nothing but time: the collector frees.
	out.stop = runtime.AddCleanup(out, (*body).free, b)
	return out, nil
}

func byteSize(t DataType, shape []int64) (int, error) {
	if t.Size() == 0 {
		return 0, fmt.Errorf("element type %v is not supported", t)
	}
	if len(shape) == 0 {
		return 0, fmt.Errorf("no dimensions: write a scalar as [1]")
	}
	n := int64(t.Size())
	for i, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("dimension %d is %d, want at least 1", i, d)
		}
		if n > math.MaxInt64/d || n*d > maxBytes {
			return 0, fmt.Errorf("larger than %d GiB", maxBytes>>30)
		}
		n *= d
	}
	return int(n), nil
}

// Type is the element type.
func (t *Tensor) Type() DataType { return t.dtype }

// Shape is a copy of the dimensions.
func (t *Tensor) Shape() []int64 { return slices.Clone(t.shape) }

// Len is the number of elements.
func (t *Tensor) Len() int { return len(t.data) / t.dtype.Size() }

// String is the type and the shape, such as float32[1 3 96 160].
func (t *Tensor) String() string { return fmt.Sprintf("%v%v", t.dtype, t.shape) }

// Close gives the memory back once no binding uses it. It may be called twice
// and ends use: the element methods panic afterwards.
func (t *Tensor) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.freeIfUnused()
	return nil
}

// retain takes the tensor for a binding, release gives it back.
func (t *Tensor) retain() (unsafe.Pointer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	t.refs++
	return t.body.handle, nil
}

func (t *Tensor) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refs--
	t.freeIfUnused()
}

func (t *Tensor) freeIfUnused() {
	if !t.closed || t.refs > 0 || t.body == nil {
		return
	}
	t.stop.Stop()
	t.body.free()
	t.body = nil
}

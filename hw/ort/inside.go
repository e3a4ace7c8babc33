package ort

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"
)

// The Go binding offers two ways to run. A DynamicAdvancedSession takes other
// tensors at each call, but allocates for each of them. An AdvancedSession
// allocates nothing, but each one loads the model again, and I/O binding
// cannot be cancelled and copies inputs to a GPU only once. What is wanted is
// several sets of tensors on one loaded model. The library's C session allows
// that, so this file makes an AdvancedSession that shares it.
//
// The fields needed are not exported. They are found by name and checked by
// type once, so that another version of the binding gives an error in Open
// instead of a crash.

// layout holds byte offsets of the binding's unexported fields.
type layout struct {
	base            uintptr // DynamicAdvancedSession.s, *AdvancedSession
	inputs, outputs uintptr // AdvancedSession, []*C.OrtValue
	handle          uintptr // ValueInternalData.ortValue, *C.OrtValue
}

var binding = sync.OnceValues(func() (l layout, err error) {
	pointer := func(t reflect.Type) bool { return t.Kind() == reflect.Pointer }
	pointers := func(t reflect.Type) bool { return t.Kind() == reflect.Slice && pointer(t.Elem()) }
	find := func(of any, name string, ok func(reflect.Type) bool) uintptr {
		f, found := reflect.TypeOf(of).FieldByName(name)
		if (!found || !ok(f.Type)) && err == nil {
			err = fmt.Errorf("this version of onnxruntime_go is not known: %T.%s is not as expected", of, name)
		}
		return f.Offset
	}
	l.base = find(ortgo.DynamicAdvancedSession{}, "s", func(t reflect.Type) bool {
		return t == reflect.TypeFor[*ortgo.AdvancedSession]()
	})
	l.inputs = find(ortgo.AdvancedSession{}, "inputs", pointers)
	l.outputs = find(ortgo.AdvancedSession{}, "outputs", pointers)
	l.handle = find(ortgo.ValueInternalData{}, "ortValue", pointer)
	return l, err
})

// share returns a session on the same loaded model with tensors of its own.
// It must not be destroyed, and must not run after dyn has been.
func share(dyn *ortgo.DynamicAdvancedSession, in, out []unsafe.Pointer) *ortgo.AdvancedSession {
	l, _ := binding() // checked by Open
	s := **(**ortgo.AdvancedSession)(unsafe.Add(unsafe.Pointer(dyn), l.base))
	*(*[]unsafe.Pointer)(unsafe.Add(unsafe.Pointer(&s), l.inputs)) = in
	*(*[]unsafe.Pointer)(unsafe.Add(unsafe.Pointer(&s), l.outputs)) = out
	return &s
}

// handleOf is the library's pointer behind a tensor.
func handleOf(v ortgo.Value) unsafe.Pointer {
	l, _ := binding() // checked by Open
	return *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(v.GetInternals()), l.handle))
}

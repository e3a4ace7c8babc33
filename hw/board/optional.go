package board

import (
	"encoding/json"
	"fmt"
)

// Optional is a value that may be missing. The zero value is no reading, which is not
// the same as a reading of zero; in JSON it is null.
type Optional[T any] struct {
	Value T
	// OK says that Value was read.
	OK bool
}

// Some is a value that was read.
func Some[T any](v T) Optional[T] { return Optional[T]{v, true} }

// String is the value, or "no reading".
func (o Optional[T]) String() string {
	if !o.OK {
		return "no reading"
	}
	return fmt.Sprint(o.Value)
}

// MarshalJSON writes null for no reading.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.OK {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON reads null as no reading.
func (o *Optional[T]) UnmarshalJSON(text []byte) error {
	*o = Optional[T]{}
	if string(text) == "null" {
		return nil
	}
	if err := json.Unmarshal(text, &o.Value); err != nil {
		return err
	}
	o.OK = true
	return nil
}

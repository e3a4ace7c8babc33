package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A file of a few megabytes can ask for gigabytes: an empty message takes two bytes in the
// file and a hundred times that in memory. So what a file would take is counted first.
const (
	// maxNesting bounds messages within messages. Graphs within attributes of graphs, as
	// deep as Check allows them, have 3 a level.
	maxNesting = 4 * maxDepth
	// messageSize is about what a message takes in memory.
	messageSize = 200
	// spare is what any file may take; beyond it, twice its own size.
	spare = 256 << 20
)

// affordable reports, as an error, a file that would take far more memory than its size,
// or that is no message at all.
func affordable(text []byte) error {
	b := budget{left: spare + 2*int64(len(text))}
	err := b.spend(text, (&Model{}).ProtoReflect().Descriptor(), 0)
	if errors.Is(err, errCostly) {
		return fmt.Errorf("%w: %d bytes that would fill more than %d MiB of memory, which no model does", ErrNotONNX, len(text), (spare+2*int64(len(text)))>>20)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotONNX, err)
	}
	return nil
}

var errCostly = errors.New("too costly")

type budget struct{ left int64 }

func (b *budget) pay(n int64) error {
	if b.left -= n; b.left < 0 {
		return errCostly
	}
	return nil
}

// spend counts one message and those in it.
func (b *budget) spend(msg []byte, d protoreflect.MessageDescriptor, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("messages nested more than %d deep", maxNesting)
	}
	if err := b.pay(messageSize); err != nil {
		return err
	}
	for len(msg) > 0 {
		number, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		size := protowire.ConsumeFieldValue(number, typ, msg[n:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := b.field(d.Fields().ByNumber(number), typ, msg[n:n+size], depth); err != nil {
			return err
		}
		msg = msg[n+size:]
	}
	return nil
}

// field counts one value. f is nil for a field that the schema does not know: it stays
// bytes.
func (b *budget) field(f protoreflect.FieldDescriptor, typ protowire.Type, value []byte, depth int) error {
	switch {
	case f == nil:
		return b.pay(2 * int64(len(value)))
	case typ != protowire.BytesType:
		return b.pay(8 * bit(f.IsList()))
	}
	body, n := protowire.ConsumeBytes(value)
	if n < 0 {
		return protowire.ParseError(n)
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		return b.spend(body, f.Message(), depth+1)
	case protoreflect.BytesKind, protoreflect.StringKind:
		return b.pay(24*bit(f.IsList()) + int64(len(body)))
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return b.pay(int64(len(body)))
	}
	// Packed integers: each takes a byte in the file at least, and all 8 in memory at most.
	numbers := int64(0)
	for _, c := range body {
		numbers += bit(c < 0x80)
	}
	return b.pay(8 * numbers)
}

// sparseNames are the names of a graph's sparse constants, which the schema leaves among
// the unknown fields: field 15, whose values are field 1, whose name is field 8.
func sparseNames(g *Graph) (names []string) {
	each(g.ProtoReflect().GetUnknown(), 15, func(sparse []byte) {
		each(sparse, 1, func(values []byte) {
			each(values, 8, func(name []byte) { names = append(names, string(name)) })
		})
	})
	return names
}

// each calls f with the values of a length-delimited field.
func each(msg []byte, want protowire.Number, f func([]byte)) {
	for len(msg) > 0 {
		number, typ, tag := protowire.ConsumeTag(msg)
		if tag < 0 {
			return
		}
		size := protowire.ConsumeFieldValue(number, typ, msg[tag:])
		if size < 0 {
			return
		}
		if number == want && typ == protowire.BytesType {
			body, _ := protowire.ConsumeBytes(msg[tag:])
			f(body)
		}
		msg = msg[tag+size:]
	}
}

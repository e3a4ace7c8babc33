package onnx_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"perceive/export/onnx"
)

// canonical writes a message with its fields in the order of their numbers, and packed
// lists as single values, without decoding it: two messages that say the same are equal
// in it, and a field that one of them lacks shows, whether the schema knows it or not.
func canonical(t *testing.T, msg []byte, d protoreflect.MessageDescriptor) []byte {
	t.Helper()
	type field struct {
		number protowire.Number
		bytes  []byte
	}
	var fields []field
	for len(msg) > 0 {
		number, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(number, typ, msg[n:])
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		value := msg[n : n+size]
		var f protoreflect.FieldDescriptor
		if d != nil {
			f = d.Fields().ByNumber(number)
		}
		switch {
		case f != nil && typ == protowire.BytesType && f.Kind() == protoreflect.MessageKind:
			body, _ := protowire.ConsumeBytes(value)
			value = protowire.AppendBytes(nil, canonical(t, body, f.Message()))
			fields = append(fields, field{number, append(protowire.AppendTag(nil, number, typ), value...)})
		case f != nil && typ == protowire.BytesType && f.IsList() && f.Kind() != protoreflect.StringKind && f.Kind() != protoreflect.BytesKind:
			one := map[protoreflect.Kind]protowire.Type{protoreflect.FloatKind: protowire.Fixed32Type, protoreflect.DoubleKind: protowire.Fixed64Type}[f.Kind()]
			for body, _ := protowire.ConsumeBytes(value); len(body) > 0; {
				m := protowire.ConsumeFieldValue(number, one, body)
				if m < 0 {
					t.Fatal(protowire.ParseError(m))
				}
				fields = append(fields, field{number, append(protowire.AppendTag(nil, number, one), body[:m]...)})
				body = body[m:]
			}
		default:
			fields = append(fields, field{number, append(protowire.AppendTag(nil, number, typ), value...)})
		}
		msg = msg[n+size:]
	}
	slices.SortStableFunc(fields, func(a, b field) int { return int(a.number - b.number) })
	var out []byte
	for _, f := range fields {
		out = append(out, f.bytes...)
	}
	return out
}

// same reports what a file loses, or gains, when it is read and written.
func same(t *testing.T, text []byte) {
	t.Helper()
	m, err := onnx.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d := m.ProtoReflect().Descriptor()
	if a, b := canonical(t, text, d), canonical(t, again, d); !bytes.Equal(a, b) {
		t.Errorf("%d bytes of fields before, %d after: a field is lost or changed", len(a), len(b))
	}
}

// Every file of other tools has the same fields after it was read and written.
func TestRoundTripKeepsEveryField(t *testing.T) {
	for _, path := range others(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			same(t, text)
		})
	}
}

// strange is a model with what the schema leaves out. Numbers are those of the
// specification's onnx.proto.
func strange(t *testing.T) []byte {
	t.Helper()
	message := func(fields ...[]byte) []byte { return bytes.Join(fields, nil) }
	field := func(n protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), body)
	}
	text := func(n protowire.Number, s string) []byte { return field(n, []byte(s)) }
	number := func(n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
	}
	tensor := func(name string, data ...byte) []byte {
		return message(number(1, 1), number(2, 1), text(8, name), field(9, data))
	}
	node := func(in, out string, more ...[]byte) []byte {
		return message(append([][]byte{text(1, in), text(2, out), text(4, "Add"), text(8, "overload"), field(9, message(text(1, "k"), text(2, "v")))}, more...)...)
	}
	sparse := message(field(1, tensor("sparse", 0, 0, 128, 63)), field(2, message(number(1, 1), number(2, 7), text(8, "i"))), number(3, 4))
	packed := message(text(1, "packed"), field(8, []byte{1, 2, 3}), number(20, 7)) // a list as other writers pack it
	typed := message(text(1, "typed"), field(14, message(field(4, message(number(1, 1))))), number(20, 13))
	graph := message(
		field(1, node("x", "y", field(5, packed), field(5, typed), text(1, "sparse"))),
		text(2, "g"),
		field(15, sparse),
		field(14, message(text(1, "y"), field(2, message(text(1, "SCALE_TENSOR"), text(2, "s"))))), // quantisation
		field(16, message(text(1, "gk"), text(2, "gv"))),
		field(11, message(text(1, "x"), field(2, message(field(4, message(number(1, 1))))))), // a sequence
		field(12, message(text(1, "y"))))
	function := message(text(1, "F"), text(4, "in"), text(5, "out"), field(7, node("in", "out")), field(9, number(2, 17)), text(10, "f"), field(11, packed))
	training := message(field(1, graph), field(2, graph), field(3, message(text(1, "a"), text(2, "b"))))
	return message(number(1, 10), field(7, graph), field(8, message(text(1, ""), number(2, 17))), field(8, message(text(1, "f"), number(2, 1))),
		field(14, message(text(1, "author"), text(2, "another tool"))), field(20, training), field(25, function), field(26, text(1, "device")))
}

func TestRoundTripOfWhatTheSchemaLeavesOut(t *testing.T) {
	text := strange(t)
	same(t, text)
	m, err := onnx.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	// The sparse constant is a value like any other.
	if err := onnx.Check(m); err != nil {
		t.Error(err)
	}
}

// A tensor whose data lies elsewhere survives, and is refused by name where it is needed.
func TestExternalData(t *testing.T) {
	m := model(relu("x", "y"))
	c := onnx.NewTensorFloat32("big", []int64{1 << 20}, nil)
	c.RawData = nil
	c.DataLocation = onnx.Tensor_EXTERNAL.Enum()
	c.ExternalData = []*onnx.StringEntry{{Key: proto.String("location"), Value: proto.String("../weights.bin")}, {Key: proto.String("offset"), Value: proto.String("4096")}}
	m.Graph.Initializer = append(m.Graph.Initializer, c)
	text, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	same(t, text)
	if err := onnx.Check(m); err == nil || !strings.Contains(err.Error(), `"big"`) || !strings.Contains(err.Error(), "weights.bin") {
		t.Errorf("error %v, want one that names the constant and its file", err)
	}
}

// Files over 2 GiB are refused before they are read.
func TestTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.onnx")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(onnx.MaxSize + 1); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	if _, err := onnx.Load(path); err == nil || !strings.Contains(err.Error(), "larger than 2047 MiB") {
		t.Errorf("error %v", err)
	}
}

// A few megabytes that would fill gigabytes are refused, and cost little until then.
func TestHostileFilesStaySmall(t *testing.T) {
	wrap := func(n protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), body)
	}
	head := []byte{8, 8}
	deep := []byte{}
	for range 400 {
		deep = wrap(6, wrap(1, wrap(5, deep))) // an attribute's graph, a node, its attribute
	}
	for name, text := range map[string][]byte{
		"four million empty nodes": append(head, wrap(7, bytes.Repeat([]byte{10, 0}, 4<<20))...),
		"sixty million integers":   append(head, wrap(7, wrap(5, wrap(7, make([]byte, 60<<20))))...),
		"twenty million names":     append(head, wrap(7, wrap(1, bytes.Repeat([]byte{10, 0}, 20<<20)))...),
		"graphs in graphs":         append(head, wrap(7, wrap(1, wrap(5, deep)))...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := onnx.Parse(text)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("read")
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
				t.Errorf("%d bytes taken to refuse it", got)
			}
		})
	}
}

// FuzzRoundTrip: what can be read says the same after it was written, and signing,
// checking and inferring end without a panic.
func FuzzRoundTrip(f *testing.F) {
	good, _ := onnx.Marshal(model(relu("x", "y")))
	f.Add(good)
	f.Add(append(bytes.Clone(good), 0xa2, 1, 2, 8, 1))
	small, _ := filepath.Glob("../../../shared/data/onnx/*/*.onnx")
	for _, path := range small {
		if text, err := os.ReadFile(path); err == nil && len(text) < 40<<10 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := onnx.Parse(text)
		if err != nil {
			return
		}
		onnx.Check(m)
		onnx.InferShapes(m)
		onnx.Upgrade(proto.CloneOf(m))
		again, err := onnx.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := onnx.Parse(again)
		if err != nil {
			t.Fatal(err)
		}
		third, err := onnx.Marshal(back)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatal(fmt.Errorf("written twice, it is not the same: %w", err))
		}
	})
}

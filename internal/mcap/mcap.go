// Package mcap writes and reads MCAP, the container for time-stamped messages of many channels
// that robotics tools open. It follows the public specification (mcap.dev/spec) in what a
// recording of a vehicle needs: schemas, channels, messages in chunks, and the indexes that
// let a tool seek. Attachments and metadata are passed over by the reader and never written.
package mcap

import (
	"encoding/binary"
	"errors"
	"time"
)

// Magic begins and ends a file.
const Magic = "\x89MCAP0\r\n"

// Opcodes of records.
const (
	opHeader        = 0x01
	opFooter        = 0x02
	opSchema        = 0x03
	opChannel       = 0x04
	opMessage       = 0x05
	opChunk         = 0x06
	opMessageIndex  = 0x07
	opChunkIndex    = 0x08
	opStatistics    = 0x0b
	opSummaryOffset = 0x0e
	opDataEnd       = 0x0f
)

// recordHead is the opcode and the length that a record's content follows.
const recordHead = 1 + 8

// ErrTruncated reports a file that ended in the middle, as a crash or a pulled plug leaves it.
// What came before is good.
var ErrTruncated = errors.New("mcap: cut short: the file ends within its data; all that came before is good")

// Schema says how the messages of a channel are to be understood.
type Schema struct {
	// Name is what tools know the type by, such as "foxglove.CompressedImage".
	Name string
	// Encoding is the schema language, such as "jsonschema".
	Encoding string
	Data     []byte
}

// Channel is a stream of messages of one kind.
type Channel struct {
	Topic string
	// Encoding is that of the messages, such as "json".
	Encoding string
	Schema   Schema
}

// Message is one message of a channel.
type Message struct {
	Sequence uint32
	// Logged is when it was recorded, Published when what it is about happened.
	Logged, Published time.Time
	Data              []byte
}

var le = binary.LittleEndian

func appendString[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(le.AppendUint32(b, uint32(len(s))), s...)
}

// begin appends the head of a record whose length end fills in.
func begin(b []byte, op byte) ([]byte, int) {
	b = append(b, op, 0, 0, 0, 0, 0, 0, 0, 0)
	return b, len(b)
}

// end fills in the length of the record whose content began at from.
func end(b []byte, from int) []byte {
	le.PutUint64(b[from-8:], uint64(len(b)-from))
	return b
}

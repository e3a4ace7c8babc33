package mcap

import (
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Writer writes a file: messages are gathered in chunks, and Flush writes the chunk. It is
// used by one goroutine at a time.
//
// A write that fails changes nothing in the Writer: who can cut the output back to Size may
// call Flush or Close again.
type Writer struct {
	w     io.Writer
	zstd  *zstd.Encoder // nil: not compressed
	size  int64         // written whole
	crc   uint32        // of what was written
	out   []byte        // what is being written
	chunk chunk

	channels []channel
	schemas  []Schema
	chunks   []byte // the ChunkIndex records of what was written
	nChunks  uint32
	first    uint64 // log times over the file, nanoseconds
	last     uint64
	messages uint64
}

// channel is a channel and what was written of it.
type channel struct {
	Channel
	schema  uint16
	count   uint64
	written bool   // its records are in a chunk
	index   []byte // of the present chunk: pairs of log time and offset
}

// chunk is messages that are not written yet.
type chunk struct {
	records     []byte
	first, last uint64
	messages    uint64
}

// Compression of chunks, as the specification names it.
const (
	None = ""
	Zstd = "zstd"
)

// NewWriter starts a file on w. The library names the program that writes.
func NewWriter(w io.Writer, library, compression string) (*Writer, error) {
	m := &Writer{w: w}
	switch compression {
	case None:
	case Zstd:
		var err error
		if m.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest)); err != nil {
			return nil, fmt.Errorf("mcap: %w", err)
		}
	default:
		return nil, fmt.Errorf("mcap: compression %q: want none or zstd", compression)
	}
	b, at := begin(append(m.out, Magic...), opHeader)
	b = appendString(b, "") // no profile
	b = end(appendString(b, library), at)
	return m, m.write(b)
}

// Size is the length of what was written whole, in bytes.
func (m *Writer) Size() int64 { return m.size }

// Pending is the length of the chunk that is not written yet, in bytes before compression.
func (m *Writer) Pending() int { return len(m.chunk.records) }

// AddChannel makes a channel and returns its number. A schema that an earlier channel has
// is not written twice.
func (m *Writer) AddChannel(c Channel) (int, error) {
	if len(m.channels) >= 1<<16-1 {
		return 0, fmt.Errorf("mcap: channel %q: a file has 65535 at most", c.Topic)
	}
	m.channels = append(m.channels, channel{Channel: c, schema: m.schema(c.Schema)})
	return len(m.channels) - 1, nil
}

// schema is the number of a schema, 0 of none.
func (m *Writer) schema(s Schema) uint16 {
	if s.Name == "" {
		return 0
	}
	i := slices.IndexFunc(m.schemas, func(o Schema) bool { return o.Name == s.Name && o.Encoding == s.Encoding })
	if i < 0 {
		i = len(m.schemas)
		m.schemas = append(m.schemas, s)
	}
	return uint16(i + 1)
}

// Add puts a message into the chunk. It copies the data, and cannot fail.
func (m *Writer) Add(n int, msg *Message) {
	c, k := &m.channels[n], &m.chunk
	if !c.written { // within the chunk, so that a reader that starts at one knows its first messages
		if c.schema != 0 {
			k.records = appendSchema(k.records, c.schema, &c.Channel.Schema)
		}
		k.records = appendChannel(k.records, uint16(n), c)
		c.written = true
	}
	logged := uint64(msg.Logged.UnixNano())
	c.index = le.AppendUint64(le.AppendUint64(c.index, logged), uint64(len(k.records)))
	b, at := begin(k.records, opMessage)
	b = le.AppendUint16(b, uint16(n))
	b = le.AppendUint32(b, msg.Sequence)
	b = le.AppendUint64(b, logged)
	b = le.AppendUint64(b, uint64(msg.Published.UnixNano()))
	k.records = end(append(b, msg.Data...), at)
	if k.messages == 0 {
		k.first, k.last = logged, logged
	}
	k.first, k.last = min(k.first, logged), max(k.last, logged)
	k.messages++
}

// Flush writes the chunk, if there is anything in it, with the indexes of its messages.
func (m *Writer) Flush() error {
	k := &m.chunk
	if k.messages == 0 {
		return nil
	}
	b, at := begin(m.out[:0], opChunk)
	b = le.AppendUint64(b, k.first)
	b = le.AppendUint64(b, k.last)
	b = le.AppendUint64(b, uint64(len(k.records)))
	b = le.AppendUint32(b, crc32.ChecksumIEEE(k.records))
	b = appendString(b, m.compression())
	sizeAt := len(b)
	b = le.AppendUint64(b, 0)
	if m.zstd != nil {
		b = m.zstd.EncodeAll(k.records, b)
	} else {
		b = append(b, k.records...)
	}
	compressed := uint64(len(b) - sizeAt - 8)
	le.PutUint64(b[sizeAt:], compressed)
	b = end(b, at)
	length := uint64(len(b))
	var offsets []byte
	for n := range m.channels {
		if index := m.channels[n].index; len(index) > 0 {
			offsets = le.AppendUint64(le.AppendUint16(offsets, uint16(n)), uint64(m.size)+uint64(len(b)))
			b, at = begin(b, opMessageIndex)
			b = end(appendString(le.AppendUint16(b, uint16(n)), index), at)
		}
	}
	start := uint64(m.size)
	indexes := uint64(len(b)) - length
	if err := m.write(b); err != nil {
		return err
	}
	m.index(start, length, offsets, indexes, compressed)
	return nil
}

// index remembers the chunk that was written, and starts a new one.
func (m *Writer) index(start, length uint64, offsets []byte, indexes, compressed uint64) {
	k := &m.chunk
	b, at := begin(m.chunks, opChunkIndex)
	for _, v := range []uint64{k.first, k.last, start, length} {
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint64(appendString(b, offsets), indexes)
	b = appendString(b, m.compression())
	b = le.AppendUint64(b, compressed)
	m.chunks = end(le.AppendUint64(b, uint64(len(k.records))), at)
	if m.nChunks == 0 {
		m.first = k.first
	}
	m.first, m.last = min(m.first, k.first), max(m.last, k.last)
	m.nChunks++
	m.messages += k.messages
	for n := range m.channels {
		c := &m.channels[n]
		c.count += uint64(len(c.index) / 16)
		c.index = c.index[:0]
	}
	*k = chunk{records: k.records[:0]}
}

func (m *Writer) compression() string {
	if m.zstd != nil {
		return Zstd
	}
	return None
}

// write writes all of b, and keeps its memory.
func (m *Writer) write(b []byte) error {
	m.out = b[:0]
	if _, err := m.w.Write(b); err != nil {
		return fmt.Errorf("mcap: %w", err)
	}
	m.size += int64(len(b))
	m.crc = crc32.Update(m.crc, crc32.IEEETable, b)
	return nil
}

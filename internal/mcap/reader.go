package mcap

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"time"

	"github.com/klauspost/compress/zstd"
)

// MaxRecord is the longest record that is read, in bytes, before and after compression. A
// chunk of this package's own has a few MB.
const MaxRecord = 64 << 20

// reader is a file that is being read.
type reader struct {
	r        io.Reader
	at       int64 // offset in the file, for messages
	buf      bytes.Buffer
	zstd     *zstd.Decoder
	plain    []byte // a chunk without its compression
	schemas  map[uint16]Schema
	channels map[uint16]*Channel
	yield    func(*Channel, *Message) bool
	stopped  bool
}

// Read gives a file's messages in the order they were written, each with its channel. Both
// are valid until the next one. It needs no index, so it reads what a crash left, too: stop
// is nil after a whole file, and wraps ErrTruncated after one that was cut short. Any other
// error says what is wrong and where.
func Read(r io.Reader) (messages iter.Seq2[*Channel, *Message], stop func() error) {
	var err error
	seq := func(yield func(*Channel, *Message) bool) {
		m := &reader{r: r, schemas: map[uint16]Schema{}, channels: map[uint16]*Channel{}, yield: yield}
		err = m.run()
		if m.zstd != nil {
			m.zstd.Close()
		}
	}
	return seq, func() error { return err }
}

func (m *reader) run() error {
	magic := make([]byte, len(Magic))
	if _, err := io.ReadFull(m.r, magic); err != nil || string(magic) != Magic {
		if err == io.ErrUnexpectedEOF && bytes.HasPrefix([]byte(Magic), bytes.TrimRight(magic, "\x00")) {
			return ErrTruncated
		}
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			return errors.New("mcap: this is no MCAP file: it does not begin with its magic bytes")
		}
		return fmt.Errorf("mcap: %w", err)
	}
	m.at = int64(len(Magic))
	for !m.stopped {
		op, content, err := m.record()
		if err != nil {
			return err
		}
		if op == opDataEnd {
			return nil
		}
		if err := m.take(op, content, true); err != nil {
			return fmt.Errorf("mcap: record at byte %d: %w", m.at-int64(len(content))-recordHead, err)
		}
	}
	return nil
}

// record reads one record. Memory grows with what really comes, not with what a head claims.
func (m *reader) record() (byte, []byte, error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(m.r, head[:]); err != nil {
		return 0, nil, m.cut(err)
	}
	n := le.Uint64(head[1:])
	if n > MaxRecord {
		return 0, nil, fmt.Errorf("mcap: record at byte %d claims %d bytes, at most %d are read", m.at, n, MaxRecord)
	}
	m.buf.Reset()
	if _, err := io.CopyN(&m.buf, m.r, int64(n)); err != nil {
		return 0, nil, m.cut(err)
	}
	m.at += recordHead + int64(n)
	return head[0], m.buf.Bytes(), nil
}

// cut is a failed read in words; m.at is where the last whole record ends.
func (m *reader) cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w (at byte %d)", ErrTruncated, m.at)
	}
	return fmt.Errorf("mcap: %w", err)
}

// take takes one record; chunks are opened at the outer level alone.
func (m *reader) take(op byte, content []byte, outer bool) error {
	f := fields{b: content}
	switch op {
	case opSchema:
		id := f.u16()
		s := Schema{Name: string(f.text()), Encoding: string(f.text()), Data: bytes.Clone(f.text())}
		if f.short {
			return errors.New("a schema that is shorter than its fields")
		}
		m.schemas[id] = s
	case opChannel:
		return m.takeChannel(&f)
	case opMessage:
		return m.takeMessage(&f)
	case opChunk:
		if !outer {
			return errors.New("a chunk in a chunk")
		}
		return m.takeChunk(&f)
	}
	return nil // the specification asks to pass over what one does not know
}

func (m *reader) takeChannel(f *fields) error {
	id, schema := f.u16(), f.u16()
	c := &Channel{Topic: string(f.text()), Encoding: string(f.text())}
	if f.short {
		return errors.New("a channel that is shorter than its fields")
	}
	if schema != 0 { // 0 is a channel without one
		s, ok := m.schemas[schema]
		if !ok {
			return fmt.Errorf("channel %q has schema %d, which did not come before it", c.Topic, schema)
		}
		c.Schema = s
	}
	m.channels[id] = c
	return nil
}

func (m *reader) takeMessage(f *fields) error {
	c, ok := m.channels[f.u16()]
	msg := &Message{Sequence: f.u32()}
	msg.Logged, msg.Published = time.Unix(0, int64(f.u64())), time.Unix(0, int64(f.u64()))
	msg.Data = f.b
	if f.short {
		return errors.New("a message that is shorter than its fields")
	}
	if !ok {
		return errors.New("a message of a channel that did not come before it")
	}
	m.stopped = m.stopped || !m.yield(c, msg)
	return nil
}

func (m *reader) takeChunk(f *fields) error {
	f.u64() // times
	f.u64()
	size, crc := f.u64(), f.u32()
	compression, packed := string(f.text()), f.u64()
	if f.short || packed > uint64(len(f.b)) {
		return errors.New("a chunk that is shorter than its fields")
	}
	records := f.b[:packed]
	if size > MaxRecord {
		return fmt.Errorf("a chunk of %d bytes, at most %d are read", size, MaxRecord)
	}
	switch compression {
	case None:
	case Zstd:
		var err error
		if records, err = m.inflate(records); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a chunk with compression %q: none and zstd are read", compression)
	}
	if uint64(len(records)) != size {
		return fmt.Errorf("a chunk has %d bytes and claims %d", len(records), size)
	}
	if got := crc32.ChecksumIEEE(records); crc != 0 && got != crc { // 0 is no checksum
		return fmt.Errorf("a chunk is damaged: its checksum is %08x, not %08x", got, crc)
	}
	for len(records) > 0 && !m.stopped {
		if len(records) < recordHead {
			return errors.New("a chunk ends within a record")
		}
		n := le.Uint64(records[1:])
		if n > uint64(len(records)-recordHead) {
			return errors.New("a chunk ends within a record")
		}
		if err := m.take(records[0], records[recordHead:][:n:n], false); err != nil {
			return err
		}
		records = records[recordHead+n:]
	}
	return nil
}

func (m *reader) inflate(packed []byte) ([]byte, error) {
	if m.zstd == nil {
		var err error
		m.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxRecord))
		if err != nil {
			return nil, err
		}
	}
	var err error
	if m.plain, err = m.zstd.DecodeAll(packed, m.plain[:0]); err != nil {
		return nil, fmt.Errorf("a chunk that zstd cannot read: %w", err)
	}
	return m.plain, nil
}

// fields takes a record's content apart. After the end everything is zero, and short is set.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.b, f.short = nil, true
		return make([]byte, 8)[:min(n, 8)]
	}
	v := f.b[:n]
	f.b = f.b[n:]
	return v
}

func (f *fields) u16() uint16 { return le.Uint16(f.take(2)) }
func (f *fields) u32() uint32 { return le.Uint32(f.take(4)) }
func (f *fields) u64() uint64 { return le.Uint64(f.take(8)) }

func (f *fields) text() []byte {
	n := f.u32()
	if uint64(n) > uint64(len(f.b)) {
		f.b, f.short = nil, true
		return nil
	}
	return f.take(int(n))
}

package publish

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"perceive/camera/opencv"
	"perceive/internal/mcap"
	"perceive/perception"
)

// MCAPOptions are what recordings look like.
type MCAPOptions struct {
	FileOptions
	// Compression of chunks: mcap.None or mcap.Zstd.
	Compression string
	// Quality of pictures, JPEG's 1 to 100; 0 means 80.
	Quality int
}

// chunkBytes is when a chunk is written, if flushTime has not passed before: longer ones hardly
// compress better.
const chunkBytes = 1 << 20

// recorder writes results and pictures to a series of MCAP files.
type recorder struct {
	*series
	o       MCAPOptions
	program string
	head    *heading
	began   time.Time

	out      *mcap.Writer // nil between files
	topics   map[topic]int
	pictures encodings
}

// topic is a channel of a file.
type topic struct {
	kind   string // "header", "events", "results", "image"
	source string
}

// encodings is memory of one picture on its way.
type encodings struct{ jpeg, message []byte }

// NewMCAP makes an output that records to PREFIX-000001.mcap and so on, and with o.PictureRate
// pictures, too. What is recorded is on the disk within a second, or as soon as there is room.
func NewMCAP(m MCAPOptions, h perception.Header, o Options) (*Queue, error) {
	if m.Quality == 0 {
		m.Quality = 80
	}
	if m.Compression != mcap.None && m.Compression != mcap.Zstd {
		return nil, fmt.Errorf("publish: mcap: compression %q: want none or zstd", m.Compression)
	}
	s, err := newSeries(m.FileOptions, ".mcap")
	if err != nil {
		return nil, err
	}
	head, err := newHeading(h)
	if err != nil {
		return nil, err
	}
	return NewQueue(&recorder{series: s, o: m, program: h.Program, head: head, began: time.Now()}, h, o)
}

// Write implements Writer. Nothing of a line is taken unless all of it is.
func (r *recorder) Write(line []byte, m *Meta) error {
	if m.newer(r.head.n) { // its file begins with the header of its model
		if err := r.Close(); err != nil {
			return err
		}
		r.head = m.head
	}
	if err := r.room(); err != nil {
		return err
	}
	kind, source := "results", m.Source
	if m.Kind == Event {
		kind, source = "events", ""
	}
	captured := m.Captured
	if captured.IsZero() {
		captured = m.Sent
	}
	msg := mcap.Message{Sequence: uint32(m.Seq), Logged: m.Sent, Published: captured, Data: line[:len(line)-1]}
	if err := r.add(topic{kind, source}, &msg); err != nil {
		return err
	}
	if m.Picture == nil {
		return nil
	}
	data, err := r.pictures.image(m, captured, r.o.Quality)
	if err != nil { // the same picture would fail again
		text, err := appendEvent(nil, "picture", m.Sent, map[string]any{"source": m.Source, "seq": m.Seq, "reason": err.Error()})
		msg.Data = bytes.TrimSpace(text)
		return errors.Join(err, r.add(topic{"events", ""}, &msg))
	}
	msg.Data = data
	return r.add(topic{"image", m.Source}, &msg)
}

// room sees to a file that can take a message.
func (r *recorder) room() error {
	if r.out != nil && r.out.Pending() >= chunkBytes {
		if err := r.Flush(); err != nil {
			return err
		}
	}
	if r.out != nil && r.out.Pending() == 0 && r.out.Size() >= r.MaxBytes {
		if err := r.Close(); err != nil {
			return err
		}
	}
	if r.out != nil {
		return nil
	}
	return r.begin()
}

// begin starts a file with what is said once.
func (r *recorder) begin() error {
	if err := r.next(); err != nil {
		return err
	}
	w, err := mcap.NewWriter(r.series, r.program, r.o.Compression)
	if err != nil {
		return errors.Join(err, r.series.close())
	}
	r.out, r.topics = w, map[topic]int{}
	return r.add(topic{"header", ""}, &mcap.Message{Logged: time.Now(), Published: r.began, Data: r.head.line[:len(r.head.line)-1]})
}

// add puts a message into the chunk.
func (r *recorder) add(t topic, m *mcap.Message) error {
	n, ok := r.topics[t]
	if !ok {
		var err error
		if n, err = r.out.AddChannel(t.channel()); err != nil {
			return err
		}
		r.topics[t] = n
	}
	r.out.Add(n, m)
	return nil
}

// channel describes a topic. Where a source has no name its level is left out.
func (t topic) channel() mcap.Channel {
	name := "/perceive/"
	if t.source != "" {
		name += t.source + "/"
	}
	schema := mcap.Schema{Name: "perceive.Result", Encoding: "jsonschema", Data: ResultSchema}
	switch t.kind {
	case "image":
		schema.Name, schema.Data = "foxglove.CompressedImage", []byte(imageSchema)
	case "header":
		schema.Name, schema.Data = "perceive.Header", []byte(openSchema)
	case "events":
		schema.Name, schema.Data = "perceive.Event", []byte(openSchema)
	}
	return mcap.Channel{Topic: name + t.kind, Encoding: "json", Schema: schema}
}

// Flush implements Flusher.
func (r *recorder) Flush() error {
	if r.out == nil {
		return nil
	}
	return r.out.Flush()
}

// Close implements Writer, and completes one file of the series. A file whose end the disk does
// not take stays as a crash would leave it: whole up to its last chunk.
func (r *recorder) Close() error {
	if r.out == nil {
		return nil
	}
	err := r.out.Close()
	r.out = nil
	return errors.Join(err, r.series.close())
}

// image makes the message of a picture, as tools display it.
func (e *encodings) image(m *Meta, at time.Time, quality int) ([]byte, error) {
	var err error
	if e.jpeg, err = opencv.AppendJPEG(e.jpeg[:0], m.Picture.Width, m.Picture.Height, m.Picture.Pix, quality); err != nil {
		return nil, err
	}
	b := append(e.message[:0], `{"timestamp":{"sec":`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"nsec":`...), int64(at.Nanosecond()), 10)
	source, err := json.Marshal(m.Source)
	if err != nil {
		return nil, err
	}
	b = append(append(b, `},"frame_id":`...), source...)
	b = base64.StdEncoding.AppendEncode(append(b, `,"format":"jpeg","data":"`...), e.jpeg)
	e.message = append(b, `"}`...)
	return e.message, nil
}

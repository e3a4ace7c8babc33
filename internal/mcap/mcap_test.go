package mcap_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"perceive/internal/mcap"
)

// write makes a file of two channels with n messages, a chunk for every three.
func write(t testing.TB, compression string, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := mcap.NewWriter(&b, "test", compression)
	if err != nil {
		t.Fatal(err)
	}
	schema := mcap.Schema{Name: "thing", Encoding: "jsonschema", Data: []byte(`{"type":"object"}`)}
	for _, topic := range []string{"/a", "/b"} {
		if _, err := w.AddChannel(mcap.Channel{Topic: topic, Encoding: "json", Schema: schema}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		at := time.Unix(1000, int64(i))
		w.Add(i%2, &mcap.Message{Sequence: uint32(i), Logged: at, Published: at.Add(-time.Millisecond), Data: fmt.Appendf(nil, `{"i":%d}`, i)})
		if i%3 == 2 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(b.Len()) {
		t.Errorf("Size says %d of %d bytes", w.Size(), b.Len())
	}
	return b.Bytes()
}

// count reads a file and checks that its messages are those of write, from the first on.
func count(t testing.TB, file []byte) (int, error) {
	t.Helper()
	n := 0
	messages, stop := mcap.Read(bytes.NewReader(file))
	for c, m := range messages {
		at := time.Unix(1000, int64(n))
		if c.Topic != []string{"/a", "/b"}[n%2] || c.Encoding != "json" || c.Schema.Name != "thing" || string(c.Schema.Data) != `{"type":"object"}` {
			t.Errorf("message %d has channel %+v", n, c)
		}
		if string(m.Data) != fmt.Sprintf(`{"i":%d}`, n) || m.Sequence != uint32(n) || !m.Logged.Equal(at) || !m.Published.Equal(at.Add(-time.Millisecond)) {
			t.Errorf("message %d is %+v", n, m)
		}
		n++
	}
	return n, stop()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, compression := range []string{mcap.None, mcap.Zstd} {
		for _, n := range []int{0, 1, 10} {
			if got, err := count(t, write(t, compression, n)); err != nil || got != n {
				t.Errorf("%q: %d of %d messages, %v", compression, got, n, err)
			}
		}
	}
}

// A file that was cut anywhere in its data gives whole chunks, and says that it was cut.
func TestCutFile(t *testing.T) {
	file := write(t, mcap.None, 9)
	end := bytes.LastIndex(file, []byte{0x0f, 4, 0, 0, 0, 0, 0, 0, 0}) // DataEnd
	last := 0
	for n := range end {
		got, err := count(t, file[:n])
		if n > 0 && !errors.Is(err, mcap.ErrTruncated) {
			t.Fatalf("cut at %d of %d: %v", n, len(file), err)
		}
		if got < last || got%3 != 0 {
			t.Fatalf("cut at %d: %d messages, %d when cut before", n, got, last)
		}
		last = got
	}
	if last != 9 {
		t.Errorf("cut at the end of the data: %d messages", last)
	}
}

func TestDamageIsFound(t *testing.T) {
	file := write(t, mcap.None, 9)
	at := bytes.Index(file, []byte(`{"i":4}`))
	file[at+5] = '5'
	n, err := count(t, file)
	if n != 3 || err == nil || !strings.Contains(err.Error(), "checksum") || errors.Is(err, mcap.ErrTruncated) {
		t.Errorf("%d messages, %v", n, err)
	}
	if _, err := count(t, []byte("RIFF....AVI ")); err == nil || !strings.Contains(err.Error(), "no MCAP") {
		t.Error(err)
	}
}

// full is a disk that has no room for the next n writes, and takes half of each.
type full struct {
	bytes.Buffer
	fail int
}

func (f *full) Write(b []byte) (int, error) {
	if f.fail > 0 {
		f.fail--
		f.Buffer.Write(b[:len(b)/2])
		return len(b) / 2, errors.New("no room")
	}
	return f.Buffer.Write(b)
}

// A write that failed can be done again once the output is cut back.
func TestWriterGoesOnAfterAFailure(t *testing.T) {
	f := &full{}
	w, err := mcap.NewWriter(f, "test", mcap.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	schema := mcap.Schema{Name: "thing", Encoding: "jsonschema", Data: []byte(`{"type":"object"}`)}
	for _, topic := range []string{"/a", "/b"} {
		w.AddChannel(mcap.Channel{Topic: topic, Encoding: "json", Schema: schema})
	}
	for i := range 8 {
		at := time.Unix(1000, int64(i))
		w.Add(i%2, &mcap.Message{Sequence: uint32(i), Logged: at, Published: at.Add(-time.Millisecond), Data: fmt.Appendf(nil, `{"i":%d}`, i)})
		f.fail = i % 3
		for w.Flush() != nil {
			f.Truncate(int(w.Size()))
		}
	}
	f.fail = 1
	if w.Close() == nil {
		t.Fatal("nothing failed")
	}
	f.Truncate(int(w.Size()))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := count(t, f.Bytes()); n != 8 || err != nil {
		t.Errorf("%d messages, %v", n, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, mcap.None, 5))
	f.Add(write(f, mcap.Zstd, 5))
	f.Add(write(f, mcap.Zstd, 0))
	f.Fuzz(func(t *testing.T, file []byte) {
		messages, stop := mcap.Read(bytes.NewReader(file))
		for c, m := range messages {
			if c == nil || m == nil {
				t.Fatal("a message without a channel")
			}
		}
		if err := stop(); err != nil && err.Error() == "" {
			t.Fatal("an error without a text")
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	w, err := mcap.NewWriter(&bytes.Buffer{}, "bench", mcap.None)
	if err != nil {
		b.Fatal(err)
	}
	n, _ := w.AddChannel(mcap.Channel{Topic: "/a", Encoding: "json"})
	msg := &mcap.Message{Logged: time.Now(), Published: time.Now(), Data: make([]byte, 1000)}
	b.ReportAllocs()
	for b.Loop() {
		w.Add(n, msg)
		if w.Pending() > 1<<20 {
			w.Flush()
		}
	}
}

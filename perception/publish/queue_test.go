package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"perceive/camera"
	"perceive/perception"
	"perceive/perception/publish"
)

// field is a text or number of a line.
func field(t testing.TB, line []byte, key string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	switch v := m[key].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
}

func ok(seq int) *perception.Result {
	return &perception.Result{Seq: uint64(seq), Time: time.Duration(seq) * 100 * time.Millisecond, Status: perception.OK,
		Answers: []perception.Answer{{P: .9, State: perception.On}, {P: .1, State: perception.Off}}}
}

// eventually waits for what other goroutines do.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after 30 s", what)
		}
	}
}

// A writer that stands still holds up nobody. The oldest lines go, a line in their place says how
// many, and everything is accounted for.
func TestQueueLosesTheOldestAndSaysSo(t *testing.T) {
	w := &still{release: make(chan struct{})}
	q, err := publish.NewQueue(w, head, publish.Options{Name: "still", Lines: 8})
	must(t, q, err)
	q.Emit(t.Context(), ok(0), nil)
	eventually(t, "the first line is in the writer's hands", func() bool { return q.Stats().Waiting == 0 })
	const n = 100
	for i := 1; i < n; i++ {
		q.Emit(t.Context(), ok(i), nil)
	}
	if s := q.Stats(); s.Waiting != 7 || s.Dropped != n-1-7 {
		t.Errorf("stats %+v", s)
	}
	close(w.release)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if len(w.lines) != 1+1+7 || field(t, []byte(w.lines[1]), "event") != "lost" || field(t, []byte(w.lines[1]), "count") != "92" ||
		field(t, []byte(w.lines[2]), "seq") != "93" || field(t, []byte(w.lines[8]), "seq") != "99" {
		t.Errorf("lines:\n%s", strings.Join(w.lines, ""))
	}
	if s := q.Stats(); s.Written+s.Dropped != n || s.Written != 8 {
		t.Errorf("stats %+v", s)
	}
	q.Emit(t.Context(), ok(n), nil) // a caller's mistake, and no panic
	if s := q.Stats(); s.Dropped != n-8+1 {
		t.Errorf("stats %+v", s)
	}
}

// broken fails while it is told to.
type broken struct {
	still
	fails atomic.Bool
}

func (b *broken) Write(line []byte, m *publish.Meta) error {
	if b.fails.Load() {
		return errors.New("out of order")
	}
	return b.still.Write(line, m)
}

func newBroken() *broken {
	b := &broken{}
	b.release = make(chan struct{})
	close(b.release)
	return b
}

// A line that could not be written is written when the trouble is over; until then it is known.
func TestQueueTriesAgain(t *testing.T) {
	w := newBroken()
	w.fails.Store(true)
	q, err := publish.NewQueue(w, head, publish.Options{Name: "broken"})
	must(t, q, err)
	for i := range 5 {
		q.Emit(t.Context(), ok(i), nil)
	}
	eventually(t, "the trouble is known", func() bool { return q.Stats().Error == "out of order" })
	w.fails.Store(false)
	eventually(t, "all is written", func() bool { return q.Stats().Written == 5 })
	if s := q.Stats(); s.Error != "" || s.Dropped != 0 {
		t.Errorf("stats %+v", s)
	}
	if err := q.Close(); err != nil || len(w.lines) != 5 {
		t.Error(err, w.lines)
	}
}

// Shutdown ends in time and says what is missing, whether the writer fails or stands still.
func TestQueueShutdownHasADeadline(t *testing.T) {
	w := newBroken()
	w.fails.Store(true)
	stuck := &still{release: make(chan struct{})}
	defer close(stuck.release)
	for want, w := range map[string]publish.Writer{"3 lines were not written in time: out of order": w, "3 lines are lost": stuck} {
		q, err := publish.NewQueue(w, head, publish.Options{Name: "broken"})
		must(t, q, err)
		for i := range 3 {
			q.Emit(t.Context(), ok(i), nil)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := q.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		cancel()
	}
}

// Pictures come at their rate for each source, however its frames fall, and only while there is
// memory; the lines come without them.
func TestPicturesComeAtTheirRate(t *testing.T) {
	q, err := publish.NewQueue(newBroken(), head, publish.Options{Name: "pictures", Lines: 1000, PictureRate: 5, Pictures: 1000})
	must(t, q, err)
	f := camera.NewFrame(8, 8, nil)
	for i := range 300 { // 10 s
		for _, source := range []string{"front", "rear"} {
			r := ok(i)
			r.Source, r.Time = source, time.Duration(i)*time.Second/30+time.Duration(i%3)*time.Millisecond
			q.Emit(t.Context(), r, f)
		}
	}
	q.Close()
	if s := q.Stats(); s.Pictures < 98 || s.Pictures > 102 || s.Written != 600 {
		t.Errorf("stats %+v, want 50 pictures of each source", s)
	}
	w := &still{release: make(chan struct{})}
	q, err = publish.NewQueue(w, head, publish.Options{Name: "pictures", PictureRate: 10, Pictures: 2})
	must(t, q, err)
	for i := range 10 {
		q.Emit(t.Context(), ok(i), f)
	}
	close(w.release)
	q.Close()
	if s := q.Stats(); s.Pictures != 2 || s.PicturesDropped != 8 || s.Written != 10 {
		t.Errorf("stats %+v", s)
	}
}

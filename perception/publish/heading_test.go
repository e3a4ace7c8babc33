package publish_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"perceive/hw"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/publish"
	"perceive/perception/record"
)

// other is the header of another model with the same labels.
func other() perception.Header {
	h := head
	h.Model = perception.HeaderModel{Name: "other", Version: "2", GraphSHA256: "beef"}
	h.Labels = []perception.HeaderLabel{{Label: "bright", Threshold: .25}, {Label: "red", Threshold: .75}}
	return h
}

// change gives an output two results of each of two models.
func change(t testing.TB, o publish.Output) {
	t.Helper()
	for i := range 2 {
		o.Emit(t.Context(), ok(i), nil)
	}
	if err := o.Model(other()); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		o.Emit(t.Context(), ok(2+i), nil)
	}
}

// by reads a recording and names the models of its frames: "0 1 other:2 other:3".
func by(t testing.TB, r io.Reader) string {
	t.Helper()
	rec, err := record.NewReader(r, "test")
	must(t, rec, err)
	var out []string
	for e, err := range rec.All() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Result == nil {
			continue
		}
		name := fmt.Sprint(e.Result.Seq)
		if m := rec.Header.Model.Name; m != "" {
			name = m + ":" + name
		}
		if got, want := rec.Header.Labels[0].Threshold, map[string]float32{"": .5, "other": .25}[rec.Header.Model.Name]; got != want {
			t.Errorf("frame %s: threshold %g, want %g", name, got, want)
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// Another model begins another file, whose header is that model's.
func TestFilesBeginAnewWithAModel(t *testing.T) {
	dir := t.TempDir()
	q, err := publish.NewFiles(publish.FileOptions{Dir: dir}, head, publish.Options{Name: "file"})
	must(t, q, err)
	change(t, q)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"0 1", "other:2 other:3"}
	names := list(t, dir)
	if len(names) != len(want) {
		t.Fatalf("files %v", names)
	}
	for i, name := range names {
		h, _, err := record.ReadFile(name)
		if got := by(t, strings.NewReader(read(t, dir, filepath.Base(name)))); got != want[i] || err != nil || h.Model.Name != []string{"", "other"}[i] {
			t.Errorf("%s, of model %q: %s, want %s (%v)", name, h.Model.Name, got, want[i], err)
		}
	}
}

func TestRecordingsBeginAnewWithAModel(t *testing.T) {
	dir := t.TempDir()
	q, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: publish.FileOptions{Dir: dir}}, head, publish.Options{Name: "mcap"})
	must(t, q, err)
	change(t, q)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range list(t, dir) {
		messages, stop := mcap.Read(strings.NewReader(read(t, dir, filepath.Base(name))))
		for c, m := range messages {
			switch c.Schema.Name {
			case "perceive.Header":
				var h perception.Header
				if err := json.Unmarshal(m.Data, &h); err != nil {
					t.Error(err)
				}
				got = append(got, "header of "+h.Model.Name)
			case "perceive.Result":
				got = append(got, field(t, m.Data, "seq"))
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"header of ", "0", "1", "header of other", "2", "3"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// reluctant is a stream that takes nothing until it is let, and of its first line only a part.
type reluctant struct {
	mu   sync.Mutex
	b    bytes.Buffer
	part bool
}

func (r *reluctant) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.part {
		r.part = true
		r.b.Write(b[:len(b)/2])
		return len(b) / 2, errors.New("no more for now")
	}
	return r.b.Write(b)
}

// The word on a model stands before its results also where its line was lost: a stream says it,
// and a file has its header.
func TestModelIsSaidThoughItsLineWasLost(t *testing.T) {
	w := &reluctant{}
	w.mu.Lock()
	stream, err := publish.NewStream(w, head, publish.Options{Name: "stream", Lines: 4})
	must(t, stream, err)
	for i := range 3 {
		stream.Emit(t.Context(), ok(i), nil)
	}
	change(t, stream)
	for i := range 20 {
		stream.Emit(t.Context(), ok(4+i), nil)
	}
	w.mu.Unlock()
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	text := w.b.String()
	if got := by(t, strings.NewReader(text)); !strings.HasSuffix(got, "other:22 other:23") || strings.Count(text, `"event":"model"`) != 1 {
		t.Errorf("%s\n%s", got, text)
	}

	d := &disk{files: map[string][]byte{}} // without room
	files, err := publish.NewFiles(publish.FileOptions{Disk: d}, head, publish.Options{Name: "file", Lines: 4})
	must(t, files, err)
	change(t, files)
	for i := range 20 {
		files.Emit(t.Context(), ok(4+i), nil)
	}
	d.set(1 << 20)
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, name := range d.save(t) {
		text, err := os.ReadFile(name)
		last = by(t, bytes.NewReader(must(t, text, err)))
	}
	if !strings.HasSuffix(last, "other:22 other:23") {
		t.Errorf("the last file has %s", last)
	}
}

// A client that is there gets the word on a model in its place; one that comes later gets the header
// of that model first.
func TestClientsKnowTheirModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := publish.NewSocket(path, head, publish.Options{Name: "socket"}, 0)
	must(t, s, err)
	first, firstLines := dial(t, path)
	defer first.Close()
	if got := line(t, firstLines); strings.Contains(string(got), "other") {
		t.Errorf("%s", got)
	}
	change(t, s)
	var all []string
	for range 5 {
		all = append(all, string(line(t, firstLines)))
	}
	if field(t, []byte(all[1]), "seq") != "1" || field(t, []byte(all[2]), "event") != "model" || field(t, []byte(all[3]), "seq") != "2" || strings.Count(strings.Join(all, ""), `"model"`) != 2 {
		t.Errorf("%s", all)
	}
	second, secondLines := dial(t, path)
	defer second.Close()
	var h perception.Header
	if err := json.Unmarshal(line(t, secondLines), &h); err != nil || h.Model.Name != "other" {
		t.Errorf("%v: the second client's header is of %q", err, h.Model.Name)
	}
	s.Emit(t.Context(), ok(4), nil)
	if got := line(t, secondLines); field(t, got, "seq") != "4" {
		t.Errorf("%s", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	e, server := serve(t, publish.Options{Name: "events"}, 0)
	early := bufio.NewReader(get(t, server.URL).Body)
	line(t, early)
	change(t, e)
	for l := ""; !strings.Contains(l, `"seq":3`); l = string(line(t, early)) {
	}
	late := bufio.NewReader(get(t, server.URL).Body)
	line(t, late)
	if got := string(line(t, late)); !strings.HasPrefix(got, "data: ") || !strings.Contains(got, `"name":"other"`) {
		t.Errorf("%s", got)
	}
}

// What runs is said by one line of the metrics.
func TestMetricsSayTheModel(t *testing.T) {
	m := publish.NewMetrics(head, time.Second)
	h := other() // on the CPU, because CUDA could not be had
	h.Provider = hw.ProviderReport{Requested: hw.CUDA, Used: hw.CPU, Policy: hw.Prefer, Degraded: true, Measured: &hw.Assignment{Nodes: map[hw.Provider]int{hw.CPU: 72}}}
	m.Model(h)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	if want := `perceive_info{graph="beef",model="other",program="test",provider="cpu",requested="cuda",version="2"} 1`; strings.Count(text, "perceive_info{") != 1 || !strings.Contains(text, want) {
		t.Errorf("no %s in\n%s", want, text)
	}
	for _, want := range []string{"perceive_provider_degraded 1", `perceive_provider_nodes{provider="cpu"} 72`, "go_memstats_heap_inuse_bytes ", "process_resident_memory_bytes ", "go_threads "} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %sin the metrics", want)
		}
	}
}

package publish_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"perceive/perception/publish"
	"perceive/perception/record"
)

// seqs are the frames of a file that must be whole, and the counts of its "lost" events.
func seqs(t testing.TB, path string) (frames []uint64, lost []string) {
	t.Helper()
	_, entries, err := record.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if e.Result != nil {
			frames = append(frames, e.Result.Seq)
		} else if e.Event.Kind == "lost" {
			lost = append(lost, field(t, e.Event.Fields, "count"))
		}
	}
	return frames, lost
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Files are begun at their length, each with the header; the oldest go; a later run goes on with
// the next number and counts the files of the one before.
func TestFilesRotate(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "perceive-note.jsonl"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := publish.FileOptions{Dir: dir, MaxBytes: 2000, MaxFiles: 3}
	for run := range 2 {
		q, err := publish.NewFiles(o, head, publish.Options{Name: "files"})
		must(t, q, err)
		for i := range 40 {
			q.Emit(t.Context(), ok(100*run+i), nil)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
	names := list(t, dir)
	if len(names) != 4 || names[3] != filepath.Join(dir, "perceive-note.jsonl") {
		t.Fatalf("files %v", names)
	}
	var all []uint64
	for _, name := range names[:3] {
		info, err := os.Stat(name)
		if err != nil || info.Size() > o.MaxBytes {
			t.Errorf("%s: %d bytes, %v", name, info.Size(), err)
		}
		frames, _ := seqs(t, name)
		all = append(all, frames...)
	}
	if len(all) < 10 || all[len(all)-1] != 139 || !slices.IsSorted(all) || all[len(all)-1]-all[0] != uint64(len(all)-1) {
		t.Errorf("frames %v", all)
	}
	if names[0] == filepath.Join(dir, "perceive-000001.jsonl") {
		t.Error("the oldest is still there")
	}
}

// A disk that is full, at the header or in the middle of a line, is said, costs what the queue
// cannot hold, and is forgotten when there is room.
func TestFilesSurviveAFullDisk(t *testing.T) {
	for _, room := range []int{0, 10, 1000, 1001, 1050} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			d := &disk{files: map[string][]byte{}, room: room}
			fillAndGoOn(t, publish.FileOptions{Dir: "/x", Disk: d}, func() { d.set(1 << 20) })
			names := d.save(t)
			if len(names) != 1 {
				t.Fatal(names)
			}
			frames, lost := seqs(t, names[0])
			checkGap(t, frames, lost)
		})
	}
}

// fillAndGoOn emits 100 results to a queue of 20 while there is little room, and 10 after it.
func fillAndGoOn(t *testing.T, o publish.FileOptions, makeRoom func()) {
	t.Helper()
	q, err := publish.NewFiles(o, head, publish.Options{Name: "files", Lines: 20})
	must(t, q, err)
	emit := func(i int) { q.Emit(t.Context(), ok(i), nil) }
	emit(0)
	for i := 1; q.Stats().Error == ""; i++ { // however much room there is
		if i == 10 {
			t.Fatal("the disk is not full")
		}
		eventually(t, "a line is written, or refused", func() bool {
			return q.Stats().Waiting == 0 && (q.Stats().Written == uint64(i) || q.Stats().Error != "")
		})
		if q.Stats().Error == "" {
			emit(i)
		}
	}
	if e := q.Stats().Error; !strings.Contains(e, "no space left") {
		t.Errorf("error %q", e)
	}
	for i := 10; i < 100; i++ {
		emit(i)
	}
	makeRoom()
	eventually(t, "it goes on", func() bool { s := q.Stats(); return s.Error == "" && s.Waiting == 0 })
	for i := 100; i < 110; i++ {
		emit(i)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if s := q.Stats(); s.Dropped == 0 || s.Error != "" {
		t.Errorf("stats %+v", s)
	}
}

// checkGap checks that results are in order, the newest there, and the gap said.
func checkGap(t *testing.T, frames []uint64, lost []string) {
	t.Helper()
	if !slices.IsSorted(frames) || frames[0] != 0 || frames[len(frames)-1] != 109 || !slices.Contains(frames, 99) || len(lost) != 1 {
		t.Errorf("frames %v, lost %v", frames, lost)
	}
}

// Where part of a line cannot be cut off, writing goes on in another file.
func TestFilesLeaveADamagedFile(t *testing.T) {
	d := &disk{files: map[string][]byte{}, room: 700, cutting: true}
	q, err := publish.NewFiles(publish.FileOptions{Dir: "/x", Disk: d}, head, publish.Options{Name: "files"})
	must(t, q, err)
	for i := range 20 {
		q.Emit(t.Context(), ok(i), nil)
	}
	eventually(t, "the trouble is known", func() bool { return q.Stats().Error != "" })
	d.set(1 << 20)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	names := d.save(t)
	_, entries, err := record.ReadFile(names[0])
	if !errors.Is(err, record.ErrCut) {
		t.Error(err)
	}
	// Between the two there may be files that were cut within their header.
	frames, _ := seqs(t, names[len(names)-1])
	if len(names) < 2 || len(entries)+len(frames) != 20 {
		t.Errorf("%d files, %d and %d results", len(names), len(entries), len(frames))
	}
}

// The same on a real file system that is full.
func TestFilesSurviveAFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 60<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(ballast, os.O_APPEND|os.O_WRONLY, 0)
	must(t, f, err)
	for err == nil {
		_, err = f.Write(make([]byte, 1<<10))
	}
	f.Close()
	fillAndGoOn(t, publish.FileOptions{Dir: dir}, func() { os.Remove(ballast) })
	frames, lost := seqs(t, filepath.Join(dir, "perceive-000001.jsonl"))
	checkGap(t, frames, lost)
}

func TestFilesRefuseWhatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]publish.FileOptions{
		file:               {Dir: filepath.Join(file, "below")},
		`prefix "a/b"`:     {Dir: t.TempDir(), Prefix: "a/b"},
		"must be positive": {Dir: t.TempDir(), MaxBytes: -1},
	} {
		if _, err := publish.NewFiles(o, head, publish.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A run that is killed leaves whole lines and, of MCAP, whole chunks; the next goes on beside it.
func TestFilesSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	for run := 1; run <= 2; run++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := cmd.StdoutPipe()
		must(t, out, err)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Fscanln(out, &n); err != nil || n == 0 {
			t.Errorf("%d results, %v", n, err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		_, entries, err := record.ReadFile(filepath.Join(dir, fmt.Sprintf("perceive-%06d.jsonl", run)))
		if len(entries) < n || err != nil && !errors.Is(err, record.ErrCut) {
			t.Errorf("run %d: %d of %d results, %v", run, len(entries), n, err)
		}
		results, images, err := messages(t, filepath.Join(dir, fmt.Sprintf("perceive-%06d.mcap", run)))
		if results < n || images == 0 || !isCut(err) {
			t.Errorf("run %d: %d of %d results and %d pictures in the MCAP file, %v", run, results, n, images, err)
		}
	}
}

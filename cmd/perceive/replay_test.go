package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/internal/realdata"
	"perceive/models"
	"perceive/perception/model"
	"perceive/perception/replay"
)

// program builds the program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "perceive")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// hashOf is the hash that a replay printed.
func hashOf(t *testing.T, out string) string {
	t.Helper()
	_, hash, ok := strings.Cut(out, "results sha256 ")
	if !ok {
		t.Fatalf("no hash: %q", out)
	}
	return strings.Fields(hash)[0]
}

// The built program on a real drive: with any GOMAXPROCS, and killed in the middle and started
// again, the same bytes.
func TestReplayIsTheSameAfterAKill(t *testing.T) {
	drive := realdata.Path(t, "videos/stop_sign_approach_srd1092.mp4")
	bin, dir := program(t), t.TempDir()
	start := func(out string, procs string, args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(bin, append([]string{"replay", drive, "--out", filepath.Join(dir, out)}, args...)...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+procs)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &said
	}
	var hashes []string
	for _, procs := range []string{"1", "3"} {
		cmd, said := start("whole"+procs, procs, "-q")
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		hashes = append(hashes, hashOf(t, said.String()))
	}
	cmd, _ := start("killed", "2", "--speed", "2x")
	part := filepath.Join(dir, "killed"+replay.Part)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(part)
		if bytes.Count(text, []byte("\n")) > 60 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it writes nothing")
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	cmd, said := start("killed", "2")
	if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), "goes on behind") {
		t.Fatalf("%v: %s", err, said)
	}
	hashes = append(hashes, hashOf(t, said.String()))
	for i, h := range hashes {
		if h != hashes[0] {
			t.Errorf("run %d: %s, the first %s", i, h, hashes[0])
		}
	}
	a, _ := os.ReadFile(filepath.Join(dir, "whole1"))
	b, _ := os.ReadFile(filepath.Join(dir, "killed"))
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("other bytes")
	}
}

// exported is a model file whose largest weight was changed by 1 % and that an export has made
// whole again: with its hash and with the golden results that it gives.
func exported(t *testing.T, file []byte) []byte {
	t.Helper()
	m, err := onnx.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	man, err := models.FromMetadata(m.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range m.GetGraph().GetInitializer() {
		v, err := w.Float32s()
		if err != nil || len(v) < 1000 {
			continue
		}
		at := 0
		for i := range v {
			if v[i]*v[i] > v[at]*v[at] {
				at = i
			}
		}
		v[at] *= 1.01
		changed := onnx.NewTensorFloat32(w.GetName(), w.GetDims(), v)
		proto.Reset(w)
		proto.Merge(w, changed)
		break
	}
	whole := func() []byte {
		text, err := man.JSON()
		if err != nil {
			t.Fatal(err)
		}
		m.SetMetadata(models.MetadataKey, string(text))
		out, err := onnx.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if man.GraphSHA256, err = onnx.GraphSHA256(whole()); err != nil {
		t.Fatal(err)
	}
	loaded, err := model.New(orttest.Runtime(t), whole(), man, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	lane, err := loaded.NewLane()
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range man.Golden {
		pix, err := g.Pixels(man.Input.Width, man.Input.Height)
		if err != nil {
			t.Fatal(err)
		}
		copy(lane.Input, pix)
		if err := lane.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		man.Golden[i].Probabilities = append([]float32(nil), lane.Probabilities...)
	}
	return whole()
}

// One weight changed by 1 %, in a file that proves itself: the golden comparison finds it, names
// the first frame and shows it.
func TestReplayFindsAChangedWeight(t *testing.T) {
	drive := realdata.Path(t, "videos/stop_sign_approach_srd1092.mp4")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("changed.onnx"), exported(t, models.Road), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := perceive(t, "replay", drive, "-q", "--golden", at("g.jsonl"), "--update", "the first"); code != exitOK {
		t.Fatal(errOut)
	}
	if code, out, errOut := perceive(t, "replay", drive, "-q", "--golden", at("g.jsonl")); code != exitOK {
		t.Fatalf("not as its own golden: %s%s", out, errOut)
	}
	code, out, errOut := perceive(t, "replay", drive, "-q", "--golden", at("g.jsonl"), "--model", at("changed.onnx"), "--report", at("report"))
	if code != exitFailed || !strings.Contains(out, "first: frame ") || !strings.Contains(out, "model: golden") || !strings.Contains(errOut, "frame") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	for _, name := range []string{"index.html", "car.svg", replay.FirstPicture} {
		if _, err := os.Stat(at("report/" + name)); err != nil {
			t.Error(err)
		}
	}
}

// A folder of videos ends in a table; started again, the journal knows them; what is damaged fails
// and stops nobody.
func TestReplayManyRecordings(t *testing.T) {
	dir := files(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	os.Mkdir(at("videos"), 0o755)
	for from, to := range map[string]string{"drive.mkv": "videos/1.mkv", "cut.mkv": "videos/3.mkv"} {
		if err := os.Rename(at(from), at(to)); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, at("videos/1.mkv"), at("videos/2.mkv"))
	copyFile(t, at("text.mp4"), at("videos/notes.txt"))
	args := []string{"replay", at("videos"), "--out", at("out"), "--model", at("tiny.onnx"), "--workers", "2", "--memory", "100"}
	code, first, errOut := perceive(t, args...)
	if code != exitFailed || !strings.Contains(errOut, "1 of 3 recordings failed") || !strings.Contains(errOut, "notes.txt") || !strings.Contains(first, "cut short") {
		t.Fatalf("exit code %d:\n%s%s", code, first, errOut)
	}
	one, _ := os.ReadFile(at("out/1.jsonl"))
	if bytes.Count(one, []byte("\n")) != 61 {
		t.Errorf("recording 1: %d lines", bytes.Count(one, []byte("\n")))
	}
	os.Remove(at("videos/3.mkv"))
	code, again, errOut := perceive(t, args...)
	if code != exitOK || strings.Count(again, "before") != 2 {
		t.Errorf("exit code %d:\n%s%s", code, again, errOut)
	}
	os.Mkdir(at("goldens"), 0o755)
	copyFile(t, at("out/1.jsonl"), at("goldens/1.jsonl"))
	copyFile(t, at("out/2.jsonl"), at("goldens/2.jsonl"))
	if code, out, errOut := perceive(t, append(args, "--golden", at("goldens"))...); code != exitOK || strings.Count(out, replay.Good) != 2 {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
	if code, out, _ := perceive(t, append(args, "--golden", at("none"))...); code != exitFailed || strings.Count(out, "no golden") != 2 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// The drop pattern of a recording is repeated: lost frames are lost, and skipped ones skipped.
func TestReplayDrops(t *testing.T) {
	dir := files(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	args := []string{"replay", at("drive.mkv"), "-q", "--no-guards", "--model", at("tiny.onnx"), "--out"}
	if code, _, errOut := perceive(t, append(args, at("all.jsonl"))...); code != exitOK {
		t.Fatal(errOut)
	}
	text, err := os.ReadFile(at("all.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	road := strings.SplitAfter(string(text), "\n")[:41]
	unknown := `"labels":[{"label":"bright","state":"unknown"},{"label":"red","state":"unknown"}]}` + "\n"
	road[6] = `{"seq":5,"t_ms":200,"status":"dropped","reason":"a newer frame came",` + unknown
	road[8] = `{"seq":7,"t_ms":280,"status":"skipped","reason":"hot",` + unknown
	if err := os.WriteFile(at("road.jsonl"), []byte(strings.Join(road, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := perceive(t, append(args, at("again.jsonl"), "--drops", at("road.jsonl"))...); code != exitOK {
		t.Fatal(errOut)
	}
	got := lines(t, at("again.jsonl"))
	if len(got) != 41 {
		t.Fatalf("%d lines, and the road had 40 frames", len(got)-1)
	}
	for i, r := range got[1:] {
		want := map[int]string{5: "dropped", 7: "skipped"}[i]
		if want == "" {
			want = "ok"
		}
		if r["status"] != want {
			t.Errorf("frame %d is %v, want %s", i, r["status"], want)
		}
	}
}

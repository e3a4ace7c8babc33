package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"perceive/camera/opencv"
	"perceive/export/onnx"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model/modeltest"
)

// TestMain keeps decoded pictures out of the user's cache.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "perceive")
	if err == nil {
		err = os.Setenv("XDG_CACHE_HOME", dir)
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// perceive runs the program.
func perceive(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// files makes the inputs that the table below names, in one folder.
func files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	picture := func(img image.Image, asPNG bool) []byte {
		var b bytes.Buffer
		err := jpeg.Encode(&b, img, nil)
		if asPNG {
			b.Reset()
			err = png.Encode(&b, img)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	r := image.Rect(0, 0, 64, 48)
	colour := image.NewRGBA(r)
	for i := range colour.Pix {
		colour.Pix[i] = byte(i * 5)
	}
	deep := image.NewGray16(r)
	deep.SetGray16(3, 3, color.Gray16{Y: 40000})
	put("mixed/1.jpg", picture(colour, false))
	put("mixed/2-grey.png", picture(image.NewGray(r), true))
	put("mixed/3-16bit.png", picture(deep, true))
	put("mixed/4-empty.jpg", nil)
	put("mixed/5-cut.jpg", picture(colour, false)[:300])
	put("mixed/6-other-size.png", picture(image.NewRGBA(image.Rect(0, 0, 30, 90)), true))
	put("mixed/7-text.png", []byte("this is no picture"))

	video := filepath.Join(dir, "drive.mkv")
	w, err := opencv.CreateVideo(video, 160, 96, 25)
	if err != nil {
		t.Fatal(err)
	}
	pix := make([]byte, 3*160*96)
	for i := range 60 {
		for j := range pix {
			pix[j] = byte(i*j>>6 + j%7*i)
		}
		if err := w.Write(pix); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(video)
	if err != nil {
		t.Fatal(err)
	}
	put("cut.mkv", whole[:len(whole)*2/3])
	put("empty.mp4", nil)
	put("text.mp4", bytes.Repeat([]byte("no video\n"), 200))
	put("text.onnx", []byte("no model"))

	bare, err := onnx.Marshal(modeltest.Graph(t))
	if err != nil {
		t.Fatal(err)
	}
	put("bare.onnx", bare)
	put("tiny.onnx", modeltest.File(t, nil))
	put("shape.onnx", modeltest.File(t, func(m *models.Manifest) { m.Input.Height, m.Golden = 32, nil }))
	sidecar, err := modeltest.Manifest(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	put("tiny.json", sidecar)
	put("bad.json", []byte(`{"schema":1,"colour":"pink"}`))
	put("changed.onnx", onePercent(t, models.Road))

	put("labels.jsonl", []byte(`{"path":"mixed/1.jpg","labels":{"car":1}}`))
	put("broken.jsonl", []byte(`{"path":"mixed/1.jpg","labels":{"car":7}}`))
	put("config.yaml", []byte("step: 3\n"))
	return dir
}

// onePercent changes one weight of a model by 1 %.
func onePercent(t *testing.T, file []byte) []byte {
	t.Helper()
	m, err := onnx.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range m.GetGraph().GetInitializer() {
		v, err := w.Float32s()
		if err != nil || len(v) < 1000 {
			continue
		}
		v[0] *= 1.01
		changed := onnx.NewTensorFloat32(w.GetName(), w.GetDims(), v)
		proto.Reset(w)
		proto.Merge(w, changed)
		break
	}
	out, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestExitCodesAndReasons(t *testing.T) {
	dir := files(t)
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args string // % is the folder
		code int
		says string // of standard error
	}{
		{"no such command", "fly", exitUsage, "fly"},
		{"no source", "run", exitUsage, "--source"},
		{"an unknown provider", "run --source %/drive.mkv --provider npu", exitUsage, "npu"},
		{"an unknown policy", "run --source %/drive.mkv --policy hope", exitUsage, "hope"},
		{"no such file", "run --source %/none.mp4", exitFailed, "%/none.mp4: no such file"},
		{"an empty video", "run --source %/empty.mp4", exitFailed, "%/empty.mp4: empty file"},
		{"no video", "run --source %/text.mp4", exitFailed, "%/text.mp4: not a video"},
		{"a camera with a wrong key", "run --source /dev/video0?colour=1", exitUsage, "colour"},
		{"a policy that is none", "run --source http://camera/?policy=some", exitUsage, "newest or every"},
		{"a folder without pictures", "run --source %/locked", exitFailed, "no pictures"},
		{"a scene with a wrong key", "run --source scene://?colour=1", exitUsage, "colour"},
		{"no such model", "run --source %/drive.mkv --model %/none.onnx", exitFailed, "%/none.onnx: no such file"},
		{"a model that is none", "run --source %/drive.mkv --model %/text.onnx", exitFailed, "%/text.onnx: model: onnx: not an ONNX model"},
		{"a model without a contract", "run --source %/drive.mkv --model %/bare.onnx", exitFailed, "perceive export"},
		{"a model of another shape", "run --source %/drive.mkv --model %/shape.onnx", exitFailed, "[1 32 16 3]"},
		{"one weight changed by 1 %", "run --source %/drive.mkv --model %/changed.onnx", exitFailed, "not the one that was exported"},
		{"a contract that is none", "run --source %/drive.mkv --model %/bare.onnx --manifest %/bad.json", exitUsage, "colour"},
		{"a contract of its own", "run --source %/drive.mkv --model %/bare.onnx --manifest %/tiny.json", exitOK, "60 frames (60 ok)"},
		{"a folder that is not there", "run --source %/drive.mkv --out %/no/d.jsonl", exitFailed, "%/no/d.jsonl: no such file or directory"},
		{"a disk that is full", "run --source %/drive.mkv --out /dev/full", exitFailed, "no space left"}, // a device, which stays one
		{"a video of no known kind", "run --source %/drive.mkv --annotate %/a.gif", exitFailed, ".mp4"},
		{"a video in a folder that is not there", "run --source %/drive.mkv --annotate %/no/a.mp4", exitFailed, "no such file or directory"},
		{"CUDA, required", "run --source %/drive.mkv --provider cuda", exitFailed, "cuda"},
		{"data of no known kind", "train --data voc:x --out %/r", exitUsage, "coco, jsonl"},
		{"data with an unknown option", "train --data scene:5?colour=1 --out %/r", exitUsage, "colour"},
		{"an empty source", "run --source=", exitUsage, "--source"},
		{"a million threads", "run --source %/drive.mkv --threads 1000000", exitUsage, "threads"},
		{"minus three threads", "run --source %/drive.mkv --threads=-3", exitUsage, "threads"},
		{"no parity frames", "export --run %/mixed --data jsonl:%/labels.jsonl --out %/m.onnx --frames=-1", exitUsage, "--frames"},
		{"a threshold rule that is none", "export --run %/mixed --data jsonl:%/labels.jsonl --out %/m.onnx --threshold-rule best", exitUsage, "youden, f1, precision=P"},
		{"a recall of 2", "export --run %/mixed --data jsonl:%/labels.jsonl --out %/m.onnx --threshold-rule recall=2", exitUsage, `"2"`},
		{"the source as output", "run --source %/drive.mkv --out %/drive.mkv", exitUsage, "the source"},
		{"the source as annotated video", "run --source %/cut.mkv --annotate %/cut.mkv", exitUsage, "the source"},
		{"one file for two outputs", "run --source %/drive.mkv --out %/x.mp4 --annotate %/x.mp4", exitUsage, "both"},
		{"a label twice", "train --data jsonl:%/labels.jsonl --labels car,car --out %/r", exitUsage, "twice"},
		{"data that is not there", "train --data jsonl:%/none.jsonl --out %/r", exitFailed, "%/none.jsonl"},
		{"a label of 7", "train --data jsonl:%/broken.jsonl --labels car --out %/r", exitFailed, `line 1: key "labels": "car" is 7`},
		{"labels that the data does not have", "train --data jsonl:%/labels.jsonl --labels tram --out %/r", exitFailed, `label "tram" is unknown in all`},
		{"a setting that does not exist", "train --data jsonl:%/labels.jsonl --labels car --config %/config.yaml --out %/r", exitUsage, "step"},
		{"minus one steps", "train --data jsonl:%/labels.jsonl --labels car --steps=-1 --out %/r", exitUsage, "steps"},
		{"too little to hold out", "train --data jsonl:%/labels.jsonl --labels car --out %/r", exitFailed, "--val"},
		{"a run that is none", "export --run %/mixed --data jsonl:%/labels.jsonl --out %/m.onnx", exitFailed, "best.ckpt"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, errOut := perceive(t, strings.Fields(strings.ReplaceAll(tc.args, "%", dir))...)
			want := strings.ReplaceAll(tc.says, "%", dir)
			if tc.name == "one weight changed by 1 %" {
				want = tc.says
			}
			if code != tc.code || !strings.Contains(errOut, want) {
				t.Errorf("exit code %d, want %d; says %q, want %q", code, tc.code, errOut, want)
			}
		})
	}
}

// lines reads a recording: every line must be whole.
func lines(t *testing.T, path string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for i, l := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%s: line %d: %v: %q", path, i+1, err, l)
		}
		out = append(out, m)
	}
	return out
}

// Good and bad pictures of all kinds in one folder: one line each, and the bad ones
// are named.
func TestRunOnMixedPictures(t *testing.T) {
	dir := files(t)
	out := filepath.Join(dir, "d.jsonl")
	code, _, errOut := perceive(t, "run", "--source", filepath.Join(dir, "mixed"), "--out", out, "--annotate", filepath.Join(dir, "a.mp4"))
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	got := lines(t, out)
	if len(got) != 8 || got[0]["schema"] != float64(perception.ResultSchema) {
		t.Fatalf("%d lines, want a header and 7: %v", len(got), got[0])
	}
	for i, want := range []string{"ok", "ok", "ok", "4-empty.jpg", "5-cut.jpg", "ok", "7-text.png"} {
		r := got[i+1]
		reason, _ := r["reason"].(string)
		if want == "ok" && r["status"] != "ok" || want != "ok" && (r["status"] != "unreadable" || !strings.Contains(reason, want)) {
			t.Errorf("picture %d: %v, want %s", i+1, r, want)
		}
	}
	src, err := opencv.OpenVideo(filepath.Join(dir, "a.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i := range 7 {
		f, err := src.Next(context.Background())
		if err != nil {
			t.Fatalf("frame %d of the annotated video: %v", i, err)
		}
		f.Release()
	}
}

// A recording that is cut short fails, and keeps what came before.
func TestRunOnACutVideo(t *testing.T) {
	dir := files(t)
	out, video := filepath.Join(dir, "d.jsonl"), filepath.Join(dir, "a.mp4")
	code, _, errOut := perceive(t, "run", "--source", filepath.Join(dir, "cut.mkv"), "--out", out, "--annotate", video)
	if code != exitFailed || !strings.Contains(errOut, "cut short") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if n := len(lines(t, out)); n < 20 || n > 60 {
		t.Errorf("%d lines", n)
	}
	src, err := opencv.OpenVideo(video)
	if err != nil {
		t.Fatal(err)
	}
	src.Close()
}

// With prefer, a provider that is not there is replaced, and the recording says so.
func TestPreferSaysWhy(t *testing.T) {
	dir := files(t)
	out := filepath.Join(dir, "d.jsonl")
	code, _, errOut := perceive(t, "run", "--source", filepath.Join(dir, "drive.mkv"), "--model", filepath.Join(dir, "tiny.onnx"), "--out", out, "--provider", "cuda", "--policy", "prefer")
	if code != exitOK || !strings.Contains(errOut, "degraded") {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	p, _ := lines(t, out)[0]["provider"].(map[string]any)
	if p["requested"] != "cuda" || p["used"] != "cpu" || p["degraded"] != true || p["reason"] == "" {
		t.Errorf("header says %v", p)
	}
}

// Two runs over the same drive are the same, byte by byte.
func TestRunIsRepeatable(t *testing.T) {
	dir := files(t)
	var texts [2]string
	for i := range texts {
		code, out, errOut := perceive(t, "run", "--source", filepath.Join(dir, "drive.mkv"), "--out", "-", "--quiet")
		if code != exitOK {
			t.Fatalf("exit code %d: %s", code, errOut)
		}
		texts[i] = out
	}
	if texts[0] != texts[1] || len(texts[0]) < 1000 {
		t.Errorf("two runs differ, or say little:\n%.300s\n%.300s", texts[0], texts[1])
	}
}

// Every command explains itself.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"run", "--help"}, {"train", "--help"}, {"eval", "--help"}, {"export", "--help"}, {"compare", "--help"}, {"models", "--help"}, {"models", "show", "--help"}, {"models", "verify", "--help"}, {"models", "sign", "--help"}, {"models", "keygen", "--help"}, {"doctor", "--help"}, {"prepare", "--help"}} {
		code, out, _ := perceive(t, args...)
		if code != exitOK || !strings.Contains(out, "Usage: perceive") {
			t.Errorf("%v: exit code %d: %.80s", args, code, out)
		}
	}
}

func TestDoctor(t *testing.T) {
	code, out, errOut := perceive(t, "doctor")
	if code != exitOK {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"OpenCV", "golden results met", "cuda", "tensorrt", fmt.Sprint(goldens)} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/models"
	"perceive/perception/model/modeltest"
)

// fromElsewhere puts a model of another tool and its contract into a folder: float32
// [1,3,16,16] to the mean of each plane.
func fromElsewhere(t *testing.T, dir string) {
	t.Helper()
	opset := int64(11)
	m := &onnx.Model{IrVersion: proto.Int64(6), OpsetImport: []*onnx.OperatorSet{{Version: &opset}}, Graph: &onnx.Graph{Name: proto.String("g"),
		Node:   []*onnx.Node{onnx.NewNode("GlobalAveragePool", "", []string{"data"}, []string{"scores"})},
		Input:  []*onnx.ValueInfo{onnx.NewValueInfo("data", onnx.Tensor_FLOAT, 1, 3, 16, 16)},
		Output: []*onnx.ValueInfo{onnx.NewValueInfo("scores", onnx.Tensor_FLOAT, 1, 3, 1, 1)}}}
	if err := onnx.Save(filepath.Join(dir, "theirs.onnx"), m); err != nil {
		t.Fatal(err)
	}
	const contract = `schema: 1
name: theirs
input: {name: data, type: float32, layout: NCHW, color: RGB, width: 16, height: 16, fit: stretch, scale: 0.00392156862745098, mean: [0, 0, 0], std: [1, 1, 1]}
outputs: {kind: picture, names: [scores], axis: 1, first: 0, activation: none}
labels:
  - {id: red, class: 0, threshold: 0.5}
`
	for name, text := range map[string]string{"theirs.yaml": contract, "bad.yaml": strings.Replace(contract, "mean: [0, 0, 0], ", "", 1),
		"size.yaml": strings.Replace(contract, "width: 16", "width: 32", 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// check runs the program on a line in which % is the folder.
func check(t *testing.T, dir, args string, code int, says ...string) string {
	t.Helper()
	got, out, errOut := perceive(t, strings.Fields(strings.ReplaceAll(args, "%", dir))...)
	for _, s := range says {
		if !strings.Contains(out+errOut, strings.ReplaceAll(s, "%", dir)) {
			t.Errorf("perceive %s: lacks %q:\n%s%s", args, s, out, errOut)
		}
	}
	if got != code {
		t.Errorf("perceive %s: exit code %d, want %d: %s%s", args, got, code, out, errOut)
	}
	return out
}

func TestModelsSignAndVerify(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.onnx"), modeltest.File(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, dir, "models keygen %/a", exitOK, "sha256:", "a.key signs")
	check(t, dir, "models keygen %/b", exitOK)
	check(t, dir, "models keygen %/a", exitFailed, "file exists")
	check(t, dir, "models verify %/m.onnx", exitOK, "none", `golden "red"`, "met")
	check(t, dir, "models verify %/m.onnx --public-key %/a.pub", exitFailed, "%/m.onnx: signature: the file is not signed")
	check(t, dir, "models sign %/m.onnx --key %/a.key --out %/s.onnx", exitOK, "signed with sha256:")
	check(t, dir, "models sign %/m.onnx --key %/a.pub", exitFailed, "want a PRIVATE KEY")
	check(t, dir, "models sign road --key %/a.key", exitUsage, "--out")
	check(t, dir, "models verify %/s.onnx", exitOK, "not checked")
	check(t, dir, "models verify %/s.onnx --public-key %/a.pub", exitOK, "good, key sha256:")
	check(t, dir, "models verify %/s.onnx --public-key %/b.pub", exitFailed, "signed with another key")
	check(t, dir, "models show %/s.onnx", exitOK, "ed25519ph, key sha256:")

	text, err := os.ReadFile(filepath.Join(dir, "s.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), `"threshold":0.5`)
	text[at+len(`"threshold":0.`)] = '9'
	if err := os.WriteFile(filepath.Join(dir, "t.onnx"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, dir, "models verify %/t.onnx", exitOK) // a threshold proves nothing of itself
	out := check(t, dir, "models verify %/t.onnx --public-key %/a.pub --json", exitFailed, "changed after it was signed")
	var v verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.OK || v.Reason == "" {
		t.Errorf("%v: %+v", err, v)
	}
	source := " --source scene://?seconds=1 --quiet --model %/"
	check(t, dir, "run"+source+"s.onnx --public-key %/a.pub", exitOK)
	check(t, dir, "run"+source+"t.onnx --public-key %/a.pub", exitFailed, "changed after it was signed")
	check(t, dir, "run"+source+"s.onnx --public-key %/a.pub --manifest %/m.json", exitUsage, "--manifest")
}

func TestModelsVerifyNamesWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, file []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("weight.onnx", onePercent(t, models.Road))
	put("golden.onnx", modeltest.File(t, func(m *models.Manifest) { m.Golden[1].Probabilities[1] = 0.9 }))
	put("text.onnx", []byte("no model"))
	check(t, dir, "models verify %/weight.onnx", exitFailed, "the graph is not the one that was exported")
	check(t, dir, "models verify %/golden.onnx", exitFailed, `MISSED: red is 1.000000, recorded 0.900000`, `output "probabilities"`)
	check(t, dir, "models verify %/text.onnx", exitFailed, "not an ONNX model")
	check(t, dir, "models show %/text.onnx", exitFailed, "%/text.onnx: onnx: not an ONNX model")
	check(t, dir, "models verify %/none.onnx", exitFailed, "%/none.onnx: no such file")
}

func TestModelsShow(t *testing.T) {
	check(t, "", "models", exitOK, "road", "road-int8", "built-in", "yolox_nano")
	check(t, "", "models verify road-int8", exitOK)
	check(t, "", "models show road", exitOK, "letterbox, grey 114", "BGR", "stop_sign", "ROC AUC", " parameters", "fingerprint", "licence")
	check(t, "", "models verify road", exitOK, `golden "scene 2"`)
	var shown struct {
		Manifest models.Manifest
		Bytes    int
	}
	out := check(t, "", "models show road --json", exitOK)
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Manifest.Name != "road" || shown.Bytes != len(models.Road) {
		t.Errorf("%v: %+v", err, shown.Manifest)
	}
}

// A model of another tool runs, is measured and compared with its contract beside it.
func TestModelsFromElsewhere(t *testing.T) {
	dir := files(t)
	fromElsewhere(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "red.jsonl"), []byte(`{"path":"mixed/1.jpg","labels":{"red":1,"bright":1},"attrs":{"timeofday":"night"}}
{"path":"mixed/2-grey.png","labels":{"red":0,"bright":0},"attrs":{"timeofday":"day"}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs := " --model %/theirs.onnx --manifest %/theirs.yaml"
	check(t, dir, "run --source %/drive.mkv --out %/t.jsonl"+theirs, exitOK, "60 frames (60 ok)")
	if got := lines(t, filepath.Join(dir, "t.jsonl")); len(got) != 61 || !strings.Contains(string(must(json.Marshal(got[0]))), `"theirs"`) {
		t.Errorf("%d lines, the first %v", len(got), got[0])
	}
	check(t, dir, "models verify %/theirs.onnx --manifest %/theirs.yaml", exitOK, "theirs", "none in the contract")
	check(t, dir, "run --source %/drive.mkv --model %/theirs.onnx", exitFailed, "no perceive manifest")
	check(t, dir, "run --source %/drive.mkv --model %/theirs.onnx --manifest %/bad.yaml", exitUsage, "%/bad.yaml:3: input.mean: missing")
	check(t, dir, "run --source %/drive.mkv --model %/theirs.onnx --manifest %/size.yaml", exitFailed, "not as its contract says", "[1 3 16 32]")
	check(t, dir, "eval --data jsonl:%/red.jsonl --conditions"+theirs, exitOK, "red", "1.000", "timeofday: night", "under no condition")
	check(t, dir, "compare %/theirs.onnx=%/theirs.yaml %/tiny.onnx --data jsonl:%/red.jsonl", exitOK, "theirs", "tiny", "1 + 1 −", "median of a frame, 1 thread, cpu")
	check(t, dir, "compare %/mixed --data jsonl:%/red.jsonl", exitFailed, "none of the model files in it has a contract")
	check(t, dir, "compare %/theirs.onnx --data jsonl:%/red.jsonl --threads 0", exitUsage, "--threads 0")
	check(t, dir, "compare --data jsonl:%/red.jsonl", exitUsage, "model")
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

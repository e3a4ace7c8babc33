package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/models"
)

// smallest is a network that trains in a second.
const smallest = `labels: [car, pedestrian]
network: {width: 64, height: 32, channels: [8, 8, 8, 8], blocks: [0, 1, 0, 0], neck: 8}
steps: 4
batch: 8
warmup: 1
eval_every: 2
save_every: 4
`

// A model file says how its data was asked for, and nothing of the machine that it lay on.
func TestModelSaysWhatItWasMadeFrom(t *testing.T) {
	dir := pictures(t)
	for name, text := range map[string]string{"small.yaml": smallest, "seen.jsonl": `{"path":"a.png","seen":[{"label":"car","xywh":[8,8,20,20],"p":0.8}]}` + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Base(dir)
	check(t, dir, "train --config %/small.yaml --on-bad skip --cache off --data jsonl:%/labels.jsonl?teacher=%/seen.jsonl --data scene:20?seed=1 --val scene:40?seed=2 --out %/run", exitOK, "trained for")
	check(t, dir, "export --run %/run --data scene:40?seed=2 --frames 4 --out %/m.onnx", exitOK, "fp32")
	check(t, dir, "models show %/m.onnx", exitOK, "24 pictures: jsonl:"+folder+"/labels.jsonl?teacher="+folder+"/seen.jsonl scene:20?seed=1", "chosen by", "scene:40?seed=2",
		"seen.jsonl, SHA-256", " of 4, mean ROC AUC", "on parts of scene:40?seed=2", "source: scene")
	check(t, dir, "eval --model %/m.onnx --cache off --data scene:40?seed=2 --card %/card.md --sources", exitOK, "card: %/card.md", "source")
	card, err := os.ReadFile(filepath.Join(dir, "card.md"))
	if err != nil || !strings.Contains(string(card), "| car | scene |") || strings.Contains(string(card), filepath.Dir(dir)) {
		t.Errorf("%v: the card lacks the source, or names the machine's folder:\n%s", err, card)
	}
	m, err := onnx.Load(filepath.Join(dir, "m.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	text := m.Metadata()[models.MetadataKey]
	if strings.Contains(text, filepath.Dir(dir)) {
		t.Errorf("the file names the machine's folder %s", filepath.Dir(dir))
	}
	man, err := models.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := man.Training
	if r.Planned != 4 || r.Steps < 2 || r.Best <= 0 || len(r.Data) != 2 || len(r.Validation) != 1 || len(r.Teachers) != 1 || len(r.Recipe) == 0 {
		t.Errorf("the file says %+v of its training", r)
	}
}

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/models"
	"perceive/trainer/report"
)

// The card of the built-in model is of the model that is built in.
func TestRoadCardIsOfThisModel(t *testing.T) {
	card, err := os.ReadFile("../../docs/road.md")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Parse(models.Road)
	if err != nil {
		t.Fatal(err)
	}
	man, err := models.FromMetadata(m.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(card), report.Begin)
	if want := fmt.Sprintf("graph SHA-256 `%.12s…`", man.GraphSHA256); !ok || !strings.Contains(part, want) {
		t.Errorf("docs/road.md lacks %s: write it anew with perceive eval --data jsonl:road/test/labels.jsonl --card docs/road.md, and look at what people wrote in it", want)
	}
}

package trainer

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A run leaves a report whose every file is there; one that is interrupted leaves its
// curves.
func TestRunLeavesAReport(t *testing.T) {
	c := tiny()
	c.Steps, c.EvalEvery = 20, 10
	page := func(dir string) string {
		text, err := os.ReadFile(filepath.Join(dir, ReportFile))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(string(text), -1) {
			if info, err := os.Stat(filepath.Join(dir, filepath.Dir(ReportFile), m[1])); err != nil || info.Size() == 0 {
				t.Errorf("the page names %s: %v", m[1], err)
			}
		}
		return string(text)
	}
	dir := t.TempDir()
	if _, err := run(t, c, squares(60, 2), dir, false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
	text := page(dir)
	for _, want := range []string{"roc.svg", "precision-and-recall.svg", "reliability-of-light.svg", "mistakes-dark.jpg", "loss.svg", "validation-average-precision.svg"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	dir = t.TempDir()
	_, err := run(t, c, squares(60, 2), dir, false, Hooks{Step: func(e StepEvent) {
		if e.Step == 15 {
			cancel()
		}
	}}, ctx)
	if err == nil {
		t.Fatal("not interrupted")
	}
	if text := page(dir); !strings.Contains(text, "loss.svg") || strings.Contains(text, "roc.svg") {
		t.Error("an interrupted run's page lacks the loss, or has figures that nobody measured")
	}
}

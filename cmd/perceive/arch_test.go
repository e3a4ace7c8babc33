package main

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// floors is the architecture: a package imports only packages of lower floors. Tests
// may import what they like. A new package is entered here.
var floors = map[string]int{
	// What the vocabulary is read with.
	"internal/strict": -1,
	// What recordings are kept in: the daemon writes it, cameras are read from it.
	"internal/mcap": -1,
	// The vocabulary: no native code.
	"camera": 0, "models": 0, "models/signature": 0, "export/onnx": 0, "hw": 0, "hw/board": 0, "hw/engine": 0,
	// Sessions, frame sources, graph building, models from elsewhere.
	"hw/ort": 1, "hw/nvml": 1, "camera/opencv": 1, "camera/scene": 1, "camera/supervise": 1, "camera/framecode": 1, "camera/guard": 1, "trainer/graph": 1, "export/adapt": 1,
	// Models that are loaded and proved; sources by URI; the parts of training.
	"perception/model": 2, "camera/open": 2, "trainer/autodiff": 2, "trainer/nn": 2, "trainer/loss": 2, "trainer/optim": 2,
	"trainer/dataset": 2, "trainer/metrics": 2, "trainer/report": 2,
	"export/quant": 2,
	// A frame in, a result out; passes over a model; a detector that teaches.
	"perception": 3, "export": 3, "trainer/teacher": 3,
	// The training loop.
	"trainer": 4,
	// How fast the frame path is.
	"perception/bench": 4,
	// The ways of results out of the program, and back into it.
	"perception/publish": 4, "perception/record": 4,
	// What the daemon says of itself, and its face.
	"perception/serve/status": 1, "perception/serve/web": 2,
	// Experiments made of many runs; the daemon.
	"trainer/study": 5, "perception/serve": 5, "perception/replay": 5, "hw/hil/rtsp": 0, "hw/hil": 5,
	// Wiring.
	"cmd/perceive": 6,

	// For tests only: nothing but tests may import these.
	"hw/ort/orttest": test, "hw/board/boardtest": test, "camera/cameratest": test, "perception/model/modeltest": test, "trainer/internal/ref": test,
	"internal/realdata": test,
}

const test = 100

// owners are the packages that alone may import a native binding.
var owners = map[string]string{
	"github.com/yalue/onnxruntime_go":    "hw/ort",
	"gocv.io/x/gocv":                     "camera/opencv",
	"github.com/NVIDIA/go-nvml/pkg/nvml": "hw/nvml",
}

func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports ","}}`, "perceive/...").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		pkg := strings.TrimPrefix(name, "perceive/")
		floor, known := floors[pkg]
		if !known {
			t.Errorf("%s is on no floor: enter it in the table of this test", pkg)
			continue
		}
		for imp := range strings.SplitSeq(imports, ",") {
			if owner, ok := owners[imp]; ok && owner != pkg {
				t.Errorf("%s imports %s, which belongs to %s alone", pkg, path.Base(imp), owner)
			}
			below, ours := strings.CutPrefix(imp, "perceive/")
			if !ours || floor == test {
				continue
			}
			if f := floors[below]; f >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): arrows point down", pkg, floor, below, f)
			}
		}
	}
}

// Every package in the table exists, so that the table stays the architecture.
func TestFloorsExist(t *testing.T) {
	out, err := exec.Command("go", "list", "perceive/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	for pkg := range floors {
		if !slices.Contains(all, "perceive/"+pkg) {
			t.Errorf("%s is in the table and not in the module", pkg)
		}
	}
}

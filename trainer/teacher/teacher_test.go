package teacher

import (
	"bufio"
	"encoding/json"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"google.golang.org/protobuf/proto"

	"perceive/camera/opencv"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/internal/realdata"
	"perceive/trainer/dataset"
)

// One cell by hand: side 32 has 16 cells at stride 8, 4 at 16, 1 at 32. Cell 5 of stride 8
// is column 1, row 1.
func TestDecode(t *testing.T) {
	out := make([]float32, anchors(32)*(5+classes))
	v := out[5*(5+classes):]
	v[0], v[1], v[2], v[3], v[4], v[5+2] = 0.5, 0.25, float32(math.Log(2)), 0, 0.5, 0.8
	seen := decode(out, 32)
	want := Seen{2, 1.5*8 - 8, 1.25*8 - 4, 16, 8, 0.4} // centre (12, 10), 16×8
	if len(seen) != 1 {
		t.Fatalf("%d objects, want 1: %v", len(seen), seen)
	}
	got := seen[0]
	for _, c := range [][2]float64{{got.X, want.X}, {got.Y, want.Y}, {got.W, want.W}, {got.H, want.H}, {got.P, want.P}} {
		if !scalar.EqualWithinAbs(c[0], c[1], 1e-5) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
}

func TestSuppress(t *testing.T) {
	a, b, far, other := Seen{0, 0, 0, 10, 10, 0.5}, Seen{0, 1, 1, 10, 10, 0.9}, Seen{0, 50, 0, 10, 10, 0.1}, Seen{1, 0, 0, 10, 10, 0.3}
	got := suppress([]Seen{a, b, far, other})
	if len(got) != 3 || got[0] != b || got[1] != other || got[2] != far { // iou(a,b) = 81/119
		t.Errorf("kept %v", got)
	}
}

// A box that a side view cuts is left to the others; at the picture's own edge it is kept.
func TestInside(t *testing.T) {
	r := image.Rect(40, 0, 100, 50)
	got := inside([]Seen{{0, 35, 5, 20, 20, 1}, {0, 60, 5, 20, 20, 1}, {0, 90, -5, 20, 20, 1}}, r, 100)
	if len(got) != 2 || got[1].W != 10 || got[1].Y != 0 || got[1].H != 15 {
		t.Errorf("kept %v", got)
	}
}

// A box at the picture's edge is written down there; a size is never rounded to none.
func TestLine(t *testing.T) {
	got := Seen{2, 0, 0.04, 0.01, 12.36, 0.45678}.line("car")
	want := dataset.SeenLine{Label: "car", XYWH: [4]float64{0, 0, 0.1, 12.4}, P: 0.4568}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The decoder's cells are those of a square.
func TestLoadWantsASquare(t *testing.T) {
	for _, tc := range []struct {
		h, w int64
		ok   bool
	}{{32, 32, true}, {64, 32, false}, {32, 64, false}} {
		dims := []int64{1, int64(anchors(int(tc.w))), 5 + classes}
		opset := int64(17)
		file, err := onnx.Marshal(&onnx.Model{IrVersion: proto.Int64(8), OpsetImport: []*onnx.OperatorSet{{Version: &opset}},
			Graph: &onnx.Graph{Name: proto.String("detector"), Node: []*onnx.Node{onnx.NewNode("Identity", "", []string{"c"}, []string{"y"})},
				Initializer: []*onnx.Tensor{onnx.NewTensorFloat32("c", dims, make([]float32, dims[1]*dims[2]))},
				Input:       []*onnx.ValueInfo{onnx.NewValueInfo("x", onnx.Tensor_FLOAT, 1, 3, tc.h, tc.w)},
				Output:      []*onnx.ValueInfo{onnx.NewValueInfo("y", onnx.Tensor_FLOAT, dims...)}}})
		if err != nil {
			t.Fatal(err)
		}
		d, err := Load(orttest.Runtime(t), file, ort.Options{Threads: 1})
		if (err == nil) != tc.ok {
			t.Errorf("input of %d×%d: %v", tc.w, tc.h, err)
		}
		if err == nil {
			d.Close()
		}
	}
}

// The teacher agrees with the scores that were measured of the same detector for the data
// beside the project (three views; the largest score of each class).
func TestLookAgreesWithKnownScores(t *testing.T) {
	file, err := os.ReadFile(realdata.Path(t, "onnx/yolox_nano/yolox_nano.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Load(orttest.Runtime(t), file, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	l, err := d.NewLooker()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	labels := realdata.Path(t, "road/test/labels.jsonl")
	f, err := os.Open(labels)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, scan := 0, bufio.NewScanner(f)
	var off float64
	for scan.Scan() && n < 12 {
		var line struct {
			Path   string                        `json:"path"`
			Scores map[string]map[string]float64 `json:"detector_scores"`
		}
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		w, h, bgr, err := opencv.DecodeFile(filepath.Join(filepath.Dir(labels), line.Path))
		if err != nil || len(line.Scores) == 0 {
			continue
		}
		seen, err := l.Look(t.Context(), w, h, bgr)
		if err != nil {
			t.Fatal(err)
		}
		for label, class := range Classes {
			p := 0.0
			for _, s := range seen {
				if s.Class == class {
					p = max(p, s.P)
				}
			}
			off += math.Abs(p - line.Scores[label]["yolox_nano_multiview"])
		}
		n++
	}
	if n == 0 {
		t.Fatal("no picture has known scores")
	}
	if mean := off / float64(4*n); mean > 0.04 {
		t.Errorf("the largest scores are %.3f off in the mean", mean)
	} else {
		t.Logf("%.3f off in the mean, over %d pictures", mean, n)
	}
}

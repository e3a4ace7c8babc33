package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/hw/board"
	"perceive/hw/board/boardtest"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// patient is a checkup of a board whose libraries answered as is given here.
func patient(root fstest.MapFS) *checkup {
	c := &checkup{Program: "0123456789ab", Go: "go1.26", Platform: "linux/arm64", Cores: 6, OpenCV: "4.8.0",
		Video: "reads and writes (mp4v, FFMPEG)", ONNXRuntime: "1.27.0", Library: "/opt/ort/libonnxruntime.so",
		Codecs:   []opencv.Codec{{Name: "H.264", Why: "no encoder"}, {Name: "MJPEG", Writes: true, Reads: true}},
		Backends: opencv.Backends{Streams: []string{"FFMPEG", "V4L2"}}}
	c.machine(root, &board.Sysfs{Root: root})
	for _, p := range []providerCheck{
		{Provider: hw.CPU, Usable: true, Golden: 3, Millis: 6.25, Measured: &hw.Assignment{Nodes: map[hw.Provider]int{hw.CPU: 52}}},
		{Provider: hw.CUDA, Reason: "provider cannot be used: libcudnn.so.9: cannot open shared object file"},
		{Provider: hw.TensorRT, Reason: "provider cannot be used: the library comes without it (not found)"},
	} {
		p.Do = c.advice(p)
		c.Providers = append(c.Providers, p)
	}
	return c
}

// The golden pages were read by a person against the trees.
func TestDoctorsPage(t *testing.T) {
	for name, root := range map[string]fstest.MapFS{"orin": boardtest.Tree(t, "orin"), "xavier": boardtest.Tree(t, "xavier"),
		"pc": boardtest.Tree(t, "pc"), "nothing": {}} {
		var b bytes.Buffer
		if err := patient(root).print(&b); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "doctor-"+name+".txt")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestAdvice(t *testing.T) {
	without := providerCheck{Provider: hw.CUDA, Reason: "the library comes without it"}
	broken := func(p hw.Provider) providerCheck { return providerCheck{Provider: p, Reason: "cannot open"} }
	jetson, driver := board.Facts{L4T: board.Some("36.4.3"), JetPack: board.Some("6.2")}, board.Facts{Driver: board.Some("550")}
	all := map[string]string{"CUDA runtime": "12", "cuDNN": "9", "TensorRT": "10"}
	for _, tc := range []struct {
		p     providerCheck
		facts board.Facts
		libs  map[string]string
		says  string
	}{
		{providerCheck{Provider: hw.CUDA, Usable: true}, driver, nil, ""},
		{without, board.Facts{}, nil, "GPU build for this platform"},
		{without, jetson, nil, "JetPack 6.2"},
		{broken(hw.CPU), board.Facts{}, nil, "make deps"},
		{broken(hw.CUDA), board.Facts{}, nil, "install NVIDIA's driver"},
		{broken(hw.CUDA), driver, map[string]string{"CUDA runtime": "12"}, "install cuDNN: not found"},
		{broken(hw.TensorRT), jetson, map[string]string{"CUDA runtime": "12", "cuDNN": "9"}, "install TensorRT: not found"},
		{broken(hw.TensorRT), driver, all, "compare the versions"},
	} {
		c := checkup{Libraries: tc.libs}
		c.Board.Facts = tc.facts
		if got := c.advice(tc.p); !strings.Contains(got, tc.says) || (got == "") != (tc.says == "") {
			t.Errorf("%+v: %q, want %q", tc.p, got, tc.says)
		}
	}
}

func TestDoctor(t *testing.T) {
	code, out, errOut := perceive(t, "doctor")
	if code != exitOK {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"OpenCV", "golden results met", "cuda", "tensorrt", fmt.Sprint(goldens), "thermal mode", "memory"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
}

func TestDoctorInJSON(t *testing.T) {
	code, out, errOut := perceive(t, "doctor", "--json")
	var c checkup
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v: %s", code, err, errOut)
	}
	i := slices.IndexFunc(c.Providers, func(p providerCheck) bool { return p.Provider == hw.CPU })
	if i < 0 || !c.Providers[i].Usable || c.Providers[i].Golden != goldens || c.Providers[i].Measured.Nodes[hw.CPU] == 0 || c.Broken != "" {
		t.Errorf("%s", out)
	}
	for _, p := range c.Providers {
		if p.Usable == (p.Do != "") {
			t.Errorf("%+v: usable with something to do, or not and nothing", p)
		}
	}
	if !c.Board.Memory.Used.OK {
		t.Errorf("no memory in %s", out)
	}
}

// Without ONNX Runtime the rest is still said.
func TestDoctorWithoutONNXRuntime(t *testing.T) {
	code, out, errOut := perceive(t, "--ort-library", "/dev/null/none.so", "doctor")
	if code != exitFailed || !strings.Contains(errOut, "ONNX Runtime is needed") || !strings.Contains(out, "ONNX Runtime   missing") || !strings.Contains(out, "memory") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
}

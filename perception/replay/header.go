package replay

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/cpu"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/models"
	"perceive/perception"
)

// Setup is how a replay is to run.
type Setup struct {
	Program string
	// Deterministic asks for threads that do not depend on the machine; it is no more than a
	// wish where the network does not run on the CPU.
	Deterministic           bool
	Threads, DecoderThreads int
	// Leave is the part of a label's threshold below which it is off again, Hold how long it
	// stays on at least, Expiry the time after which what was held is forgotten.
	Leave  float32
	Hold   time.Duration
	Expiry time.Duration
	// Steady, if not nil, says label by label what Leave and Hold say of all.
	Steady func([]models.Label) ([]perception.Steady, error)
	Guards []string
	// Drops is the hash of a Road.
	Drops string
}

// NewHeader describes a replay. A source that is one file is read once, for its hash.
func NewHeader(d *perception.Detector, source camera.Info, s Setup) (perception.Header, error) {
	h := perception.NewHeader(d, source, s.Program)
	h.Environment = environment(h.Provider, s)
	h.Replay = &perception.Replay{ExpiryMS: ms(s.Expiry), Guards: append([]string{}, s.Guards...), Drops: s.Drops}
	steady, err := s.steady(d.Manifest().Labels)
	if err != nil {
		return h, wrap(err)
	}
	for i, l := range h.Labels {
		h.Replay.Decide = append(h.Replay.Decide, perception.ReplayDecide{Label: l.Label, Enter: steady[i].Enter, Leave: steady[i].Leave, HoldMS: ms(steady[i].Hold)})
	}
	if _, err := NewDecider(h); err != nil {
		return h, err
	}
	file, _, _, err := opencv.CutMCAP(source.URI)
	if err != nil {
		return h, wrap(err)
	}
	if st, err := os.Stat(file); err != nil || !st.Mode().IsRegular() {
		return h, nil
	}
	h.Replay.SourceSHA256, err = fileSHA256(file)
	return h, err
}

// steady is how a model's labels are decided.
func (s *Setup) steady(labels []models.Label) ([]perception.Steady, error) {
	if s.Steady != nil {
		return s.Steady(labels)
	}
	return perception.SteadyLabels(labels, s.Leave, s.Hold), nil
}

func environment(p hw.ProviderReport, s Setup) *perception.Environment {
	return &perception.Environment{
		Deterministic: s.Deterministic && p.Used == hw.CPU, Provider: p.Used, Threads: s.Threads, DecoderThreads: s.DecoderThreads,
		Go: runtime.Version(), OpenCV: opencv.Version(), ONNXRuntime: p.Version, Libraries: libraries(),
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: processor(), Features: features(),
	}
}

// fileSHA256 is the hash of a file, in hex.
func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("replay: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("replay: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// libraries are the loaded files whose numbers are computed with, and what decodes.
func libraries() []string {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name := filepath.Base(lines.Text())
		for _, of := range []string{"libonnxruntime.", "libopencv_core.", "libopencv_imgproc.", "libavcodec.", "libavformat.", "libswscale."} {
			if strings.HasPrefix(name, of) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// processor is the model's name of the first processor, empty where the system does not say.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// features are those for which ONNX Runtime and OpenCV choose other kernels, which add up in
// another order.
func features() []string {
	var out []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA}, {"avx512f", cpu.X86.HasAVX512F}, {"avx512bw", cpu.X86.HasAVX512BW},
		{"avx512vnni", cpu.X86.HasAVX512VNNI}, {"avxvnni", cpu.X86.HasAVXVNNI}, {"amx-int8", cpu.X86.HasAMXInt8},
		{"asimd", cpu.ARM64.HasASIMD}, {"asimddp", cpu.ARM64.HasASIMDDP}, {"i8mm", cpu.ARM64.HasI8MM}, {"sve", cpu.ARM64.HasSVE},
	} {
		if f.has {
			out = append(out, f.name)
		}
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

package bench

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Conditions are what a figure depends on. What is not known is empty.
type Conditions struct {
	Time time.Time `json:"time"`
	// The machine.
	System   string `json:"system"` // "linux/amd64"
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Governor string `json:"governor,omitempty"`
	// Load is how many programs wanted a core, on the average of the minute before.
	Load float64 `json:"load"`
	// The program.
	Program string `json:"program"`
	Go      string `json:"go"`
	Runtime string `json:"onnx_runtime"`
	OpenCV  string `json:"opencv"`
	// The network.
	Model       string `json:"model"`
	GraphSHA256 string `json:"graph_sha256"`
	Provider    string `json:"provider"`
	Threads     int    `json:"threads"`
	Spin        bool   `json:"spin,omitempty"`
	// The frames.
	Source string `json:"source"`
	Size   string `json:"size"` // "1280×720"
	Guards int    `json:"guards,omitempty"`
}

// Machine fills in what can be asked of the machine whose files are in root, "/" here.
func (c *Conditions) Machine(root fs.FS) {
	c.System, c.Cores, c.Go = runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), runtime.Version()
	c.CPU = cpuModel(root)
	c.Governor = line(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	first, _, _ := strings.Cut(line(root, "proc/loadavg"), " ")
	c.Load, _ = strconv.ParseFloat(first, 64)
}

// Root is the machine's own files.
func Root() fs.FS { return os.DirFS("/") }

// cpuModel is the processor's name, or the board's where the processor has none.
func cpuModel(root fs.FS) string {
	f, err := root.Open("proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return line(root, "proc/device-tree/model")
}

// line is the first line of a small file, "" if it cannot be read.
func line(root fs.FS, path string) string {
	text, err := fs.ReadFile(root, path)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.Trim(first, "\x00 ")
}

// Busy is whether other programs wanted the cores when the run began.
func (c *Conditions) Busy() bool { return c.Load > 0.25*float64(c.Cores) }

// differ lists what is not the same in two runs, and changes what is measured: a comparison
// is then one of these things as well. The program's own version is not in it: comparing
// versions is what baselines are for.
func (c *Conditions) differ(base *Conditions) []Difference {
	var out []Difference
	add := func(what string, was, is any) {
		if was != is {
			out = append(out, Difference{what, fmt.Sprint(was), fmt.Sprint(is)})
		}
	}
	add("system", base.System, c.System)
	add("processor", base.CPU, c.CPU)
	add("cores", base.Cores, c.Cores)
	add("governor", base.Governor, c.Governor)
	add("Go", base.Go, c.Go)
	add("ONNX Runtime", base.Runtime, c.Runtime)
	add("OpenCV", base.OpenCV, c.OpenCV)
	add("model", base.Model, c.Model)
	add("graph", short(base.GraphSHA256), short(c.GraphSHA256))
	add("provider", base.Provider, c.Provider)
	add("threads", base.Threads, c.Threads)
	add("spinning", base.Spin, c.Spin)
	add("source", base.Source, c.Source)
	add("frame size", base.Size, c.Size)
	add("guards", base.Guards, c.Guards)
	return out
}

// short is the beginning of a hash, for people.
func short(hash string) string { return hash[:min(12, len(hash))] }

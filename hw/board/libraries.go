package board

import (
	"io/fs"
	"path"
	"strings"
)

// Libraries are the versions of what GPU providers need, by name, of those that lie in
// the system's folders; nil is this machine's root. A version is the longest that a
// file's name tells.
func Libraries(root fs.FS) map[string]string {
	t := tree{(&Sysfs{Root: root}).root()}
	out := map[string]string{}
	for name, file := range map[string]string{"TensorRT": "libnvinfer.so.", "cuDNN": "libcudnn.so.", "CUDA runtime": "libcudart.so."} {
		for _, found := range t.glob("usr/lib/*-linux-gnu/"+file+"*", "usr/lib/"+file+"*", "usr/local/lib/"+file+"*",
			"usr/local/cuda*/lib64/"+file+"*", "usr/local/cuda*/targets/*/lib/"+file+"*") {
			if v := strings.TrimPrefix(path.Base(found), file); len(v) > len(out[name]) {
				out[name] = v
			}
		}
	}
	return out
}

// Camera is a video device of Linux.
type Camera struct {
	Device string `json:"device"` // such as /dev/video0
	Name   string `json:"name"`
	// Index is above 0 of a camera's further nodes, such as those for metadata, which give no
	// pictures.
	Index Optional[int64] `json:"index"`
	// Why it cannot be opened; empty if it can be.
	Why string `json:"why,omitempty"`
}

// Cameras lists the video devices; nil is this machine's root.
func Cameras(root fs.FS) (out []Camera) {
	t := tree{(&Sysfs{Root: root}).root()}
	for _, dir := range t.glob("sys/class/video4linux/video*") {
		c := Camera{Device: "/dev/" + path.Base(dir)}
		name, err := t.text(path.Join(dir, "name"))
		if err != nil {
			name = "no name"
		}
		c.Name = name
		if n, err := t.number(path.Join(dir, "index")); err == nil {
			c.Index = Some(n)
		}
		f, err := t.Open(c.Device[1:])
		if err != nil {
			c.Why = why(err)
		} else {
			f.Close()
		}
		out = append(out, c)
	}
	return out
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"perceive/hw/board"
)

// columns is text in two columns.
type columns struct{ bytes.Buffer }

func (p *columns) line(what, format string, args ...any) {
	fmt.Fprintf(&p.Buffer, "%-14s %s\n", what, fmt.Sprintf(format, args...))
}

// print writes one page for a person.
func (c *checkup) print(w io.Writer) error {
	var p columns
	p.line("machine", "%s, %d cores, kernel %v", c.Platform, c.Cores, c.Board.Facts.Kernel)
	p.line("perceive", "%s, %s", c.Program, c.Go)
	p.line("OpenCV", "%s, video: %s", c.OpenCV, c.Video)
	c.printVideo(&p)
	if c.ONNXRuntime == "" {
		p.line("ONNX Runtime", "missing: run `make deps`, or name a libonnxruntime.so with PERCEIVE_ORT_LIB")
	} else {
		p.line("ONNX Runtime", "%s, %s", c.ONNXRuntime, c.Library)
	}
	c.printProviders(&p)
	c.printBoard(&p)
	_, err := w.Write(p.Bytes())
	return err
}

func (c *checkup) printVideo(p *columns) {
	var parts []string
	for _, k := range c.Codecs {
		switch {
		case k.Writes && k.Reads:
			parts = append(parts, k.Name+" reads and writes")
		default:
			parts = append(parts, k.Name+": "+k.Why)
		}
	}
	p.line("codecs", "%s", orNone(parts))
	p.line("video from", "%s", orNone(c.Backends.Streams))
	if !c.Backends.GStreamer() {
		p.line("", "OpenCV was built without GStreamer: a Jetson's CSI cameras and pipelines of your own need one that has it")
	}
	if len(c.Cameras) == 0 {
		p.line("cameras", "none in /sys/class/video4linux: plug one in; in a container, pass /dev/video0 to it")
	}
	for i, cam := range c.Cameras {
		text := cam.Device + " " + cam.Name
		if cam.Index.OK && cam.Index.Value > 0 {
			text += " (a further node of the one above: no pictures)"
		}
		if cam.Why != "" {
			text += ": cannot be opened, " + cam.Why + ": add the user to the group video"
		}
		p.line(map[bool]string{true: "cameras"}[i == 0], "%s", text)
	}
}

func (c *checkup) printProviders(p *columns) {
	for _, v := range c.Providers {
		if !v.Usable {
			p.line(string(v.Provider), "not usable: %s", v.Reason)
			p.line("", "to do: %s", v.Do)
			continue
		}
		measured := "not measured"
		if v.Measured != nil {
			measured = v.Measured.String()
		}
		p.line(string(v.Provider), "usable: %s, %d golden results met, %.1f ms a frame", measured, v.Golden, v.Millis)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Libraries)) {
		parts = append(parts, name+" "+c.Libraries[name])
	}
	p.line("GPU libraries", "%s", orNone(parts))
}

func (c *checkup) printBoard(p *columns) {
	r := c.Board
	or := func(field string, v fmt.Stringer, ok bool) string {
		if why := r.Missing[field]; !ok && why != "" {
			return v.String() + ": " + why
		}
		return v.String()
	}
	p.line("board", "%v", r.Facts.Model)
	if r.Facts.L4T.OK {
		p.line("L4T", "%v, JetPack %v", r.Facts.L4T, r.Facts.JetPack)
	}
	p.line("GPU", "%v, driver %v", r.Facts.GPU, r.Facts.Driver)
	p.line("power mode", "%s", or("power_mode", r.PowerMode, r.PowerMode.OK))
	var zones []string
	for _, z := range r.Zones {
		text := z.Name + " " + z.Celsius.String()
		if z.Celsius.OK {
			text = fmt.Sprintf("%s %.1f °C", z.Name, z.Celsius.Value)
		}
		zones = append(zones, text)
	}
	if zones == nil {
		zones = []string{"no reading: " + r.Missing["zones"]}
	}
	p.line("temperatures", "%s", strings.Join(zones, ", "))
	p.line("clocks", "CPU %s, GPU %s, memory %s", hertz(r.CPU), hertz(r.GPU), hertz(r.EMC))
	load := board.Optional[string]{Value: fmt.Sprintf("%.0f %%", 100*r.GPULoad.Value), OK: r.GPULoad.OK}
	p.line("GPU load", "%s", or("gpu_load", load, load.OK))
	p.line("memory", "%s", memory(r.Memory))
	if r.GPUMemory.Total.OK {
		p.line("GPU memory", "%s", memory(r.GPUMemory))
	}
	p.line("throttling", "%s", throttling(r))
	if c.Thermal.Celsius.OK {
		p.line("thermal mode", "%v: %s", c.Thermal.Level, c.Thermal.Reason)
	} else {
		p.line("thermal mode", "no reading: nothing is reduced, however hot it gets")
	}
}

// orNone joins a list.
func orNone(list []string) string {
	if len(list) == 0 {
		return "none found"
	}
	return strings.Join(list, ", ")
}

func hertz(c board.Clock) string {
	if !c.Hz.OK {
		return "no reading"
	}
	text := fmt.Sprintf("%d MHz", c.Hz.Value/1e6)
	if c.Max.OK {
		text += fmt.Sprintf(" of %d", c.Max.Value/1e6)
	}
	return text
}

func memory(m board.Memory) string {
	if !m.Used.OK || !m.Total.OK {
		return "no reading"
	}
	return fmt.Sprintf("%s of %s in use", size(m.Used.Value), size(m.Total.Value))
}

func throttling(r board.Reading) string {
	text := "no reading: " + r.Missing["throttling"]
	if r.Throttling.OK {
		var parts []string
		for _, t := range r.Throttling.Value {
			parts = append(parts, fmt.Sprintf("%s (%s)", t.What, t.Why))
		}
		if text = strings.Join(parts, ", "); text == "" {
			text = "none"
		} else {
			text += ": cool the board, or choose a lower power mode"
		}
	}
	if n := r.OverCurrent; n.OK && n.Value > 0 {
		text += fmt.Sprintf("; %d over-current events since the start: check the power supply", n.Value)
	}
	return text
}

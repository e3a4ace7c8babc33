// Package nvml adds the readings of a discrete NVIDIA GPU to those of the board, through
// the driver's management library. A machine without the library has no such readings,
// and the reason says so. A Jetson's GPU is read from sysfs (hw/board).
package nvml

import (
	"fmt"

	lib "github.com/NVIDIA/go-nvml/pkg/nvml"

	"perceive/hw/board"
)

// Reader reads the board, and one GPU.
type Reader struct {
	base board.Reader
	lib  lib.Interface
	// Index is the GPU's number.
	index int
	// Why the library cannot be used; empty if it can.
	why string
}

var _ board.Reader = (*Reader)(nil)

// New loads the driver's library, if there is one. index is the GPU's number, from 0.
// Close gives it back.
func New(base board.Reader, index int) *Reader { return open(base, lib.New(), index) }

func open(base board.Reader, l lib.Interface, index int) *Reader {
	r := &Reader{base: base, lib: l, index: index}
	switch ret := l.Init(); ret {
	case lib.SUCCESS:
	case lib.ERROR_LIBRARY_NOT_FOUND:
		r.why = "NVML: there is no libnvidia-ml.so.1: no NVIDIA driver is installed"
	case lib.ERROR_DRIVER_NOT_LOADED:
		r.why = "NVML: the NVIDIA driver is installed and not loaded"
	default:
		r.why = fmt.Sprintf("NVML: %v", ret)
	}
	return r
}

// Read is the board's reading with the GPU's. What the board knows already stays.
func (r *Reader) Read() board.Reading {
	out := r.base.Read()
	if out.GPU.Hz.OK || out.GPULoad.OK {
		return out // a Jetson
	}
	if r.why != "" {
		r.missAll(&out, r.why)
		return out
	}
	dev, ret := r.lib.DeviceGetHandleByIndex(r.index)
	if ret != lib.SUCCESS {
		r.missAll(&out, fmt.Sprintf("NVML: GPU %d: %v", r.index, ret))
		return out
	}
	g := gpu{dev, &out}
	g.facts(r.lib)
	g.clocks()
	g.use()
	g.throttling()
	return out
}

// Close gives the library back. It may be called twice and ends use.
func (r *Reader) Close() error {
	if r.why != "" {
		return nil
	}
	r.why = "NVML: closed"
	if ret := r.lib.Shutdown(); ret != lib.SUCCESS {
		return fmt.Errorf("nvml: close: %v", ret)
	}
	return nil
}

func (r *Reader) missAll(out *board.Reading, why string) {
	for _, field := range []string{"gpu", "gpu_load", "gpu_memory"} {
		out.Miss(field, why)
	}
}

// gpu fills a reading.
type gpu struct {
	dev lib.Device
	out *board.Reading
}

// got takes a value or notes why there is none.
func got[T any](g gpu, field string, v T, ret lib.Return) board.Optional[T] {
	if ret != lib.SUCCESS {
		g.out.Miss(field, fmt.Sprintf("NVML: %v", ret))
		return board.Optional[T]{}
	}
	delete(g.out.Missing, field)
	return board.Some(v)
}

func (g gpu) facts(l lib.Interface) {
	if name, ret := g.dev.GetName(); ret == lib.SUCCESS {
		g.out.Facts.GPU = board.Some(name)
	}
	if v, ret := l.SystemGetDriverVersion(); ret == lib.SUCCESS {
		g.out.Facts.Driver = board.Some(v)
	}
}

func (g gpu) clocks() {
	const mhz = 1_000_000
	if v, ret := g.dev.GetMaxClockInfo(lib.CLOCK_GRAPHICS); ret == lib.SUCCESS {
		g.out.GPU.Max = board.Some(int64(v) * mhz)
	}
	v, ret := g.dev.GetClockInfo(lib.CLOCK_GRAPHICS)
	g.out.GPU.Hz = got(g, "gpu", int64(v)*mhz, ret)
	celsius, ret := g.dev.GetTemperature(lib.TEMPERATURE_GPU)
	z := board.Zone{Name: "gpu"}
	if ret == lib.SUCCESS {
		z.Celsius = board.Some(float64(celsius))
		delete(g.out.Missing, "zones")
	} else {
		z.Why = fmt.Sprintf("NVML: %v", ret)
	}
	g.out.Zones = append(g.out.Zones, z)
}

func (g gpu) use() {
	u, ret := g.dev.GetUtilizationRates()
	g.out.GPULoad = got(g, "gpu_load", float64(u.Gpu)/100, ret)
	m, ret := g.dev.GetMemoryInfo()
	g.out.GPUMemory.Used = got(g, "gpu_memory", int64(m.Used), ret)
	g.out.GPUMemory.Total = got(g, "gpu_memory", int64(m.Total), ret)
}

// reasons are the bits that mean that the GPU is slower than it could be; others say that
// it is idle, or was told its clocks.
var reasons = []struct {
	bit  uint64
	what string
	why  string
}{
	{lib.ClocksEventReasonSwPowerCap, "gpu power cap", "power"},
	{lib.ClocksThrottleReasonHwSlowdown, "gpu hardware slowdown", "temperature or power"},
	{lib.ClocksEventReasonSwThermalSlowdown, "gpu software slowdown", "temperature"},
	{lib.ClocksThrottleReasonHwThermalSlowdown, "gpu thermal slowdown", "temperature"},
	{lib.ClocksThrottleReasonHwPowerBrakeSlowdown, "gpu power brake", "power supply"},
}

// throttling asks by the call's old name: drivers before 535 lack the new one, and a
// missing call ends the process.
func (g gpu) throttling() {
	bits, ret := g.dev.GetCurrentClocksThrottleReasons()
	if ret != lib.SUCCESS {
		g.out.Miss("throttling", fmt.Sprintf("NVML: %v", ret))
		return
	}
	all := append([]board.Throttle{}, g.out.Throttling.Value...)
	for _, r := range reasons {
		if bits&r.bit != 0 {
			all = append(all, board.Throttle{What: r.what, Why: r.why})
		}
	}
	g.out.Throttling = board.Some(all)
	delete(g.out.Missing, "throttling")
}
